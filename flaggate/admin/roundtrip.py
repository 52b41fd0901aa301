"""What comes back of a value that a form shows and sends: not all of it.

A moment loses the parts of its seconds, a text the blanks at its ends, and a browser ends lines in
its own way. Who only opens and saves a form must not change what it can't carry.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import DateTimeField

if TYPE_CHECKING:
    from django.db.models import Field


def survives(field: Field[Any, Any], one: Any, other: Any) -> bool:
    """Tell whether two values of a field are the same to a form."""
    sent: Any = _second if isinstance(field, DateTimeField) else _sent
    return bool(sent(one) == sent(other))


def lines(text: str) -> str:
    r"""End the lines of a text with "\n", as they are stored; browsers send "\r\n"."""
    return text.replace("\r\n", "\n")


def _sent(value: Any) -> Any:
    if isinstance(value, str):
        return lines(value).strip()
    if isinstance(value, list):  # tags, which are typed with commas between them
        return [part for text in value for part in map(str.strip, str(text).split(",")) if part]
    return value


def _second(moment: datetime | str | None) -> datetime | None:
    """Cut a moment, or one as documents write it, to whole seconds."""
    if not moment:
        return None
    read = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return read.replace(microsecond=0)
