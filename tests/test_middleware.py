"""The middleware: what a request has after it, and what it does on the way out."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.test import override_settings

import flaggate
from flaggate import changes, recording
from flaggate.middleware import FlagsMiddleware
from flaggate.models import Usage
from flaggate.recording.usage import Flushing
from flaggate.store import store
from tests.fixtures import a_request, released

pytestmark = pytest.mark.django_db

RECORDING = override_settings(FLAGGATE={"RECORD_USAGE": True})


def sync_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.flags.is_active("half")))


async def async_view(request: HttpRequest) -> HttpResponse:
    return sync_view(request)


def respond(view: Any) -> HttpResponse:
    """Send a request through the middleware in the mode of the view."""
    middleware: Any = FlagsMiddleware(view)
    call = async_to_sync(middleware) if middleware.is_async else middleware
    return cast(HttpResponse, call(a_request()))


both = pytest.mark.parametrize("view", [sync_view, async_view])


def test_it_is_sync_before_a_sync_view_and_async_before_an_async_one():
    assert FlagsMiddleware.sync_capable
    assert FlagsMiddleware.async_capable
    assert not iscoroutinefunction(FlagsMiddleware(sync_view))
    assert iscoroutinefunction(FlagsMiddleware(async_view))


@both
def test_a_request_has_its_flags_and_a_visitor_its_cookie(view):
    released("half", percentage=50)
    response = respond(view)
    assert response.content in (b"True", b"False")
    assert response["Vary"] == "Cookie"
    assert "flaggate_visitor" in response.cookies


@both
def test_without_a_question_nothing_is_added_to_the_response(view):
    released("half")
    response = respond(view)
    assert response.content == b"True"
    assert not response.cookies
    assert "Vary" not in response


@both
def test_the_next_request_sees_a_change(view):
    released("half")
    assert respond(view).content == b"True"
    changes.disable("half")
    assert respond(view).content == b"False"


@both
@pytest.mark.django_db(transaction=True)
@override_settings(FLAGGATE={"MAX_STALENESS": 3600})
def test_between_two_looks_at_the_database_it_makes_no_query(view, django_assert_num_queries):
    released("half", percentage=100)
    respond(view)
    assert not store.due()
    with django_assert_num_queries(0):
        assert respond(view).content == b"True"


@both
@RECORDING
@pytest.mark.django_db(transaction=True)
def test_counts_that_are_due_are_written_on_the_way_out(view, monkeypatch):
    released("half")
    recording.counts.clear()
    respond(view)
    assert not Usage.objects.exists()
    monkeypatch.setattr(Flushing, "at", time.monotonic())
    respond(view)
    assert Usage.objects.get().count == 2


@both
def test_what_a_view_raises_passes(view):
    def failing(request: HttpRequest) -> HttpResponse:
        raise LookupError

    async def failing_async(request: HttpRequest) -> HttpResponse:
        raise LookupError

    with pytest.raises(LookupError):
        respond(failing if view is sync_view else failing_async)


def test_all_flags_of_a_request_have_one_moment():
    request = a_request()
    FlagsMiddleware(sync_view)(request)
    assert request.flags.context.now == request.flags.now == flaggate.flags_for(request).now
