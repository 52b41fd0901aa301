"""The changes that commands, admin and API share, each by the key of its flag.

All take the keyword arguments of ``change()``: actor, source, comment, expected_versions.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from flaggate.changes import together
from flaggate.changes.change import change
from flaggate.changes.members import add_members
from flaggate.changes.together import refuse_archived, refuse_unknown
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.exceptions import ChangeRefused, Invalid
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
        together.enable([key])
        if people := list(for_keys):
            flag = flag_of(key)
            if not flag.rules.exists() and flag.percentage == 100 and not _rolls_out(flag):
                together.rollout([key], 0)  # "just these people", not these and everyone else
            include(flag, people)
    return flag_of(key)


def disable(key: str, **how: Any) -> Flag:
    """Turn a flag off for everybody. Never refused for what its rows hold. Raises UnknownFlag."""
    together.disable([key], **how)
    return flag_of(key)


def rollout(key: str, percentage: Decimal | float | int | str, **how: Any) -> Flag:
    """Set the share of everyone whom no rule catches: percent, 0-100.

    Raises UnknownFlag and ChangeRefused; Invalid while a progressive rollout runs.
    """
    together.rollout([key], percentage, **how)
    return flag_of(key)


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
    together.archive([key], **how)
    return flag_of(key)


def restore(key: str, **how: Any) -> Flag:
    """Bring an archived flag back, as it was. Raises UnknownFlag and Invalid."""
    together.restore([key], **how)
    return flag_of(key)


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


HOW = frozenset({"actor", "source", "comment", "expected_versions"})


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    fields = {name: value for name, value in options.items() if name not in HOW}
    return fields, {name: value for name, value in options.items() if name in HOW}


def flag_of(key: str) -> Flag:
    """Read a flag for a change. Raises UnknownFlag."""
    flag = Flag.objects.using(state.alias()).filter(key=key).first()
    if flag is None:
        refuse_unknown(key)
    found: Flag = flag
    return found


def unarchived(key: str) -> Flag:
    """Read a flag for a change. Raises UnknownFlag, and ChangeRefused if it is archived."""
    flag = flag_of(key)
    if flag.archived:
        refuse_archived(key)
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
