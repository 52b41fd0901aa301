"""The values of a condition as lines of text: read as JSON where that is meant, else as text."""

from __future__ import annotations

import json
import re
from typing import Any

from django.utils.translation import gettext as _

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
LINE_END = re.compile(r"\r\n|\r|\n")


def read_lines(text: str) -> list[Any]:
    """Read one value a line; empty lines do not count."""
    return [read(line) for line in map(str.strip, LINE_END.split(text)) if line]


def read(line: str) -> Any:
    """Read a number, true, false or a quoted text as JSON, and anything else as the text it is."""
    if line not in ("true", "false") and line[:1] != '"' and not NUMBER.fullmatch(line):
        return line
    try:
        return json.loads(line)
    except ValueError:  # an open quotation mark, or a number of thousands of digits
        return line


def write_lines(values: Any) -> str:
    """Write values so that reading the lines gives the same values again."""
    if not isinstance(values, list):
        return as_json(values)
    return "\n".join(map(write, values))


def write(value: Any) -> str:
    """Write a value as one line: a text without quotes, unless it would be taken for another."""
    if isinstance(value, str) and read_lines(value) == [value] and encodable(value) == value:
        return value
    return as_json(value)


def described(value: Any) -> str:
    """Say what a line was taken for, such as “number 5”."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return _("number %(value)s") % {"value": json.dumps(value)}
    return _("text “%(value)s”") % {"value": encodable(value)}


def as_json(value: Any, indent: int | None = None) -> str:
    """Write a value as JSON that every page can show."""
    return encodable(json.dumps(value, ensure_ascii=False, indent=indent))


def encodable(text: str) -> str:
    """Escape, as JSON does, half of a surrogate pair, which no page can show."""
    return text.encode("utf-8", "backslashreplace").decode()
