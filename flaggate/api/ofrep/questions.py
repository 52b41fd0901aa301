"""What a client sends: a JSON body with an evaluation context, within limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flaggate.core import bucketing
from flaggate.exceptions import FlaggateError

if TYPE_CHECKING:
    from django.http import HttpRequest

LARGEST = 256 * 1024  # bytes of a body
MOST_ATTRIBUTES = 1_000
DEEPEST = 16  # objects and lists within each other

Context = dict[str, Any]


class InvalidContext(FlaggateError, ValueError):
    """A body that is no question; answered with 400 and INVALID_CONTEXT."""


def context_of(request: HttpRequest) -> Context:
    """Read the evaluation context that a request carries. Raises InvalidContext."""
    body = body_of(request)
    if not isinstance(body, dict) or not isinstance(body.get("context"), dict):
        raise InvalidContext('The body is no object with a "context". Send {"context": {…}}.')
    context: Context = body["context"]
    if len(context) > MOST_ATTRIBUTES:
        raise InvalidContext(f"The context has more than {MOST_ATTRIBUTES:,} attributes.")
    if not isinstance(context.get("targetingKey", ""), str):
        raise InvalidContext("The targetingKey is no text. Send the subject's id as a text.")
    _check(context)
    return context


def body_of(request: HttpRequest, largest: int = LARGEST) -> Any:
    """Read the JSON that a request carries, of at most so many bytes. Raises InvalidContext."""
    return _parsed(_read(request, largest))


def _read(request: HttpRequest, largest: int) -> bytes:
    # Whatever its length is said to be, never more than the limit is taken into memory.
    length = request.META.get("CONTENT_LENGTH") or "0"
    longer = not length.isdecimal() or int(length) > largest
    body = b"" if longer else request.read(largest + 1)
    if longer or len(body) > largest:
        raise InvalidContext(f"The body is larger than {largest // 1024} KiB.")
    if not body and "HTTP_TRANSFER_ENCODING" in request.META:  # which WSGI leaves out
        raise InvalidContext("The body came in chunks. Send it with its Content-Length.")
    return body


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError:
        raise InvalidContext(_too_deep()) from None
    except InvalidContext:
        raise
    except ValueError as error:  # no UTF-8, no JSON, or a number of thousands of digits
        raise InvalidContext(f"The body is no JSON: {error}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):  # two readers would take two different ones for true
        raise InvalidContext("The body has an object with the same name twice.")
    return found


def _no_number(name: str) -> Any:
    raise InvalidContext(f"{name} is no JSON number.")


def _check(value: Any, depth: int = 1) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, (dict, list)):
        if depth > DEEPEST:
            raise InvalidContext(_too_deep())
        for each in value:
            _check(each, depth + 1)
        if isinstance(value, dict):
            for each in value.values():
                _check(each, depth + 1)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise InvalidContext("The context has a text with a NUL character.")
    if not text.isascii() and bucketing.encode(text) is None:
        raise InvalidContext("The context has a text with half of a surrogate pair.")


def _too_deep() -> str:
    return f"The context is nested more than {DEEPEST} deep."
