"""The readers of values: what a text, a number, an instant, a version, a network is.

Each returns something comparable, or None for a value that is not of its kind, and never raises.
A condition's stored values are checked by the same reader that compares both sides.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeGuard, TypeVar

from flaggate.core.versions import Precedence, precedence

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]"
    r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)


def is_a(value: object, kind: type[T]) -> TypeGuard[T]:
    """Tell a value's type as ``isinstance`` does, but without asking the value.

    A lazy object claims another's class, and would go and query for it.
    """
    return issubclass(type(value), kind)


def text(value: object) -> str | None:
    """Read a text."""
    if type(value) is str:
        return value
    # Past a subclass's own methods, to the text beneath; so do the readers below.
    return str.__str__(value) if is_a(value, str) else None


def folded(value: object) -> str | None:
    """Read a text without its case."""
    found = text(value)
    return None if found is None else found.casefold()


def number(value: object) -> int | Decimal | None:
    """Read a finite number.

    A float is the number it is written as: ``Decimal("19.99")`` is 19.99, as it is in JSON.
    """
    if type(value) is int:
        return value
    if is_a(value, int):
        return None if is_a(value, bool) else int.__int__(value)
    if is_a(value, float):
        found = Decimal(float.__repr__(value))
    elif is_a(value, Decimal):
        found = Decimal(value)
    else:
        return None
    return found if found.is_finite() else None


def instant(value: object) -> int | Decimal | None:
    """Read a moment, as nanoseconds since 1970 UTC.

    It is an aware datetime, an RFC 3339 text with its zone, or a number of milliseconds since 1970
    UTC. What a text says beyond nanoseconds is cut off.
    """
    if is_a(value, datetime):
        return _moment(value)
    if (written := text(value)) is not None:
        return _rfc3339(written)
    milliseconds = number(value)
    if isinstance(milliseconds, Decimal):
        return milliseconds.scaleb(6, _EXACT)
    return None if milliseconds is None else milliseconds * 1_000_000


def _moment(moment: datetime) -> int | None:
    try:
        return datetime.__sub__(moment, _EPOCH) // _MICROSECOND * 1000
    except Exception:  # naive, or a time zone of somebody's own that fails
        return None


def _rfc3339(written: str) -> int | None:
    found = _RFC3339.fullmatch(written)
    if found is None:
        return None
    day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = found.groups("")
    try:
        days = date.fromisoformat(day).toordinal() - _EPOCH.toordinal()
    except ValueError:  # the 30th of February, or the year 0
        return None
    minutes = (days * 24 + int(hour)) * 60 + int(minute)
    if sign:
        minutes -= int(sign + offset_hours) * 60 + int(sign + offset_minutes)
    # A leap second, :60, is the first second of the next minute, as on a POSIX clock.
    return (minutes * 60 + int(second)) * 10**9 + int(f"{fraction:0<9.9}")


def version(value: object) -> Precedence | None:
    """Read a version, as what orders it."""
    written = text(value)
    return None if written is None else precedence(written)


def network(value: object) -> IPv4Network | IPv6Network | None:
    """Read an IPv4 or IPv6 network; host bits are allowed."""
    try:
        return ip_network(text(value) or "", strict=False)
    except ValueError:
        return None


def addresses(value: object) -> tuple[IPv4Address | IPv6Address, ...]:
    """Read an IP address; one that maps IPv4 into IPv6 (``::ffff:10.0.0.1``) stands for both."""
    try:
        address = ip_address(text(value) or "")
    except ValueError:
        return ()
    mapped = getattr(address, "ipv4_mapped", None)
    return (address, mapped) if mapped else (address,)
