"""Flags by their keys, and what to say where there is none."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from flaggate.exceptions import FlaggateError, UnknownFlag
from flaggate.models import Flag, Tombstone, state, wording

if TYPE_CHECKING:
    from django.db.models import QuerySet


class Unreadable(FlaggateError):
    """Rows that somebody wrote by SQL, and that no model can hold."""


def find(key: str) -> Flag:
    """Return a flag with what is said of it. Raises UnknownFlag."""
    found = read(stored().filter(key=key))
    if not found:
        raise UnknownFlag(unknown(key))
    return found[0]


def stored() -> QuerySet[Any]:
    """Return the flags as they are stored, with what is said of them."""
    return Flag.objects.using(state.alias()).prefetch_related(*wording.READS)


def read(flags: QuerySet[Any]) -> list[Flag]:
    """Read flags. Raises Unreadable."""
    try:
        return list(flags)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise Unreadable(
            f"A stored row can't be read: {error}. `manage.py flags doctor` says whose it is."
        ) from error


def unusable(error: object) -> str:
    """Say that the database does not answer."""
    return f"The database can't be used: {error}. `manage.py flags doctor` looks why."


def unknown(key: str) -> str:
    """Say that there is no such flag, and which may have been meant."""
    tombstone = Tombstone.objects.using(state.alias()).filter(key=key).first()
    if tombstone:
        when = wording.moment(tombstone.deleted_at)
        return f"There is no flag {key!r}: it was deleted, {when}."
    keys = Flag.objects.using(state.alias()).values_list("key", flat=True)
    if close := difflib.get_close_matches(key, keys, n=1):
        return f"There is no flag {key!r}. Did you mean {close[0]!r}?"
    return f"There is no flag {key!r}. `manage.py flags list` shows them all."
