"""When a process looks for newer flags, and what it answers while it can't."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

import flaggate
from flaggate import changes
from flaggate.models import Flag, State, state
from flaggate.store import bootstrap, freshness, rows, status, store
from flaggate.store.loaded import Loaded
from tests.store.conftest import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def by_another_process(*, enabled: bool) -> None:
    """Switch all flags as another process would: this one is not told."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE flaggate_flag SET enabled = %s", [enabled])
        cursor.execute("UPDATE flaggate_state SET version = version + 1")


def caused_by(sqlstate: str) -> OperationalError:
    """Make an error as that of psycopg looks when Django has wrapped it."""
    error = OperationalError("relation does not exist")
    error.__cause__ = cause = Exception()
    cause.sqlstate = sqlstate
    return error


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


def test_a_look_comes_at_the_very_moment_at_which_it_is_due(clock: Clock) -> None:
    store.current()
    clock.seconds = store._due
    assert store.due()
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


def test_a_commit_that_has_been_seen_is_not_looked_for_again(clock: Clock) -> None:
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")
    assert not store.due()
    assert queries_of(store.current) == 0


def test_a_look_is_due_after_a_commit_of_this_process(clock: Clock) -> None:
    store.current()
    changes.create("x")
    assert store.due()


def test_a_look_is_due_while_a_transaction_has_written_flags(clock: Clock) -> None:
    store.current()
    with transaction.atomic():
        assert not store.due()
        changes.create("x")
        assert store.due()


def test_what_is_forgotten_is_read_again_at_once(clock: Clock) -> None:
    changes.create("x", enabled=True)
    store.current()
    store.forget()
    assert store.due()
    assert flaggate.is_active("x")


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


def test_flags_are_read_where_there_was_no_state_row(clock: Clock) -> None:
    State.objects.all().delete()
    assert not flaggate.is_active("x")
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")
    assert status().failures == 0


def test_a_state_row_that_is_gone_is_no_failure(clock: Clock) -> None:
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")
    State.objects.all().delete()
    clock.seconds += 1.21
    assert flaggate.is_active("x")
    assert (status().failures, status().version) == (0, None)


def test_a_load_says_first_that_it_wants_one_version_only(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = freshness.BEGIN_LOAD.get(connection.vendor, "SELECT 1")  # SQLite needs no word
    monkeypatch.setitem(freshness.BEGIN_LOAD, connection.vendor, begin)
    with CaptureQueriesContext(connection) as queries:
        store._load(connections["default"])
    said = [each["sql"] for each in queries if not each["sql"].startswith("BEGIN")]
    assert said[0] == begin
    assert "flaggate_state" in said[1]


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


def test_what_another_thread_loads_meanwhile_makes_no_broken_flag_of_a_transaction_sound(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes.create("x", enabled=True)
    flaggate.is_active("x")
    reread = rows.reread

    def while_another_thread_publishes(*args: Any) -> rows.Definitions:
        found = reread(*args)
        store.loaded = Loaded(store.snapshot, found)
        return found

    monkeypatch.setattr(rows, "reread", while_another_thread_publishes)
    with transaction.atomic():
        Flag.objects.update(off_variant="none of its variants")
        assert "x" in store.current().quarantined


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


def test_each_write_of_a_change_is_seen_by_the_next_question(clock: Clock) -> None:
    flag = changes.create("x")
    with changes.change():
        for enabled in (True, False, True):
            flag.enabled = enabled
            flag.save()
            assert flaggate.is_active("x") is enabled


def test_inside_a_transaction_the_state_row_is_read_at_each_question(clock: Clock) -> None:
    changes.create("x", enabled=True)
    store.forget()
    with transaction.atomic():
        assert flaggate.is_active("x")
        assert queries_of(store.current) == 1 + 2, "the row, in a savepoint"
        by_another_process(enabled=False)
        assert not flaggate.is_active("x")


def test_without_polling_a_transaction_reads_only_after_its_writes(
    clock: Clock, settings: Any
) -> None:
    settings.FLAGGATE = {"MAX_STALENESS": None}
    with transaction.atomic():
        changes.create("x", enabled=True)
        assert flaggate.is_active("x")
        assert queries_of(lambda: flaggate.is_active("x")) == 0
        assert flaggate.is_active("x")


def test_what_breaks_in_a_transaction_is_served_as_the_process_knew_it(clock: Clock) -> None:
    changes.create("x", enabled=True)
    store.current()
    with transaction.atomic():
        Flag.objects.update(off_variant="gone")
        assert flaggate.is_active("x")


def test_what_was_rolled_back_is_never_a_last_good_definition(clock: Clock) -> None:
    changes.create("x", enabled=True, percentage=0)
    store.current()
    with pytest.raises(RuntimeError), transaction.atomic():
        changes.rollout("x", 100)
        assert flaggate.is_active("x")
        raise RuntimeError
    with transaction.atomic():
        Flag.objects.update(off_variant="gone")
        assert not flaggate.is_active("x")


def test_what_a_savepoint_broke_is_whole_again_after_its_rollback(clock: Clock) -> None:
    for key in ("x", "y"):
        changes.create(key, enabled=True)
    store.current()
    with transaction.atomic():
        changes.disable("y")
        with pytest.raises(RuntimeError), transaction.atomic():
            Flag.objects.filter(key="x").update(off_variant="gone")
            assert list(store.current().quarantined) == ["x"]
            raise RuntimeError
        assert not store.current().quarantined


def test_a_failure_in_a_transaction_is_told(clock: Clock, gone: Callable[[bool], None]) -> None:
    gone(True)
    with transaction.atomic():
        assert not flaggate.is_active("x")
    assert "server closed the connection" in status().error


def test_without_autocommit_nothing_is_looked_at(clock: Clock) -> None:
    changes.create("x", enabled=True)
    transaction.set_autocommit(False)
    try:
        assert queries_of(store.current) == 0
        assert store.snapshot is None
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert flaggate.is_active("x")


if connection.vendor == "sqlite":

    @pytest.mark.parametrize("mode", [None, "IMMEDIATE"])
    def test_a_load_takes_no_lock_and_leaves_the_mode_of_transactions(
        clock: Clock, monkeypatch: pytest.MonkeyPatch, mode: str | None
    ) -> None:
        monkeypatch.setattr(connections["default"], "transaction_mode", mode, raising=False)
        with CaptureQueriesContext(connection) as queries:
            store.current()
        assert [each["sql"] for each in queries if "BEGIN" in each["sql"]] == ["BEGIN"]
        assert connections["default"].transaction_mode == mode


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


def test_the_first_pause_is_a_fifth_of_a_second(clock: Clock, gone: Callable[[bool], None]) -> None:
    gone(True)
    store.current()
    assert clock.seconds + 0.159 <= store._due <= clock.seconds + 0.241
    assert status().failures == 1


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


def test_a_minute_later_it_is_logged_again(
    clock: Clock, gone: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    gone(True)
    for pause, records in [(0, 1), (59, 1), (1, 2)]:
        clock.seconds += pause
        store.current()
        assert len(caplog.records) == records


def test_the_log_says_what_is_served(
    clock: Clock,
    gone: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
    settings: Any,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.INFO, "flaggate")
    gone(True)
    store.current()
    assert "so defaults are served: OperationalError: server closed" in caplog.messages[-1]
    gone(False)
    clock.seconds += 60
    store.current()
    assert caplog.messages[-1].startswith("Flags can be read again, after 1 failed")
    gone(True)
    clock.seconds += 60
    store.current()
    assert "so the last known flags are served" in caplog.messages[-1]
    bootstrap.write(tmp_path / "flags.json", {}, {})
    settings.FLAGGATE = {"BOOTSTRAP": str(tmp_path / "flags.json"), "MAX_STALENESS": 0}
    store.forget()
    clock.seconds += 60
    store.current()
    assert "so those of the bootstrap file are served" in caplog.messages[-1]


def test_an_uneventful_look_is_not_worth_a_word(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "flaggate")
    for _ in range(2):
        clock.seconds += 1.21
        store.current()
    assert not caplog.messages


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, []),
        ({"off_variant": "gone"}, ["The flag 'x' is broken, so it is off: off_variant: 'gone'"]),
    ],
)
def test_a_flag_that_is_broken_from_the_start_is_logged_as_off(
    clock: Clock, caplog: pytest.LogCaptureFixture, fields: dict[str, str], said: list[str]
) -> None:
    changes.create("x", enabled=True)
    Flag.objects.update(**fields, owner="ada")
    store.current()
    assert [each.split(" is no ")[0] for each in caplog.messages] == said


