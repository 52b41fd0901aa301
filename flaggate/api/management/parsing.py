"""Request bodies: JSON in the strict sense, of bounded size and depth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from flaggate.core import validation

if TYPE_CHECKING:
    from collections.abc import Mapping


class TooLarge(APIException):
    """A body of more bytes than the project takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = (
        "The body is larger than DATA_UPLOAD_MAX_MEMORY_SIZE allows. Send it in several requests."
    )


class LengthRequired(APIException):
    """A body whose length was not said, which Django passes on as an empty one, or not at all."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "The body came in chunks. Send it in one piece, with its Content-Length."


class StrictJSONParser(BaseParser):
    """Reads JSON without repeated names, NaN, half characters or depths that nobody can store."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            document = json.loads(
                _read(stream), object_pairs_hook=_named_once, parse_constant=_refuse
            )
        except RecursionError:
            raise ParseError("The body is nested too deep. Flatten it.") from None
        except ValueError as error:
            raise ParseError(f"The body is no JSON: {error}.") from None
        if problem := validation.unstorable(document):
            raise ParseError(f"The body {problem}")
        return document


def _read(stream: Any) -> str:
    limit: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = stream.read() if limit is None else stream.read(limit + 1)
    if limit is not None and len(body) > limit:
        raise TooLarge
    return body.decode("utf-8")


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return document


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")
