"""The health view: how fresh the flags of this process are, and nothing about any of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import path

from flaggate import changes
from flaggate.models import Flag, state
from flaggate.store import bootstrap, freshness, store
from flaggate.views import health
from tests.fixtures import a_request

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECRET = "password=hunter2"

urlpatterns = [
    path("health/flags/", health),
    path("health/patient/", health, {"limit": 600}),
    path("health/any/", health, {"limit": None}),
]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Begin, and leave, as a process that has not read any flag yet; at noon."""
    monkeypatch.setattr(freshness.time, "monotonic", time.time)  # which can be moved
    store.__init__()
    with (
        override_settings(FLAGGATE={"MAX_STALENESS": 1}),
        time_machine.travel(NOON, tick=False) as clock,
    ):
        yield clock
    store.__init__()


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the database away."""
    take_away(monkeypatch)


def take_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(using: str) -> None:
        raise OperationalError(SECRET)

    monkeypatch.setattr(state, "read", refuse)


def get(url: str = "/health/flags/") -> Any:
    """Ask as a load balancer does."""
    return Client().get(url)


def test_with_the_flags_of_the_database_it_is_healthy():
    changes.create("new_checkout")
    response = get()
    assert response.status_code == 200
    assert response.json() == {
        "source": "database",
        "version": store.snapshot.version.number,
        "age": 0.0,
        "failures": 0,
        "quarantined": 0,
    }


def test_an_empty_database_is_healthy():
    assert get().status_code == 200


def test_it_looks_at_the_database_as_any_request_does(clock, django_assert_num_queries):
    get()
    with django_assert_num_queries(0):
        get()
    clock.shift(timedelta(seconds=5))
    with django_assert_num_queries(1):
        assert get().json()["age"] == 0


@pytest.mark.usefixtures("gone")
def test_without_any_flags_it_is_not_healthy():
    for url in ("/health/flags/", "/health/any/"):
        response = get(url)
        assert response.status_code == 503
        assert (response.json()["source"], response.json()["age"]) == ("defaults", None)


@pytest.mark.parametrize(
    ("url", "seconds", "status"),
    [
        ("/health/flags/", 60, 200),
        ("/health/flags/", 62, 503),
        ("/health/patient/", 600, 200),
        ("/health/patient/", 602, 503),
        ("/health/any/", 1_000_000, 200),
    ],
)
def test_the_last_known_flags_are_healthy_up_to_a_limit(clock, monkeypatch, url, seconds, status):
    get()
    take_away(monkeypatch)
    clock.shift(timedelta(seconds=seconds))
    response = get(url)
    assert response.status_code == status
    assert response.json()["source"] == "last known good"
    assert response.json()["age"] == seconds
    assert response.json()["failures"] == 1


def test_a_look_that_hangs_is_not_healthy_either(clock):
    get()
    clock.shift(timedelta(seconds=62))
    with store._lock:  # as while another thread waits for the database
        response = get()
    assert (response.status_code, response.json()["source"]) == (503, "database")


def test_the_limit_begins_when_a_look_is_due(clock):
    with override_settings(FLAGGATE={"MAX_STALENESS": 300}):
        get()
        clock.shift(timedelta(seconds=200))
        assert get().status_code == 200


def test_where_nobody_polls_no_look_is_overdue(clock, monkeypatch):
    with override_settings(FLAGGATE={"MAX_STALENESS": None}):
        get()
        clock.shift(timedelta(days=30))
        assert get().status_code == 200
        take_away(monkeypatch)
        store.committed()
        assert get().status_code == 503


@pytest.mark.parametrize(("seconds", "status"), [(0, 200), (62, 503)])
def test_a_bootstrap_file_is_as_old_as_it_was_written(clock, gone, tmp_path, seconds, status):
    bootstrap.write(tmp_path / "flags.json", {}, {})
    clock.shift(timedelta(seconds=seconds))
    settings = {"BOOTSTRAP": str(tmp_path / "flags.json"), "MAX_STALENESS": 1}
    with override_settings(FLAGGATE=settings):
        response = get()
    assert (response.status_code, response.json()["source"]) == (status, "bootstrap")
    assert (response.json()["version"], response.json()["age"]) == (None, seconds)


def test_a_clock_that_was_set_back_makes_no_negative_age(clock):
    get()
    clock.move_to(NOON - timedelta(hours=1))
    assert (get().status_code, get().json()["age"]) == (200, 0)


def test_quarantined_flags_are_counted_and_not_named():
    changes.create("secret_project")
    Flag.objects.filter(key="secret_project").update(off_variant="gone")
    response = get()
    assert (response.status_code, response.json()["quarantined"]) == (200, 1)
    assert b"secret_project" not in response.content


@pytest.mark.usefixtures("gone")
def test_errors_are_not_told():
    assert SECRET not in get().content.decode()
    assert SECRET in store.error


def test_it_is_never_cached():
    response = get()
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


@pytest.mark.parametrize(("method", "status"), [("head", 200), ("post", 405), ("delete", 405)])
def test_it_is_only_read(method, status):
    assert getattr(Client(), method)("/health/flags/").status_code == status


def test_it_needs_no_middleware_and_no_user():
    request = HttpRequest()
    request.method = "GET"
    assert health(request).status_code == 200
    assert health(a_request()).status_code == 200
