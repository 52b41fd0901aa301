"""The changes that commands, admin and API share, each by the key of its flag.

All take the keyword arguments of ``change()``: actor, source, comment, expected_versions.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils import timezone

from flaggate.changes.change import change
from flaggate.changes.members import add_members
from flaggate.core import validation
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.exceptions import ChangeRefused, Invalid, UnknownFlag
from flaggate.models import Flag, Rollout, Rule, Segment, Variant, state
from flaggate.models.revisions import named

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


def create(key: str, *, variants: Iterable[tuple[str, Any, int]] = (), **options: Any) -> Flag:
    """Create a flag, off unless ``enabled=True``. Raises Invalid, and ChangeRefused for a used key.

    ``variants`` are tuples of key, value and weight. ``options`` are columns of the flag, and
    arguments of ``change()``.
    """
    fields, how = _split(options)
    with change(**how):
        flag = Flag(key=key, **fields)
        _clean(flag)
        flag.save()
        for order, (name, value, weight) in enumerate(variants):
            variant = Variant(flag=flag, key=name, value=value, weight=weight, order=order)
            _clean(variant, f"variants[{order}].")
            variant.save()
    return fresh(flag)


def enable(key: str, *, for_keys: Iterable[str] = (), **how: Any) -> Flag:
    """Turn a flag on. Raises UnknownFlag, ChangeRefused and Invalid.

    ``for_keys`` includes just these targeting keys, by the segment ``<flag key>.people`` and a rule
    for it on top. If the flag had no rules and was at 100 %, everyone else goes to 0 %.
    """
    with change(**how):
        flag = unarchived(key)
        flag.enabled = True
        flag.save()
        if people := list(for_keys):
            if not flag.rules.exists() and flag.percentage == 100 and not _rolls_out(flag):
                flag.percentage = Decimal(0)  # "just these people", not these and everyone else
                flag.save()
            include(flag, people)
    return fresh(flag)


def disable(key: str, **how: Any) -> Flag:
    """Turn a flag off for everybody. Never refused for what its rows hold. Raises UnknownFlag."""
    with change(**how):
        flag = flag_of(key)
        flag.enabled = False
        flag.save(update_fields=["enabled", "modified"])
    return fresh(flag)


def rollout(key: str, percentage: Decimal | float | int | str, **how: Any) -> Flag:
    """Set the share of everyone whom no rule catches: percent, 0-100.

    Raises UnknownFlag and ChangeRefused; Invalid while a progressive rollout runs.
    """
    with change(**how):
        flag = unarchived(key)
        flag.percentage = to_percentage(flag.key, percentage)
        flag.save()
    return fresh(flag)


def schedule(
    key: str,
    active_from: datetime | None = None,
    active_until: datetime | None = None,
    **how: Any,
) -> Flag:
    """Set from when, and until when, a flag is active at the most: aware datetimes, or None.

    Raises UnknownFlag, ChangeRefused and Invalid.
    """
    with change(**how):
        flag = unarchived(key)
        flag.active_from, flag.active_until = active_from, active_until
        flag.save()
    return fresh(flag)


def archive(key: str, **how: Any) -> Flag:
    """Retire a flag: off, and hidden by default. Raises UnknownFlag."""
    with change(**how):
        flag = flag_of(key)
        flag.archived_at = flag.archived_at or timezone.now()
        flag.save(update_fields=["archived_at", "modified"])
    return fresh(flag)


def restore(key: str, **how: Any) -> Flag:
    """Bring an archived flag back, as it was. Raises UnknownFlag and Invalid."""
    with change(**how):
        flag = flag_of(key)
        flag.archived_at = None
        flag.save()
    return fresh(flag)


def delete(key: str, **how: Any) -> None:
    """Delete a flag for good; its key can't be used again if it was ever enabled.

    Raises UnknownFlag, and ChangeRefused where other flags require it.
    """
    with change(**how):
        flag = flag_of(key)
        if users := sorted(flag.required_by.values_list("flag__key", flat=True)):
            raise ChangeRefused(
                Message(
                    "%(name)s: is required by %(users)s. Remove it there first.",
                    name=named("flag", key),
                    users=", ".join(users),
                )
            )
        flag.delete()


def include(flag: Flag, keys: Iterable[str]) -> None:
    """Keep the segment ``<flag key>.people``, and the rule on top that serves it.

    To be called inside ``change()``.
    """
    segment, _created = Segment.objects.get_or_create(
        key=f"{flag.key}.people", defaults={"name": f"People of {flag.key}"}
    )
    add_members(segment, keys)
    if flag.rules.filter(segments=segment).exists():
        return
    for rule in flag.rules.order_by("-order", "-pk"):
        rule.order += 1
        rule.save()
    Rule.objects.create(flag=flag, order=0, percentage=Decimal(100)).segments.add(segment)


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


HOW = frozenset({"actor", "source", "comment", "expected_versions"})


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    fields = {name: value for name, value in options.items() if name not in HOW}
    return fields, {name: value for name, value in options.items() if name in HOW}


def flag_of(key: str) -> Flag:
    """Read a flag for a change. Raises UnknownFlag."""
    flag = Flag.objects.using(state.alias()).filter(key=key).first()
    if flag is None:
        raise UnknownFlag(
            Message("There is no flag %(key)r. `manage.py flags list` shows them all.", key=key)
        )
    found: Flag = flag
    return found


def unarchived(key: str) -> Flag:
    """Read a flag for a change. Raises UnknownFlag, and ChangeRefused if it is archived."""
    flag = flag_of(key)
    if flag.archived:
        raise ChangeRefused(
            Message(
                "%(name)s: is archived. Restore it first: `flags restore %(key)s`.",
                name=named("flag", key),
                key=key,
            )
        )
    return flag


def _rolls_out(flag: Flag) -> bool:
    return Rollout.objects.using(state.alias()).filter(flag=flag).exists()


def fresh(flag: Flag) -> Flag:
    """Give a flag the version that its change has made."""
    flag.refresh_from_db(fields=["version"])
    return flag


def _clean(row: Flag | Variant, path: str = "") -> None:
    try:
        row.clean_fields(exclude=["flag"])  # which Django would look for in a replica
        row.clean()
        row.validate_unique()
        row.validate_constraints()
    except ValidationError as error:
        flag = row if isinstance(row, Flag) else row.flag
        problems = [
            Problem(path + ("key" if name == NON_FIELD_ERRORS else name), " ".join(messages))
            for name, messages in error.message_dict.items()
        ]
        raise Invalid(named("flag", flag.key), problems) from None
