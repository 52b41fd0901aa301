"""Two people changed the same flag or segment: what each did, and one on top of the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import QueryDict

from flaggate.admin.roundtrip import survives
from flaggate.changes.differences import FIELDS, differences, label, same
from flaggate.changes.writing import write_flag, write_segment
from flaggate.models import Revision, documents, state
from flaggate.templatetags.flaggate_moments import ago

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from flaggate.models.documents import Document

READERS: dict[str, Any] = {"flag": documents.of_flags, "segment": documents.of_segments}
WRITERS: dict[str, Any] = {"flag": write_flag, "segment": write_segment}


@dataclass
class Meanwhile:
    """Who changed a flag or segment since a page was opened, and when."""

    old: int
    new: int
    last: Revision | None  # none tells of what was written past the write path
    own: bool

    @property
    def who(self) -> str:
        """Who changed it last, or from where."""
        return (self.last.actor_name or self.last.source) if self.last else ""

    @property
    def ago(self) -> str:
        """How long ago that was."""
        return ago(self.last.created) if self.last else ""


@dataclass
class Meeting:
    """What somebody else changed since a page was opened, and what is typed there on top."""

    since: Meanwhile
    known: bool = False  # whether a revision tells what it was
    theirs: list[str] = field(default_factory=list)
    typed: bool = False
    yours: list[str] = field(default_factory=list)
    both: list[str] = field(default_factory=list)
    wanted: Document = field(default_factory=dict)
    refusal: str = ""  # why what was typed can't be applied on top


def meanwhile(subject: str, whole: Any, seen: int, reader: Any) -> Meanwhile | None:
    """Find out who changed it since a version was seen; None where that is still the present one.

    ``reader`` is the user who is told.
    """
    if whole.version == seen:
        return None
    last = _later(subject, whole, seen).first()
    own = last is not None and last.actor_id == reader.pk
    return Meanwhile(seen, whole.version, last, own)


def meet(subject: str, whole: Any, since: Meanwhile, mine: Document | None) -> Meeting:
    """Compare what is stored and what was typed with what both began from."""
    present = document(subject, whole)
    later = _later(subject, whole, since.old)
    base = later.order_by("version").values_list("before", flat=True).first()
    if base is None:
        return Meeting(since)
    meeting = Meeting(since, True, differences(base, present), mine is not None)
    if mine is not None:
        meeting.wanted = changed_by(base, present, mine)
        meeting.both = [
            label(name) for name in meeting.wanted if not same(base[name], present[name])
        ]
    return meeting


def _later(subject: str, whole: Any, seen: int) -> QuerySet[Revision]:
    found: QuerySet[Revision] = Revision.objects.filter(
        subject=subject, key=whole.key, version__gt=seen
    )
    return found


def changed_by(base: Document, present: Document, mine: Document) -> Document:
    """Return what one of two people changed, and the other did not change to the same."""
    return {
        name: value
        for name, value in mine.items()
        if name in base and not any(_same(name, value, each.get(name)) for each in (base, present))
    }


def _same(name: str, one: Any, other: Any) -> bool:
    return same(one, other) or (name in FIELDS and survives(FIELDS[name], one, other))


def document(subject: str, whole: Any) -> Document:
    """Write a flag or segment down, as it is stored now."""
    found: Document = READERS[subject](state.alias(), [whole.pk])[whole.pk][2]
    return found


def apply(subject: str, whole: Any, wanted: Document) -> None:
    """Make a flag or segment what was wanted of it; the rest stays. Inside ``change()``."""
    WRITERS[subject](whole, wanted)


def without_gone(data: QueryDict, formsets: Iterable[Any]) -> QueryDict:
    """Make rows that somebody else has deleted new ones, so that what was typed there counts."""
    mended = data.copy()
    for formset in formsets:
        _mend(mended, formset.prefix, {str(row.pk) for row in formset.get_queryset()})
    return mended


def _mend(data: QueryDict, prefix: str, there: set[str]) -> None:
    total = data.get(f"{prefix}-TOTAL_FORMS") or ""
    if not (total.isascii() and total.isdecimal()) or int(total) > 1000:
        return
    rows = [_row(data, f"{prefix}-{position}-") for position in range(int(total))]
    kept = [row for row in rows if row.get("id", [""])[-1] in there]
    new = [{**row, "id": [""]} for row in rows if row.get("id", [""])[-1] not in there]
    for position, row in enumerate([*kept, *new]):
        for name, values in row.items():
            data.setlist(f"{prefix}-{position}-{name}", values)
    data[f"{prefix}-INITIAL_FORMS"] = str(len(kept))


def _row(data: QueryDict, start: str) -> dict[str, list[str]]:
    names = [name for name in data if name.startswith(start)]
    return {name.removeprefix(start): data.pop(name) for name in names}
