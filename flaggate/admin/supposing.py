"""If a flag's form were saved: who would get it, beside who gets it now. Nothing is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from flaggate import context, store
from flaggate.admin import asking
from flaggate.admin.asking import SubjectForm
from flaggate.admin.estimating import Estimate, Untold, estimate
from flaggate.admin.steps import sections
from flaggate.core.quarantine import assemble
from flaggate.flags import Flags, flags_for
from flaggate.models import Revision, state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

    from flaggate.admin.steps import Section
    from flaggate.changes.change import Difference
    from flaggate.core.explanation import Explanation
    from flaggate.core.snapshot import Snapshot
    from flaggate.models import Flag
    from flaggate.store import Definitions

ASK = "_ask"  # the button; its value is the primary key of a user, or empty: whom the form names
PREFIX = "asked"
MOST_NAMED = 20  # users of a sample that are listed


@dataclass(frozen=True, slots=True)
class Answer:
    """What one subject gets now and would get, and each step that would lead there."""

    name: str
    rows: list[tuple[str, str, str]]  # what it is, now, and then
    sections: list[Section]


@dataclass(frozen=True, slots=True)
class Supposition:
    """The question who would get a flag, and its answers: for somebody, and for a sample."""

    form: SubjectForm
    answer: Answer | None
    estimate: Estimate | None
    untold: str = ""

    @property
    def counts(self) -> Iterator[tuple[str, int, str]]:
        """Say how many of the sample get it, and would, and in percent."""
        found = self.estimate
        if found is None:
            return
        other = len(found.changed) - found.gained - found.lost
        for words, count in (
            (_("Would get it unchanged") if found.later else _("Get it now"), found.before),
            (_("Would get it"), found.after),
            (_("Would gain it"), found.gained),
            (_("Would lose it"), found.lost),
            (_("Would get something else"), other),
        ):
            yield words, count, asking.percent(count, found.asked)

    @property
    def people(self) -> list[tuple[Any, str, str]]:
        """Some of those for whom something would change: what they get now, and would get."""
        changed = self.estimate.changed if self.estimate else []
        return [
            (user, asking.served(before), asking.served(after))
            for user, before, after in changed[:MOST_NAMED]
        ]


def read(flag: Flag, differing: Iterable[Difference]) -> Definitions:
    """Read a flag, and the segments that change with it, as an open change has written them."""
    segments = {pk for subject, pk, *_ in differing if subject == Revision.Subject.SEGMENT}
    return store.read(state.alias(), flags=[flag.pk], segments=segments)


def supposed(snapshot: Snapshot, found: Definitions) -> Snapshot:
    """Return what a snapshot would be with the flags and segments that were found."""
    read_anew = found.flags.keys() | found.unreadable.keys()
    return assemble(
        {**snapshot.flags, **found.flags},
        {**snapshot.segments, **found.segments},
        unreadable=found.unreadable,
        unreadable_segments=found.unreadable_segments,
        version=None,
        source=snapshot.source,
        loaded_at=None,
        previous=snapshot,
        unchanged=(snapshot.flags.keys() | snapshot.quarantined.keys()) - read_anew,
    )


def suppose(site: AdminSite, request: HttpRequest, key: str, found: Definitions) -> Supposition:
    """Answer for whom the form names, and for a sample, as if what was found were stored."""
    before = flags_for().snapshot
    after = supposed(before, found)
    form = SubjectForm(_named(request), site, request, PREFIX)
    answer = _answer(before, after, key, *form.subject) if form.is_valid() else None
    try:
        return Supposition(form, answer, estimate(before, after, key))
    except Untold as why:
        return Supposition(form, answer, None, str(why))


def _named(request: HttpRequest) -> Any:
    """Return the question, or None while nobody has been asked for."""
    if user := request.POST[ASK]:
        return {f"{PREFIX}-user": user}
    fields = {f"{PREFIX}-{name}" for name in SubjectForm.base_fields}
    return None if fields.isdisjoint(request.POST) else request.POST


def _answer(before: Snapshot, after: Snapshot, key: str, subject: Any, name: str) -> Answer:
    now = datetime.now(UTC)
    with asking.project_language():
        known = context.of_subject(subject, now)
        old, new = (Flags(each, known, now).explain(key) for each in (before, after))
    return Answer(name, list(_rows(old, new)), list(sections(new)))


def _rows(old: Explanation, new: Explanation) -> Iterator[tuple[str, str, str]]:
    yield _("gets"), asking.served(old.evaluation), asking.served(new.evaluation)
    for (what, now), (_what, then) in zip(asking.facts(old), asking.facts(new), strict=True):
        if now or then:
            yield what, now, then
