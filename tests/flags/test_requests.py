"""``request.flags``: one answer for a request, whoever its user becomes in its course."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import login, logout
from django.contrib.auth.models import AnonymousUser, Group, User
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.decorators import api_view, authentication_classes
from rest_framework.request import Request
from rest_framework.response import Response

import flaggate
from flaggate import changes
from flaggate.middleware import FlagsMiddleware
from tests.fixtures import a_request, released, targeted

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class ByHeader(BaseAuthentication):
    """Believe the header; authentication that happens inside the view, as with a token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        name = request.headers.get("user")
        return (User.objects.get(username=name), None) if name else None

    def authenticate_header(self, request: Request) -> str:
        return "Header"


@api_view()
@authentication_classes([ByHeader])
def in_the_view(request: Request) -> Response:
    return Response(
        {
            "request.flags": request.flags.is_active("for_ada"),
            "flags_for": flaggate.is_active("for_ada", request),
            "before": request._request.before,
        }
    )


def log_in(request: HttpRequest) -> HttpResponse:
    before = request.flags.is_active("for_ada"), request.flags.is_active("by_visitor")
    login(request, User.objects.get(username="ada"))
    during = request.flags.is_active("for_ada"), request.flags.is_active("by_visitor")
    logout(request)
    after = request.flags.is_active("for_ada"), request.flags.is_active("by_visitor")
    assert before[1] == during[1] == after[1]
    return HttpResponse(f"{before[0]} {during[0]} {after[0]}")


urlpatterns = [path("api/", in_the_view), path("login/", log_in)]


class AskEarly:
    """Middleware that asks before the view does, and before anybody has authenticated."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        request.before = flaggate.is_active("for_ada", request)
        return self.get_response(request)


@pytest.fixture
def ada() -> User:
    created: User = User.objects.create_user("ada")
    return created


@pytest.fixture(autouse=True)
def _flags(ada: User) -> None:
    targeted("for_ada", ("username", "one_of", ["ada"]))
    released("by_visitor", percentage=50, bucket_by="visitor")


def test_a_request_keeps_the_snapshot_that_it_began_with():
    request = a_request()
    assert flaggate.is_active("for_ada", request) is False
    flags = request.flags
    assert flaggate.flags_for(request) is flags
    assert flaggate.flags_for(Request(request)) is flags


def test_a_request_without_the_middleware_gets_its_flags_when_first_asked():
    request = RequestFactory().get("/")
    assert flaggate.is_active("by_visitor", request) in (True, False)
    assert isinstance(request.flags, flaggate.Flags)


def test_a_request_without_a_user_is_a_visitor():
    request = RequestFactory().get("/")
    assert not flaggate.is_active("for_ada", request)
    assert flaggate.flags_for(request).context.targeting_key


def test_something_else_that_is_called_flags_does_not_stand_in_the_way():
    request = a_request()
    request.flags = {"of": "another package"}
    assert flaggate.is_active("for_ada", request) is False


def test_who_asks_before_the_middleware_asks_the_same_flags(ada):
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request.flags)
        return HttpResponse()

    request = a_request()
    early = flaggate.flags_for(request)
    early.is_active("by_visitor")
    response = FlagsMiddleware(view)(request)
    assert seen == [early]
    assert "flaggate_visitor" in response.cookies


def test_login_and_logout_change_the_answer_within_the_request(client):
    assert client.get("/login/").content == b"False True False"


@pytest.mark.parametrize("ask", ["is_active", "variant", "value", "evaluate", "all", "explain"])
def test_every_question_is_about_the_present_user(ask, ada):
    def answer() -> Any:
        found = getattr(flags, ask)(*([] if ask == "all" else ["for_ada"]))
        return {
            "all": lambda: found["for_ada"].active,
            "explain": lambda: found.evaluation.active,
            "evaluate": lambda: found.active,
        }.get(ask, lambda: found)()

    request = a_request()
    flags = flaggate.flags_for(request)
    outside = answer()
    request.user = ada
    inside = answer()
    request.user = AnonymousUser()
    assert answer() == outside
    assert (outside, inside) == ((None, None) if ask == "variant" else (False, True))


def test_the_groups_of_one_user_are_not_the_next_ones(ada):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    ada.groups.add(Group.objects.create(name="beta"))
    request = a_request(user=ada)
    assert flaggate.is_active("for_beta", request)
    request.user = User.objects.create_user("grace")
    assert not flaggate.is_active("for_beta", request)


def test_the_rest_framework_authenticates_late_and_is_believed(client, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.AskEarly"]
    assert client.get("/api/", headers={"user": "ada"}).json() == {
        "request.flags": True,
        "flags_for": True,
        "before": False,
    }
    assert client.get("/api/").json()["request.flags"] is False


def test_a_request_sees_what_its_own_transaction_has_written():
    request = a_request()
    assert not flaggate.is_active("new_checkout", request)
    released("new_checkout")
    assert flaggate.is_active("new_checkout", request)
    assert "new_checkout" in request.flags
    assert "new_checkout" in request.flags.all()
    changes.disable("new_checkout")
    assert not flaggate.is_active("new_checkout", request)


# --- What a steady request costs ---


class Untouchable:
    """A cache that nobody may ask."""

    def __init__(self, location: str, params: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the cache was asked to {name}")


@pytest.mark.django_db(transaction=True)
@override_settings(
    CACHES={"default": {"BACKEND": f"{__name__}.Untouchable"}},
    FLAGGATE={"MAX_STALENESS": 3600, "RECORD_USAGE": True},
)
def test_twenty_checks_in_a_steady_request_cost_no_query_and_no_cache_call(
    django_assert_num_queries,
):
    def view(request: HttpRequest) -> HttpResponse:
        for key in ("for_all", "half", "by_visitor", "for_42"):
            for _ in range(5):
                request.flags.is_active(key)
        return HttpResponse()

    released("for_all")
    released("half", percentage=50)
    targeted("for_42", ("targeting_key", "one_of", ["42"]))
    respond = FlagsMiddleware(view)
    respond(a_request())
    with django_assert_num_queries(0):
        response = respond(a_request())
    assert response.status_code == 200
