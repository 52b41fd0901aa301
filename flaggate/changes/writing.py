"""From a document back to rows: what reverting, copying and the API write.

A document is that of ``flaggate.models.documents``, of the right types. To be called inside
``change()``, which judges the result as a whole.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from flaggate.changes.differences import same
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.exceptions import ChangeRefused, Invalid
from flaggate.models import (
    Condition,
    Flag,
    Prerequisite,
    Rollout,
    Rule,
    Segment,
    SegmentMember,
    Stage,
    Variant,
    documents,
    state,
)
from flaggate.models.revisions import named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flaggate.models.documents import Document


def write_flag(flag: Flag, document: Document) -> None:
    """Make a flag what a document says; what the document leaves out stays as it is.

    Raises Invalid where it names a segment or a flag that does not exist.
    """
    changed = _changed(flag, document)
    _set_columns(flag, changed)
    if changed:
        flag.save()
    _write_parts(flag, changed)


def write_flags(wanted: Mapping[Flag, Document]) -> None:
    """Do the same for many flags, those of which the same columns change by one statement.

    Raises Invalid where one names a segment or a flag that does not exist.
    """
    alike: dict[tuple[str, ...], list[Flag]] = {}
    for flag, document in wanted.items():
        changed = _changed(flag, document)
        alike.setdefault(_set_columns(flag, changed), []).append(flag)
        flag.modified = timezone.now()
        _write_parts(flag, changed)
    for columns, flags in alike.items():
        # Flags of which only parts change are written, too: their "modified" does.
        Flag.objects.using(state.alias()).bulk_update(flags, [*columns, "modified"])


def _changed(flag: Flag, document: Document) -> Document:
    current = documents.of_flag(flag)
    return {name: value for name, value in document.items() if not same(value, current.get(name))}


def _set_columns(flag: Flag, changed: Document) -> tuple[str, ...]:
    """Set what is a column, and return the names of those."""
    columns = tuple(name for name in changed if name in documents.PLAIN or name in FIELDS)
    for name in columns:
        setattr(flag, name, FIELDS.get(name, _as_is)(changed[name]))
    return columns


def _write_parts(flag: Flag, changed: Document) -> None:
    for name, write in PARTS_OF_FLAG.items():
        if name in changed:
            write(flag, changed[name])


def _as_is(value: Any) -> Any:
    return value


def write_segment(segment: Segment, document: Document) -> None:
    """Make a segment what a document says; what the document leaves out stays as it is.

    Raises ChangeRefused where the document only counts the members that it should name.
    """
    current = documents.of_segment(segment)
    changed = {
        name: value for name, value in document.items() if not same(value, current.get(name))
    }
    for name in ("name", "description", "match", "on_demand"):
        if name in changed:
            setattr(segment, name, changed[name])
    if changed:
        segment.save()
    if "conditions" in changed:
        segment.conditions.all().delete()
        Condition.objects.bulk_create(
            Condition(segment=segment, **each) for each in changed["conditions"]
        )
    for name in ("included", "excluded"):
        if name in changed:
            _write_members(segment, changed[name], excluded=name == "excluded")


def _write_members(segment: Segment, keys: Any, *, excluded: bool) -> None:
    if not isinstance(keys, list):
        raise ChangeRefused(
            Message(
                "%(name)s: its revision counts %(count)s members and does not name them. "
                "Add or remove members instead.",
                name=named("segment", segment.key),
                count=keys["count"],
            )
        )
    segment.members.filter(excluded=excluded).delete()
    SegmentMember.objects.bulk_create(
        SegmentMember(segment=segment, targeting_key=key, excluded=excluded) for key in keys
    )


def _variants(flag: Flag, entries: list[Document]) -> None:
    flag.variants.all().delete()
    Variant.objects.bulk_create(
        Variant(flag=flag, order=order, **each) for order, each in enumerate(entries)
    )


def _rules(flag: Flag, entries: list[Document]) -> None:
    flag.rules.all().delete()
    for order, each in enumerate(entries):
        segments = [
            _named(Segment, flag, key, f"rules[{order}].segments[{place}]")
            for place, key in enumerate(each["segments"])
        ]
        rule = Rule.objects.create(
            flag=flag,
            order=order,
            percentage=_percentage(each["percentage"]),
            variant=each["variant"],
        )
        rule.segments.set(segments)


def _prerequisites(flag: Flag, entries: list[Document]) -> None:
    flag.prerequisites.all().delete()
    Prerequisite.objects.bulk_create(
        Prerequisite(
            flag=flag,
            required=_named(Flag, flag, each["flag"], f"prerequisites[{place}].flag"),
            variant=each["variant"],
        )
        for place, each in enumerate(entries)
    )


def _stages(flag: Flag, entries: list[Document]) -> None:
    flag.stages.all().delete()
    Stage.objects.bulk_create(
        Stage(
            flag=flag,
            order=order,
            percentage=_percentage(each["percentage"]),
            holds=None if each["holds"] is None else timedelta(seconds=each["holds"]),
        )
        for order, each in enumerate(entries)
    )


def _rollout(flag: Flag, entry: Document | None) -> None:
    Rollout.objects.filter(flag=flag).delete()
    if entry is not None:
        times = {name: _moment(moment) for name, moment in entry.items()}
        Rollout.objects.create(flag=flag, **times)


def _named(model: type[Any], flag: Flag, key: str, path: str) -> Any:
    found = model.objects.filter(key=key).first()
    if found is None:
        problem = (
            Message("there is no flag %(key)r. Create it first.", key=key)
            if model is Flag
            else Message("there is no segment %(key)r. Create it first.", key=key)
        )
        raise Invalid(named("flag", flag.key), [Problem(path, problem)])
    return found


def _percentage(number: float | int | str) -> Decimal:
    return Decimal(str(number))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


FIELDS: dict[str, Callable[[Any], Any]] = {
    "percentage": _percentage,
    "active_from": _moment,
    "active_until": _moment,
    "archived_at": _moment,
    "expires_on": _day,
}

PARTS_OF_FLAG: dict[str, Callable[[Flag, Any], None]] = {
    "variants": _variants,
    "rules": _rules,
    "prerequisites": _prerequisites,
    "stages": _stages,
    "rollout": _rollout,
}