def test_a_flag_that_is_broken_in_another_way_is_logged_again(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    changes.create("x", enabled=True)
    for variant in ("gone", "lost", "lost"):
        Flag.objects.update(off_variant=variant)
        store.current()
    assert ["'gone'" in each for each in caplog.messages] == [True, False]


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        (OperationalError("no such table: flaggate_state"), True),
        (OperationalError(1146, "Table 'flaggate_state' doesn't exist"), True),
        (OperationalError(1147, "There is no such grant"), False),
        (OperationalError("server closed the connection"), False),
        (caused_by("42P01"), True),
        (caused_by("42P02"), False),
    ],
)
def test_every_database_says_in_its_own_way_that_a_table_is_missing(
    error: Exception, missing: bool
) -> None:
    assert freshness._no_table(error) is missing


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


class Lock:
    """The lock of the store, which notes for how long somebody would wait for it."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.meanwhile = lambda: None

    def acquire(self, timeout: float) -> bool:
        self.waits.append(timeout)
        self.meanwhile()
        return True

    def release(self) -> None:
        pass


@pytest.fixture
def lock(clock: Clock) -> Lock:
    """Flags have been loaded; the next look is due, and meets this lock."""
    changes.create("x", enabled=True)
    store.current()
    clock.seconds += 1.21
    lock = store._lock = Lock()
    return lock


def test_who_has_a_snapshot_waits_for_nobody(lock: Lock) -> None:
    store.current()
    assert lock.waits == [0]


def test_who_has_no_snapshot_waits_for_the_loader(lock: Lock) -> None:
    store.forget()
    store.current()
    assert lock.waits == [2]


def test_who_has_just_committed_waits_for_the_loader(lock: Lock) -> None:
    changes.disable("x")
    store.current()
    assert lock.waits == [2]


@pytest.mark.parametrize(("staleness", "wait"), [(0, 2), (1, 0)])
def test_who_must_not_be_late_at_all_waits_for_the_loader(
    lock: Lock, settings: Any, staleness: float, wait: float
) -> None:
    settings.FLAGGATE = {"MAX_STALENESS": staleness}
    store.current()
    assert lock.waits == [wait]


def test_who_has_waited_does_not_look_again(lock: Lock, monkeypatch: pytest.MonkeyPatch) -> None:
    lock.meanwhile = store._look
    assert queries_of(store.current) == 1, "that of the other thread"


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


def test_an_event_loop_does_not_read_what_its_thread_has_written(clock: Clock) -> None:
    changes.create("x", enabled=True)
    assert flaggate.is_active("x")

    async def ask() -> bool:
        return flaggate.is_active("x")

    with transaction.atomic():
        changes.disable("x")
        assert asyncio.run(ask()) is True, "by the snapshot of the process"
    assert store.error == ""


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
