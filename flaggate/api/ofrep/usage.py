"""What pages have really used. No part of OFREP, whose answers to all flags count nothing.

A browser can say anything, so what it says is counted only if it can be true.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from rest_framework.exceptions import ParseError

from flaggate import recording
from flaggate.api.ofrep import questions
from flaggate.api.ofrep.throttling import UsageThrottle
from flaggate.api.ofrep.views import EvaluationView
from flaggate.flags import pin

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.throttling import BaseThrottle

    from flaggate.core.snapshot import Snapshot

LARGEST = 32 * 1024  # bytes of a body
MOST = 200  # entries of one report


class Usage(EvaluationView):
    """Counts what ``flags.js`` reports."""

    def get_throttles(self) -> list[BaseThrottle]:
        return [UsageThrottle()]

    def post(self, request: Request) -> HttpResponse:
        snapshot = pin(request._request).snapshot
        for flag, variant in _used(request):
            if _plausible(snapshot, flag, variant):
                recording.note(flag, variant)
        recording.flush_if_due()
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _used(request: Request) -> list[tuple[str, str]]:
    """Read a report. Raises ParseError."""
    try:
        body = questions.body_of(request._request, LARGEST)
    except questions.InvalidContext as error:
        raise ParseError(str(error)) from None
    used = body.get("used") if isinstance(body, dict) else None
    if not isinstance(used, list) or len(used) > MOST or not all(map(_is_entry, used)):
        raise ParseError(
            'Send {"used": [{"flag": "…", "variant": "…"}]}, '
            f"with at most {MOST} entries in one report."
        )
    return [(each["flag"], each["variant"]) for each in used]


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {"flag", "variant"}
        and all(isinstance(each, str) for each in entry.values())
    )


def _plausible(snapshot: Snapshot, key: str, variant: str) -> bool:
    """Tell whether a flag may have answered that; what its owner has forced does not count."""
    flag = snapshot.flags.get(key)
    if key not in snapshot.client_keys or flag is None or key in snapshot.overrides:
        return False
    variants = {each.key for each in flag.variants}
    return variant in (variants | {""} if variants else {"on", "off"})
