"""Changes of any number of flags by their keys, in about as many queries as one of them takes.

All take the keyword arguments of ``change()``: actor, source, comment, expected_versions.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NoReturn

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from flaggate.changes.change import change
from flaggate.changes.writing import write_flags
from flaggate.core import validation
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.exceptions import ChangeRefused, Invalid, UnknownFlag
from flaggate.models import Flag, Revision, documents, state
from flaggate.models.revisions import named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def enable(keys: Collection[str], **how: Any) -> None:
    """Turn flags on. Raises UnknownFlag, ChangeRefused and Invalid."""
    _write(keys, how, enabled=True)


def disable(keys: Collection[str], **how: Any) -> None:
    """Turn flags off. Never refused for what their rows hold. Raises UnknownFlag."""
    _write(keys, how, even_archived=True, enabled=False)


def rollout(keys: Collection[str], percentage: Decimal | float | int | str, **how: Any) -> None:
    """Set the share of everyone whom no rule catches: percent, 0-100.

    Raises UnknownFlag and ChangeRefused; Invalid while a progressive rollout runs.
    """
    with change(**how):
        number = to_percentage(next(iter(keys), ""), percentage)
        _write(keys, {}, percentage=number)


def archive(keys: Collection[str], **how: Any) -> None:
    """Retire flags: off, and hidden by default. Raises UnknownFlag."""
    since = Coalesce("archived_at", timezone.now())
    _write(keys, how, even_archived=True, archived_at=since)


def restore(keys: Collection[str], **how: Any) -> None:
    """Bring archived flags back, as they were. Raises UnknownFlag and Invalid."""
    _write(keys, how, even_archived=True, archived_at=None)


def undo(keys: Collection[str], **how: Any) -> None:
    """Make flags what they were before their last revisions, as new ones.

    Raises UnknownFlag and ChangeRefused.
    """
    with change(**how) as opened:
        wanted = {}
        for flag, last in _last_changes(keys):
            if last is None or last.version != flag.version or last.before is None:
                raise ChangeRefused(
                    Message(
                        "%(name)s: there is no change that could be undone.",
                        name=named("flag", flag.key),
                    )
                )
            opened.state_percentage(flag.key)
            opened.revert("flag", flag.key, {**documents.of_flag(flag), **last.before})
            wanted[flag] = last.before
        write_flags(wanted)


def _last_changes(keys: Collection[str]) -> Iterator[tuple[Flag, Revision | None]]:
    """Read flags with all their parts, and the last revision of each. Raises UnknownFlag."""
    using = state.alias()
    last = Revision.objects.using(using).filter(subject="flag", key=OuterRef("key"))
    flags = documents.whole_flags(using).filter(key__in=keys)
    found = {flag.key: flag for flag in flags.annotate(last=Subquery(last.values("pk")[:1]))}
    revisions = Revision.objects.using(using).in_bulk(each.last for each in found.values())
    for key in keys:
        if key not in found:
            refuse_unknown(key)
        yield found[key], revisions.get(found[key].last)


def to_percentage(key: str, percentage: Decimal | float | int | str) -> Decimal:
    """Read a percentage, 0-100, as people write it, such as ``5 %``. Raises Invalid.

    ``key`` is the flag that the message names.
    """
    try:
        number = Decimal(str(percentage).strip().removesuffix("%").strip())
    except InvalidOperation:
        problem = Message("%(number)r is no number. Give 0 to 100.", number=percentage)
        problems = [Problem("percentage", problem)]
    else:
        problems = list(validation.percentage_problems("percentage", number))
    if problems:
        raise Invalid(named("flag", key), problems)
    return number


def refuse_unknown(key: str) -> NoReturn:
    """Raise UnknownFlag."""
    raise UnknownFlag(
        Message(
            "There is no flag %(key)r. Check the spelling: upper and lower case differ.", key=key
        )
    )


def refuse_archived(key: str) -> NoReturn:
    """Raise ChangeRefused."""
    raise ChangeRefused(
        Message("%(name)s: is archived. Restore it first.", name=named("flag", key))
    )


def _write(
    keys: Collection[str], how: dict[str, Any], *, even_archived: bool = False, **columns: Any
) -> None:
    with change(**how):
        flags = Flag.objects.using(state.alias()).filter(key__in=keys).order_by()
        archived = dict(flags.values_list("key", "archived_at"))
        for key in keys:
            if key not in archived:
                refuse_unknown(key)
            if archived[key] and not even_archived:
                refuse_archived(key)
        flags.update(modified=timezone.now(), **columns)
