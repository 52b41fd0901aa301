"""What is said to people: in English here, and translated where Django is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Message(str):
    """An English sentence that keeps what it was made of, so that it can be translated later.

    A text like any other to whoever does not ask for more: logs, commands and JSON.
    """

    __slots__ = ("template", "values")

    #: What catalogues know it by, with ``%(name)s`` where a value stands.
    template: str
    #: What stands there; may be messages, too.
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Message:
        self = super().__new__(cls, template % values)
        self.template, self.values = template, values
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[str], Mapping[str, Any]]:
        return (self.template,), self.values  # a copy is made of the same parts


def joined(messages: Iterable[str], separator: str = " ") -> Message:
    """Put messages one after the other, each to be translated by itself."""
    values = {str(place): message for place, message in enumerate(messages)}
    return Message(separator.join(f"%({place})s" for place in values), **values)


def quoted(value: object) -> str:
    """Write a value as a message shows it: as JSON, of which 60 characters must do."""
    try:
        written = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):  # nothing that JSON knows, or a number too long to write
        written = type(value).__name__
    written = written if len(written) <= 60 else f"{written[:60]}…"
    return written.encode("utf-8", "backslashreplace").decode()


def said(error: BaseException) -> str:
    """Return what an error says: its message as it was made, or any text."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, str) else str(error)
