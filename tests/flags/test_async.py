"""Flags inside an event loop: load once, then plain computing; and what happens without."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, override_settings
from django.urls import path
from django.utils.functional import SimpleLazyObject

import flaggate
from flaggate.context import hooks
from flaggate.exceptions import ContextNotLoaded
from flaggate.middleware import FlagsMiddleware
from tests.fixtures import a_request, released, targeted

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


async def loading(request: HttpRequest) -> HttpResponse:
    flags = await flaggate.aflags_for(request)
    assert flags is request.flags
    assert asyncio.get_running_loop().is_running()
    return HttpResponse(str(flags.is_active("for_beta")))


async def hasty(request: HttpRequest) -> HttpResponse:
    answer = request.flags.evaluate("for_beta")
    return HttpResponse(f"{answer.active} {answer.error}")


def in_a_thread(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.flags.is_active("for_beta")))


urlpatterns = [path("loading/", loading), path("hasty/", hasty), path("thread/", in_a_thread)]


@pytest.fixture
def ada() -> User:
    created: User = User.objects.create_user("ada")
    created.groups.add(Group.objects.create(name="beta"))
    return created


@pytest.fixture
def browser(ada: User) -> Callable[[str], str]:
    """A browser of a server that speaks ASGI, with ada logged in."""
    client = AsyncClient()
    client.force_login(ada)

    def get(url: str) -> str:
        return async_to_sync(client.get)(url).content.decode()

    return get


def in_loop(ask: Callable[[], Any]) -> Any:
    """Ask inside a running event loop."""

    async def asking() -> Any:
        return ask()

    return async_to_sync(asking)()


def loaded(subject: Any) -> flaggate.Flags:
    flags: flaggate.Flags = async_to_sync(flaggate.aflags_for)(subject)
    return flags


# --- Views under ASGI ---


def test_an_async_view_that_loads_first_may_ask_for_groups(browser):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    assert browser("/loading/") == "True"


def test_a_sync_view_under_asgi_needs_no_loading(browser):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    assert browser("/thread/") == "True"


def test_an_async_view_that_did_not_load_gets_an_error_that_is_logged_once(browser, caplog):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    assert browser("/hasty/") == "False CONTEXT_NOT_LOADED"
    assert browser("/hasty/") == "False CONTEXT_NOT_LOADED"
    assert caplog.messages == [
        "The flag 'for_beta' can't be evaluated: The attribute 'groups' can't be read inside an "
        "event loop. Use `await aflags_for(request)` first."
    ]


def test_an_async_view_that_did_not_load_may_ask_what_needs_no_user(browser):
    released("for_beta")
    assert browser("/hasty/") == "True None"


@override_settings(FLAGGATE={"STRICT": True})
def test_under_the_strict_setting_what_was_not_loaded_raises(browser):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    with pytest.raises(ContextNotLoaded, match="'groups' can't be read inside an event loop"):
        browser("/hasty/")


def test_what_was_not_loaded_can_still_be_loaded(ada):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    request = a_request(user=SimpleLazyObject(lambda: User.objects.get(pk=ada.pk)))
    flags = flaggate.flags_for(request)
    assert in_loop(lambda: flags.evaluate("for_beta").error) == "CONTEXT_NOT_LOADED"
    assert loaded(request) is flags
    assert in_loop(lambda: flags.is_active("for_beta"))


# --- What is loaded ---


@pytest.fixture
def queries() -> list[str]:
    """Queries made since the fixture, as SQL."""
    made: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        made.append(sql)
        return execute(sql, *rest)

    connection.execute_wrappers.append(note)
    yield made
    connection.execute_wrappers.remove(note)


def test_exactly_the_attributes_that_the_flags_use_are_loaded(ada, queries):
    targeted("for_beta", ("groups", "one_of", ["beta"]), ("path", "one_of", ["/"]))
    released("by_language", percentage=50, bucket_by="language")
    request = a_request(user=ada)
    flaggate.flags_for(request)
    queries.clear()
    flags = loaded(request)
    assert set(flags.context.attributes) - {"now", "is_authenticated"} == {
        "groups",
        "path",
        "language",
    }
    assert len(queries) == 1
    assert "auth_group" in queries[0]


def test_flags_that_ask_nothing_load_nothing(ada):
    released("for_all")

    def explode() -> User:
        raise AssertionError("somebody read the user")

    flags = loaded(a_request(user=SimpleLazyObject(explode)))
    assert flags.is_active("for_all")


def test_after_loading_no_question_makes_a_query(ada, queries):
    targeted("for_beta", ("groups", "one_of", ["beta"]), ("is_staff", "one_of", [False]))
    released("half", percentage=50)
    request = a_request(user=SimpleLazyObject(lambda: User.objects.get(pk=ada.pk)))
    flags = loaded(request)
    queries.clear()
    assert in_loop(lambda: flags.is_active("for_beta"))
    assert in_loop(lambda: flags.evaluate("half").error) is None
    assert in_loop(lambda: flags.all()["for_beta"].active)
    assert in_loop(lambda: flags.explain("for_beta").evaluation.active)
    assert not queries


def test_users_are_loaded_outside_of_requests_too(ada):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    flags = loaded(SimpleLazyObject(lambda: User.objects.get(pk=ada.pk)))
    assert in_loop(lambda: flags.is_active("for_beta"))


def test_a_lazy_user_in_an_event_loop_is_an_answer_and_not_an_error(ada):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    flags = flaggate.flags_for(SimpleLazyObject(lambda: User.objects.get(pk=ada.pk)))
    assert in_loop(lambda: flags.evaluate("for_beta").error) == "CONTEXT_NOT_LOADED"
    lazy = SimpleLazyObject(lambda: User.objects.get(pk=ada.pk))
    assert in_loop(lambda: flaggate.flags_for(lazy)).is_active("for_beta")


@pytest.mark.parametrize(
    "subject", [1.5, True, object(), []], ids=lambda value: type(value).__name__
)
def test_what_is_no_subject_is_refused(subject):
    with pytest.raises(TypeError, match="is no subject"):
        loaded(subject)


def test_what_was_written_in_this_transaction_is_loaded(ada):
    request = a_request(user=SimpleLazyObject(lambda: User.objects.get(pk=ada.pk)))
    flaggate.flags_for(request)
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    assert loaded(request).context.attributes.keys() >= {"groups"}


def test_an_attribute_that_can_not_be_read_is_logged_once_and_the_others_are_loaded(caplog):
    targeted("for_mail", ("email", "ends_with", ["@example.com"]))
    targeted("for_beta", ("groups", "one_of", ["beta"]))

    class Broken:
        is_authenticated = True
        pk = 7

        @property
        def email(self) -> str:
            raise RuntimeError("no such column")

    for _ in range(2):
        flags = loaded(Broken())
    assert flags.context.attributes["groups"] == []
    assert caplog.messages == ["The attribute 'email' can't be read: no such column"]


# --- Visitors ---


def visit(view: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> HttpResponse:
    response: Any = async_to_sync(FlagsMiddleware(view))(a_request())
    return cast(HttpResponse, response)


def test_loading_alone_makes_no_visitor():
    async def view(request: HttpRequest) -> HttpResponse:
        flags = await flaggate.aflags_for(request)
        return HttpResponse(str(flags.is_active("for_all")))

    released("for_all")
    released("half", percentage=50)
    released("half_of_visitors", percentage=50, bucket_by="visitor")
    response = visit(view)
    assert response.content == b"True"
    assert not response.cookies


@pytest.mark.parametrize("key", ["half", "half_of_visitors"])
def test_a_question_that_needs_the_visitor_makes_one(key):
    async def view(request: HttpRequest) -> HttpResponse:
        flags = await flaggate.aflags_for(request)
        return HttpResponse(str(flags.evaluate(key).error))

    released("half", percentage=50)
    released("half_of_visitors", percentage=50, bucket_by="visitor")
    response = visit(view)
    assert response.content == b"None"
    assert "flaggate_visitor" in response.cookies


def consent_from_the_database(request: HttpRequest) -> bool:
    return not User.objects.filter(username="nobody").exists()


@override_settings(FLAGGATE={"VISITOR_CONSENT": f"{__name__}.consent_from_the_database"})
def test_consent_may_come_from_the_database_if_it_is_loaded():
    async def view(request: HttpRequest) -> HttpResponse:
        hasty = request.flags.evaluate("half").error
        await flaggate.aflags_for(request)
        return HttpResponse(f"{hasty} {request.flags.evaluate('half').error}")

    released("half", percentage=50)
    response = visit(view)
    assert response.content == b"CONTEXT_NOT_LOADED None"
    assert "flaggate_visitor" in response.cookies
    assert not hooks._told


def plan_from_the_database(subject: Any) -> dict[str, Any]:
    return {"plan": "team" if User.objects.filter(username="ada").exists() else "free"}


@override_settings(FLAGGATE={"CONTEXT": f"{__name__}.plan_from_the_database"})
def test_own_attributes_may_come_from_the_database_if_they_are_loaded(ada):
    async def view(request: HttpRequest) -> HttpResponse:
        hasty = request.flags.evaluate("for_teams").error
        await flaggate.aflags_for(request)
        return HttpResponse(f"{hasty} {request.flags.is_active('for_teams')}")

    targeted("for_teams", ("plan", "one_of", ["team"]))
    assert visit(view).content == b"CONTEXT_NOT_LOADED True"
    assert not hooks._told
