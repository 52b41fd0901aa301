"""Flags and segments for tests, written the way a project writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory

from flaggate import changes
from flaggate.models import Flag, Segment
from flaggate.signals import outcome_tracked

Condition = tuple[str, str, list[Any]]


def released(key: str = "new_checkout", **fields: Any) -> Flag:
    """Create a flag that is on: for everybody, unless the fields say otherwise."""
    return changes.create(key, enabled=True, **fields)


def targeted(key: str, *conditions: Condition, percentage: int = 0, **fields: Any) -> Flag:
    """Create a flag for those who meet all conditions; ``percentage`` is everyone else's."""
    with changes.change():
        flag = released(key, percentage=percentage, **fields)
        flag.rules.create(percentage=100).segments.add(segment(f"{key}.audience", *conditions))
    return flag


def segment(key: str, *conditions: Condition, included: Iterable[str] = ()) -> Segment:
    """Create a segment of those who meet all conditions, and of those included."""
    with changes.change():
        created: Segment = Segment.objects.create(key=key)
        for attribute, operator, values in conditions:
            created.conditions.create(attribute=attribute, operator=operator, values=values)
        for targeting_key in included:
            created.members.create(targeting_key=targeting_key)
    return created


def layouts(key: str = "price_layout", **fields: Any) -> Flag:
    """Create a flag that serves ``compact`` to everybody; there is a ``wide`` as well."""
    return released(key, variants=[("compact", {"columns": 4}, 1), ("wide", 2, 0)], **fields)


def a_request(path: str = "/", user: Any = None, **environment: Any) -> HttpRequest:
    """Build a request as it looks after the middleware of sessions and of authentication."""
    request = RequestFactory().get(path, **environment)
    request.session = SessionStore()
    request.user = AnonymousUser() if user is None else user
    return request


@pytest.fixture
def outcomes() -> Iterator[list[dict[str, Any]]]:
    """What receivers of tracked outcomes were told."""

    def hear(sender: Any, **sent: Any) -> None:
        heard.append(sent)

    heard: list[dict[str, Any]] = []
    outcome_tracked.connect(hear)
    yield heard
    outcome_tracked.disconnect(hear)
