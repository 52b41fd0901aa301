"""When a process looks for newer flags, and what it answers while it can't."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

import flaggate
from flaggate import changes
from flaggate.models import Flag, State, state
from flaggate.store import freshness, status, store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


class Clock:
    """The monotonic clock, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Clock:
    settings.FLAGGATE = {"MAX_STALENESS": 1.0}
    clock = Clock()
    monkeypatch.setattr(freshness.time, "monotonic", clock)
    store.__init__()
    return clock


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Take the database away, and give it back."""
    reads = state.read

    def switch(is_gone: bool) -> None:
        def refuse(using: str) -> None:
            raise OperationalError("server closed the connection")

        monkeypatch.setattr(state, "read", refuse if is_gone else reads)

    return switch


def by_another_process(*, enabled: bool) -> None:
    """Switch all flags as another process would: this one is not told."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE flaggate_flag SET enabled = %s", [enabled])
        cursor.execute("UPDATE flaggate_state SET version = version + 1")


def disconnect() -> None:
    """Close the connection of a thread that ends; Django leaves one to a database in memory."""
    raw = connections["default"].connection
    connections.close_all()
    if connection.vendor == "sqlite" and raw is not None:
        raw.close()


def queries_of(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def test_a_change_by_another_process_is_seen_after_max_staleness(clock: Clock) -> None:
    changes.create("x")
    assert not flaggate.is_active("x")
    by_another_process(enabled=True)
    assert not flaggate.is_active("x")
    clock.seconds += 1.21
    assert flaggate.is_active("x")


def test_between_two_looks_nothing_is_read(clock: Clock) -> None:
    store.current()
    assert queries_of(lambda: flaggate.is_active("x")) == 0


def test_a_look_that_finds_nothing_new_is_one_query(clock: Clock) -> None:
    store.current()
    clock.seconds += 1.21
    assert queries_of(store.current) == 1


def test_a_look_comes_at_most_a_fifth_early_or_late(clock: Clock) -> None:
    for _ in range(200):
        store.forget()
        store.current()
        assert not clock.seconds + 0.79 >= store._due
        assert clock.seconds + 1.21 >= store._due


def test_zero_staleness_looks_every_time(clock: Clock, settings: Any) -> None:
    settings.FLAGGATE = {"MAX_STALENESS": 0}
    store.current()
    assert queries_of(store.current) == 1


def test_none_never_looks_again(clock: Clock, settings: Any) -> None:
    settings.FLAGGATE = {"MAX_STALENESS": None}
    store.current()
    clock.seconds += 10**9
    assert queries_of(store.current) == 0


@pytest.mark.parametrize("staleness", [None, 1.0, 0])
def test_a_commit_of_this_process_is_seen_at_once(
    clock: Clock, settings: Any, staleness: float | None
) -> None:
    settings.FLAGGATE = {"MAX_STALENESS": staleness}
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")
    changes.disable("x")
    assert not flaggate.is_active("x")


def test_a_request_keeps_its_snapshot(clock: Clock, rf: Any) -> None:
    changes.create("x", enabled=True)
    request = rf.get("/")
    flags = flaggate.flags_for(request)
    assert flags.is_active("x")
    changes.disable("x")
    assert flags.is_active("x")
    assert flaggate.flags_for(request).is_active("x")
    assert not flaggate.is_active("x")


def test_a_database_that_went_back_in_time_is_followed(clock: Clock) -> None:
    changes.create("x", enabled=True)
    changes.disable("x")
    assert not flaggate.is_active("x")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE flaggate_flag SET enabled = %s", [True])
        cursor.execute("UPDATE flaggate_state SET version = 1")
    clock.seconds += 1.21
    assert flaggate.is_active("x")


def test_the_same_version_with_another_token_is_another_state(clock: Clock) -> None:
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE flaggate_flag SET enabled = %s", [False])
    State.objects.update(token="00000000-0000-0000-0000-000000000001")
    clock.seconds += 1.21
    assert not flaggate.is_active("x")


def test_no_state_row_and_no_flags_is_an_empty_snapshot_and_no_failure(clock: Clock) -> None:
    State.objects.all().delete()
    assert not flaggate.is_active("x")
    assert status().failures == 0
    assert status().source == "database"


# --- inside a transaction ---------------------------------------------------------------------


def test_a_transaction_without_flag_writes_looks_at_nothing(clock: Clock) -> None:
    store.current()
    clock.seconds += 10
    with transaction.atomic():
        assert queries_of(store.current) == 0


def test_a_transaction_reads_its_own_writes(clock: Clock) -> None:
    flags = flaggate.flags_for()
    with transaction.atomic():
        changes.create("x", enabled=True)
        assert flaggate.is_active("x")
        assert flags.is_active("x"), "whoever asks, at each question"
        assert "x" not in store.snapshot, "never published before the commit"
    assert flaggate.is_active("x")


def test_a_rolled_back_write_leaves_nothing(clock: Clock) -> None:
    flaggate.flags_for()
    with pytest.raises(RuntimeError), transaction.atomic():
        changes.create("x", enabled=True)
        assert flaggate.is_active("x")
        raise RuntimeError
    assert not flaggate.is_active("x")
    assert not state.Written.alive


@pytest.mark.parametrize("staleness", [None, 1.0])
def test_a_rolled_back_savepoint_leaves_nothing(
    clock: Clock, settings: Any, staleness: float | None
) -> None:
    settings.FLAGGATE = {"MAX_STALENESS": staleness}
    changes.create("x", enabled=True)
    with transaction.atomic():
        with pytest.raises(RuntimeError), transaction.atomic():
            changes.disable("x")
            assert not flaggate.is_active("x")
            raise RuntimeError
        assert flaggate.is_active("x")


def test_another_thread_does_not_see_what_is_not_committed(clock: Clock) -> None:
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")
    seen: list[bool] = []

    def ask() -> None:
        seen.append(flaggate.is_active("x"))
        disconnect()

    with transaction.atomic():
        changes.disable("x")
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert seen == [True]


def test_the_first_question_inside_a_transaction_is_answered_but_not_published(
    clock: Clock,
) -> None:
    changes.create("x", enabled=True)
    store.forget()
    with transaction.atomic():
        assert flaggate.is_active("x")
        assert store.snapshot is None


def test_a_missing_table_does_not_break_the_transaction_it_is_asked_in(clock: Clock) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE flaggate_state RENAME TO flaggate_elsewhere")
        try:
            assert not flaggate.is_active("x")
            assert Flag.objects.count() == 0, "the transaction goes on"
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE flaggate_elsewhere RENAME TO flaggate_state")


# --- failure ----------------------------------------------------------------------------------


def test_the_last_known_good_answers_for_ever(clock: Clock, gone: Callable[[bool], None]) -> None:
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")
    gone(True)
    for _ in range(50):
        clock.seconds += 3600
        assert flaggate.is_active("x")
    assert status().source == "last known good"
    assert "server closed the connection" in status().error


def test_without_any_snapshot_everything_is_off(clock: Clock, gone: Callable[[bool], None]) -> None:
    gone(True)
    assert not flaggate.is_active("x")
    assert flaggate.value("limit", default=7) == 7
    assert status().source == "defaults"


def test_a_database_that_comes_back_is_noticed_within_three_seconds(
    clock: Clock, gone: Callable[[bool], None]
) -> None:
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")
    gone(True)
    for _ in range(50):
        clock.seconds += 5
        store.current()
    gone(False)
    by_another_process(enabled=False)
    clock.seconds += 3
    assert not flaggate.is_active("x")
    assert (status().failures, status().error, status().source) == (0, "", "database")


def test_attempts_become_rarer_while_the_database_is_gone(
    clock: Clock, gone: Callable[[bool], None]
) -> None:
    gone(True)
    for _ in range(1000):
        clock.seconds += 0.01
        store.current()
    assert store.failures <= 12


def test_a_database_that_can_be_reached_is_not_asked_twice(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def refuse(using: str) -> None:
        attempts.append(using)
        raise OperationalError("out of memory")

    monkeypatch.setattr(state, "read", refuse)
    store.current()
    assert (len(attempts), store.failures) == (1, 1)


def test_a_lasting_failure_is_logged_once_a_minute(
    clock: Clock, gone: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    gone(True)
    for _ in range(119):
        clock.seconds += 1
        store.current()
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 2


def test_a_table_that_is_not_there_yet_is_not_worth_a_word(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE flaggate_state RENAME TO flaggate_elsewhere")
    try:
        assert not flaggate.is_active("x")
        assert not [each for each in caplog.records if each.levelno >= logging.ERROR]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE flaggate_elsewhere RENAME TO flaggate_state")


def test_a_failure_after_a_commit_backs_off_too(clock: Clock, gone: Callable[[bool], None]) -> None:
    changes.create("x", enabled=True)
    gone(True)
    store.current()
    failures = store.failures
    for _ in range(20):
        store.current()
    assert store.failures == failures


# --- threads, event loops, forks --------------------------------------------------------------


def test_while_one_thread_loads_the_others_go_on_with_what_there_is(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes.create("x", enabled=True)
    before = store.current()
    clock.seconds += 1.21
    assert store._lock.acquire(timeout=1), "as a thread that is loading"
    try:
        assert store.current() is before
    finally:
        store._lock.release()


def test_threads_without_a_snapshot_wait_for_one_loader(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes.create("x", enabled=True)
    store.forget()
    loads, load = [], store._load
    entered, go_on = threading.Event(), threading.Event()

    def slowly(*arguments: Any) -> Any:
        loads.append(1)
        entered.set()
        go_on.wait(10)
        load(*arguments)

    monkeypatch.setattr(store, "_load", slowly)
    seen: list[bool] = []

    def ask() -> None:
        seen.append(flaggate.is_active("x"))
        disconnect()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    go_on.set()
    for thread in threads:
        thread.join()
    assert seen == [True] * 4
    assert len(loads) == 1


def test_a_commit_during_a_load_is_seen_by_the_next_question(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes.create("x", enabled=True)
    load = store._load

    def overtaken(*arguments: Any) -> None:
        load(*arguments)
        monkeypatch.setattr(store, "_load", load)
        changes.disable("x")

    monkeypatch.setattr(store, "_load", overtaken)
    store.current()
    assert not flaggate.is_active("x")


def test_an_event_loop_never_touches_the_database(clock: Clock) -> None:
    changes.create("x", enabled=True)
    store.forget()

    async def ask() -> bool:
        return flaggate.is_active("x")

    assert asyncio.run(ask()) is False
    assert store.failures == 0


def test_aflags_for_loads_outside_the_event_loop(clock: Clock) -> None:
    changes.create("x", enabled=True)
    store.forget()

    async def ask() -> bool:
        return (await flaggate.aflags_for("42")).is_active("x")

    assert async_to_sync(ask)() is True


def test_a_child_forked_in_the_middle_of_a_load_can_load(clock: Clock) -> None:
    store._lock.acquire()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if store._lock.acquire(timeout=1) else 1)
    store._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_clock_that_jumps_changes_nothing(clock: Clock, hours: int) -> None:
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")
    by_another_process(enabled=False)
    with time_machine.travel(f"2030-01-01T1{hours + 2}:00:00Z"):
        clock.seconds += 1.21
        assert not flaggate.is_active("x")
