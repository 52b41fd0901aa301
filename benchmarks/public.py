"""What a project calls: through the middleware, with everything that is recorded."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.functional import SimpleLazyObject

import database
import flaggate
from definitions import SEGMENTS, mixed
from flaggate.flags import pin
from flaggate.middleware import FlagsMiddleware
from flaggate.models import state
from flaggate.store import store
from floors import FLOOR
from measure import Subject
from project import CountedCache

CHECKS = [f"flag_{number}" for number in range(20)]
ON, PERCENTAGE, TWO_RULES = "flag_1", "flag_2", "flag_8"

# A request keeps its flags; without them it is like another one.
FRESH, FRESH_LAZY = "passing.flags = None", "lazy.flags = None"

RESPONSE = HttpResponse()


def checking(request: HttpRequest) -> HttpResponse:
    """Answer after checks of twenty flags."""
    flags = request.flags  # type: ignore[attr-defined]
    for key in CHECKS:
        flags.is_active(key)
    return RESPONSE


def idle(request: HttpRequest) -> HttpResponse:
    """Answer at once."""
    return RESPONSE


def of_user(*, lazy: bool = False) -> HttpRequest:
    """Return the request of a user, perhaps as AuthenticationMiddleware sets it: not read yet."""
    request = RequestFactory().get("/checkout/")
    user = User(pk=42, username="somebody", email="somebody@example.com")
    request.user = cast("User", SimpleLazyObject(lambda: user)) if lazy else user
    return request


def subjects() -> tuple[list[Subject], list[Subject]]:
    """Return what has a target, and what is there for orientation, on 200 stored flags."""
    database.replace(mixed(200), SEGMENTS)
    request = of_user()
    names: dict[str, Any] = {
        "flaggate": flaggate,
        "request": request,
        "user": request.user,
        "flags": pin(request),
        "passing": of_user(),
        "lazy": of_user(lazy=True),
        "idle": idle,
        "through": FlagsMiddleware(idle),
        "checked": FlagsMiddleware(checking),
        "store": store,
        "read": state.read,
    }
    _assert_steady(names["checked"], names["passing"])
    return _targeted(names), _around(names)


def _assert_steady(checked: Any, request: HttpRequest) -> None:
    checked(request)
    request.flags = None  # type: ignore[attr-defined]
    CountedCache.calls = 0
    with CaptureQueriesContext(connection) as queries:
        checked(request)
    assert len(queries) == 0, queries.captured_queries
    assert CountedCache.calls == 0


def _targeted(names: dict[str, Any]) -> list[Subject]:
    return [
        Subject(
            "request.flags.is_active(key), a percentage",
            f"request.flags.is_active({PERCENTAGE!r})",
            names,
            FLOOR,
            5,
        ),
        Subject("a view", f"{FRESH}; idle(passing)", names),
        Subject(
            "20 checks and the middleware add to a view",
            f"{FRESH}; checked(passing)",
            names,
            at_most=25_000,
            without="a view",
        ),
        Subject("flags.all(), 200 mixed flags", "flags.all()", names, at_most=60_000),
    ]


def _around(names: dict[str, Any]) -> list[Subject]:
    """Statements, and what is to be taken off their time."""
    is_active = "request.flags.is_active"
    statements = (
        ("request.flags.is_active(key), on", f"{is_active}({ON!r})", ""),
        ("request.flags.is_active(key), two rules", f"{is_active}({TWO_RULES!r})", ""),
        ("request.flags.is_active(key), unknown", f"{is_active}('nonsense')", ""),
        ("flaggate.is_active(key, request)", f"flaggate.is_active({PERCENTAGE!r}, request)", ""),
        ("flaggate.is_active(key, user)", f"flaggate.is_active({PERCENTAGE!r}, user)", ""),
        ("flaggate.is_active(key, 42)", f"flaggate.is_active({PERCENTAGE!r}, 42)", ""),
        ("flags.explain(key), two rules", f"flags.explain({TWO_RULES!r})", ""),
        ("20 checks add, where the user is lazy", f"{FRESH_LAZY}; checked(lazy)", "a view"),
        ("the middleware adds, without checks", f"{FRESH}; through(passing)", "a view"),
        ("store.current(), not due", "store.current()", ""),
        ("read the state row, once a second", "read('default')", ""),
    )
    return [
        Subject(name, statement, names, without=without) for name, statement, without in statements
    ]
