"""The database server is gone, or slow, or says nothing: answers go on."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

import flaggate
from flaggate import changes
from flaggate.store import freshness, rows, status, store
from tests.faults.proxy import Proxy
from tests.faults.waiting import in_thread, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

SERVER = connection.vendor != "sqlite"
TIMEOUT = {  # seconds
    "postgresql": {"connect_timeout": 2},  # the least that it takes
    "mysql": {"read_timeout": 1},  # its connect_timeout does not wait for the server's first word
}


def look() -> bool:
    """Ask a question that looks at the database."""
    store._due = 0
    return flaggate.is_active("x", 42)


def examined() -> str:
    printed = io.StringIO()
    call_command("flags", "doctor", stdout=printed)
    return printed.getvalue()


def kill(connection: Any) -> None:
    """End the server's side of a connection from another one, which turns all flags off."""
    killer = connection.copy()
    own, end = {
        "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend(%s)"),
        "mysql": ("SELECT CONNECTION_ID()", "KILL %s"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(own)
        number = cursor.fetchone()[0]
    with killer.cursor() as cursor:
        cursor.execute(end, [number])
        cursor.execute("UPDATE flaggate_flag SET enabled = %s", [False])
        cursor.execute("UPDATE flaggate_state SET version = version + 1")
    killer.close()


if SERVER:

    def test_a_server_that_stops_leaves_the_last_known_flags(proxy: Proxy) -> None:
        changes.create("x", enabled=True)
        assert look()
        proxy.cut()
        for _ in range(3):
            assert look()
        assert (status().source, store.failures) == ("last known good", 3)

    def test_a_server_that_is_back_is_followed_within_three_seconds(proxy: Proxy) -> None:
        changes.create("x", enabled=True)
        assert look()
        proxy.cut()
        for _ in range(10):
            assert look()
        assert store._due - time.monotonic() < 3
        proxy.heal()
        changes.disable("x")
        until(lambda: not flaggate.is_active("x"), seconds=3)
        assert (status().source, status().error) == ("database", "")

    def test_a_server_that_is_down_at_the_start_leaves_defaults_until_it_is_up(
        proxy: Proxy,
    ) -> None:
        changes.create("x", enabled=True)
        connection.close()
        store.__init__()
        proxy.cut()
        assert flaggate.value("x", default=7) == 7
        assert status().source == "defaults"
        proxy.heal()
        until(lambda: flaggate.is_active("x"))

    def test_a_killed_backend_costs_no_answer_and_no_time() -> None:
        changes.create("x", enabled=True)
        assert look()
        kill(connection)
        assert not look(), "connected again, and followed what was changed meanwhile"
        assert store.failures == 0

    def test_a_connection_that_is_cut_in_the_middle_of_a_load_publishes_nothing(
        proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changes.create("x", enabled=True)
        before = store.current()
        changes.disable("x")
        read = rows.reread

        def cut(*arguments: Any) -> Any:
            proxy.cut()
            return read(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(rows, "reread", cut)
            assert look()
        assert store.snapshot is before
        proxy.heal()
        assert not look()

    def test_a_slow_server_holds_one_thread_and_no_other(proxy: Proxy) -> None:
        changes.create("x", enabled=True)
        assert look()
        proxy.delay = 0.3
        with in_thread(look) as answers:
            until(store._lock.locked)
            asked = 0
            while store._lock.locked():
                assert flaggate.is_active("x", 42)
                asked += 1
        assert answers == [True]
        assert asked > 100, "in the time of one look at a slow server"

    def test_a_peer_that_says_nothing_holds_one_thread_and_no_other(proxy: Proxy) -> None:
        changes.create("x", enabled=True)
        assert look()
        proxy.stall()
        with in_thread(look) as answers:
            until(lambda: proxy.stalled)
            assert [look() for _ in range(1000)] == [True] * 1000
            proxy.heal()
        assert answers == [True]

    def test_a_start_beside_a_silent_peer_waits_no_longer_than_for_a_first_load(
        proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(freshness, "FIRST_LOAD", 0.2)
        changes.create("x", enabled=True)
        connection.close()
        store.__init__()
        proxy.stall()
        with in_thread(look) as answers:
            until(lambda: proxy.stalled)
            started = time.monotonic()
            assert not look()
            assert 0.2 <= time.monotonic() - started < 5
            proxy.heal()
        assert answers == [True]

    def test_with_a_timeout_a_silent_peer_is_given_up(
        proxy: Proxy, options: Callable[..., None]
    ) -> None:
        changes.create("x", enabled=True)
        assert look()
        options(**TIMEOUT[connection.vendor])
        proxy.stall()
        assert look()
        assert store.failures == 1


if SERVER:

    def test_the_doctor_recommends_that_timeout(options: Callable[..., None]) -> None:
        (name,) = TIMEOUT[connection.vendor]
        assert f"has no {name}" in examined()
        options(**TIMEOUT[connection.vendor])
        assert "timeout" not in examined()


if connection.vendor == "mysql":  # PostgreSQL's driver has no such thing

    def test_with_a_read_timeout_a_silent_peer_is_given_up_midway(
        proxy: Proxy, options: Callable[..., None]
    ) -> None:
        options(read_timeout=1)
        changes.create("x", enabled=True)
        assert look()
        proxy.stall()
        assert look()
        assert store.failures == 1
