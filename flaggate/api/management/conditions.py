"""Changes on condition: ``ETag``, ``If-Match``, and what is asked of critical flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.http import parse_etags
from rest_framework import status

from flaggate.api.management.errors import Refused

if TYPE_CHECKING:
    from rest_framework.request import Request

    from flaggate.models import Flag, Segment


MOST_DIGITS = 20
MOST_SHOWN = 60  # characters


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def expected(request: Request, row: Flag | Segment, *, critical: bool) -> dict[Any, int]:
    """Return which version a change expects, as ``change()`` takes it; to be asked under its lock.

    Raises Refused where a critical flag would be changed unseen.
    """
    header = request.headers.get("If-Match")
    if header is None:
        if critical:
            raise Refused(
                f"{row.key} is critical: send If-Match with the ETag that you have seen, or *.",
                status.HTTP_428_PRECONDITION_REQUIRED,
            )
        return {}
    # A proxy that compresses an answer makes its tag a weak one; it names the same version.
    tags = [tag.removeprefix("W/").strip('"') for tag in parse_etags(header)]
    if "*" in tags:
        return {}
    versions = [int(tag) for tag in tags if tag.isdecimal() and len(tag) < MOST_DIGITS]
    if not versions:
        raise Refused(
            f"If-Match: {header[:MOST_SHOWN]!r} names no version of {row.key}. "
            "Load it again, and send its ETag as it is; or *.",
            status.HTTP_412_PRECONDITION_FAILED,
        )
    seen = row.version if row.version in versions else versions[0]
    return {(type(row)._meta.model_name, row.key): seen}
