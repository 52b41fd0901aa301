"""``@flag_required``: who sees the view, and what everybody else gets."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.contrib.auth.models import Group, User
from django.http import Http404, HttpRequest, HttpResponse
from django.test import AsyncClient, override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from flaggate import changes, recording
from flaggate.decorators import flag_required
from flaggate.exceptions import UnknownFlag
from tests.fixtures import a_request, layouts, released, targeted

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def sync_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """The new page."""
    return HttpResponse(f"new {args} {kwargs}")


async def async_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """The new page."""
    return sync_view(request, *args, **kwargs)


def old_sync(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    return HttpResponse(f"old {args} {kwargs}")


async def old_async(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    return old_sync(request, *args, **kwargs)


urlpatterns = [
    path("secret/", flag_required("secret_plan")(sync_view)),
    path("beta/", flag_required("for_beta")(async_view)),
    path("beta/sync/", flag_required("for_beta", otherwise=old_async)(sync_view)),
    path("beta/mixed/", flag_required("for_beta", otherwise=old_sync)(async_view)),
]

both = pytest.mark.parametrize("view", [sync_view, async_view])


def call(view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Call a view in its own mode."""
    if iscoroutinefunction(view):
        view = async_to_sync(view)
    response: HttpResponse = view(a_request(), *args, **kwargs)
    return response


def body(view: Any, *args: Any, **kwargs: Any) -> str:
    return call(view, *args, **kwargs).content.decode()


@both
def test_whoever_is_inside_sees_the_view_with_all_its_arguments(view):
    released("new_page")
    assert body(flag_required("new_page")(view), 1, name="a") == "new (1,) {'name': 'a'}"


@both
def test_everybody_else_gets_a_404_without_a_word(view):
    changes.create("new_page")
    with pytest.raises(Http404) as caught:
        call(flag_required("new_page")(view))
    assert str(caught.value) == ""


@both
@pytest.mark.parametrize("otherwise", [old_sync, old_async])
def test_everybody_else_gets_the_other_view_with_the_same_arguments(view, otherwise):
    gated = flag_required("new_page", otherwise=otherwise)(view)
    assert body(gated, 1, name="a") == "old (1,) {'name': 'a'}"
    released("new_page")
    assert body(gated, 1, name="a") == "new (1,) {'name': 'a'}"


@both
def test_everybody_else_may_be_sent_elsewhere(view):
    response = call(flag_required("new_page", redirect_to="/plans/")(view))
    assert (response.status_code, response["Location"]) == (302, "/plans/")


@both
def test_a_variant_can_be_required(view):
    layouts("price_layout")
    assert body(flag_required("price_layout", variant="compact")(view)).startswith("new")
    with pytest.raises(Http404):
        call(flag_required("price_layout", variant="wide")(view))


@both
def test_a_view_can_be_for_those_outside(view):
    gated = flag_required("new_page", active=False)(view)
    assert body(gated).startswith("new")
    released("new_page")
    with pytest.raises(Http404):
        call(gated)


@both
def test_a_view_can_be_for_those_without_a_variant(view):
    layouts("price_layout")
    with pytest.raises(Http404):
        call(flag_required("price_layout", variant="compact", active=False)(view))
    assert body(flag_required("price_layout", variant="wide", active=False)(view))


@both
def test_an_off_variant_does_not_open_the_view(view):
    changes.create("price_layout", variants=[("compact", 1, 1)], off_variant="compact")
    with pytest.raises(Http404):
        call(flag_required("price_layout", variant="compact")(view))


@both
def test_a_view_stays_what_it_was(view):
    gated = flag_required("new_page")(csrf_exempt(view))
    assert gated.__name__ == view.__name__
    assert gated.__doc__ == "The new page."
    assert gated.csrf_exempt is True
    assert iscoroutinefunction(gated) is iscoroutinefunction(view)


@both
def test_the_decision_is_made_anew_for_each_request(view):
    gated = flag_required("new_page", otherwise=old_sync)(view)
    assert body(gated).startswith("old")
    released("new_page")
    assert body(gated).startswith("new")
    changes.disable("new_page")
    assert body(gated).startswith("old")


def test_decorating_makes_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        flag_required("new_page")(sync_view)


@both
@override_settings(FLAGGATE={"STRICT": True})
def test_under_the_strict_setting_an_unknown_flag_raises(view):
    with pytest.raises(UnknownFlag):
        call(flag_required("no_such_flag")(view))


@both
def test_the_decision_counts_as_one_question(view):
    released("new_page")
    recording.counts.clear()
    body(flag_required("new_page")(view))
    assert [(answer.flag, count) for answer, count in recording.counts.items()] == [("new_page", 1)]


@pytest.mark.parametrize("debug", [False, True])
def test_the_page_that_is_not_there_names_no_flag(client, debug):
    changes.create("secret_plan")
    with override_settings(DEBUG=debug):
        response = client.get("/secret/")
    assert response.status_code == 404
    assert b"secret_plan" not in response.content


# --- Under ASGI ---


@pytest.mark.parametrize("url", ["/beta/", "/beta/sync/", "/beta/mixed/"])
def test_groups_of_the_user_are_loaded_for_the_decision(url):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    ada, grace = User.objects.create_user("ada"), User.objects.create_user("grace")
    ada.groups.add(Group.objects.create(name="beta"))
    answers = []
    for user in (ada, grace):
        browser = AsyncClient()
        browser.force_login(user)
        response = async_to_sync(browser.get)(url)
        answers.append(response.content[:3] if response.status_code == 200 else 404)
    assert answers == [b"new", 404 if url == "/beta/" else b"old"]
