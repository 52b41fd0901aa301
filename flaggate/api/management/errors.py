"""What was refused, as answers: which status, and where in the body the problem is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError
from django.db.models import ProtectedError
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.settings import api_settings

from flaggate.api.management.fields import MOST_NAMED
from flaggate.exceptions import (
    ChangeRefused,
    Conflict,
    Invalid,
    NotPermitted,
    UnknownFlag,
    UnknownSegment,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# The first that fits.
STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (NotPermitted, status.HTTP_403_FORBIDDEN),
    (Conflict, status.HTTP_412_PRECONDITION_FAILED),
    (UnknownFlag, status.HTTP_404_NOT_FOUND),
    (UnknownSegment, status.HTTP_404_NOT_FOUND),
    (ChangeRefused, status.HTTP_409_CONFLICT),
    (ProtectedError, status.HTTP_409_CONFLICT),
)


class Refused(APIException):
    """A request that can't be done as it stands."""

    def __init__(self, detail: Any, code: int) -> None:
        super().__init__(detail)
        self.status_code = code


def answerable(error: Exception) -> Exception:
    """Return an error as one that REST framework answers; others as they are."""
    if isinstance(error, ValidationError):
        return invalid(list(_problems(error.detail)))
    if isinstance(error, Invalid):
        return invalid([(each.path, each.message) for each in error.problems])
    for kind, code in STATUSES:
        if isinstance(error, kind):
            return Refused(str(error.args[0]), code)
    if isinstance(error, IntegrityError):
        return Refused(
            "What is stored contradicts this, such as a key that differs in upper and lower case "
            "only. Load it again, and choose another key.",
            status.HTTP_409_CONFLICT,
        )
    return error


def invalid(problems: list[tuple[str, str]]) -> Refused:
    """Return the answer to a body with problems, each at its path: ``rules[1].segments[0]``.

    It names the first ones only, so that it can't be many times as large as what was sent.
    """
    errors = [{"path": path, "message": message} for path, message in problems[:MOST_NAMED]]
    return Refused({"errors": errors}, status.HTTP_400_BAD_REQUEST)


def _problems(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Walk through REST framework's nested errors."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _problems(inner, _below(path, name))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, (dict, list))
            yield from _problems(inner, f"{path}[{place}]" if nested else path)
    else:
        yield path, str(detail)


def _below(path: str, name: Any) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return path
    return f"{path}.{name}" if path else str(name)
