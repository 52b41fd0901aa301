"""Usage: how often flags answered, by variant and hour; never at the cost of a request."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.test import override_settings

import flaggate
from flaggate import changes, recording
from flaggate.models import Usage
from flaggate.recording import usage
from flaggate.recording.usage import INTERVAL, Flushing
from flaggate.testing import override_flag
from tests.databases import ROOT, SharedDatabase, finish
from tests.fixtures import layouts, released

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _recording() -> Iterator[None]:
    """Record, as outside of tests; from nothing, and at noon."""
    recording.counts.clear()
    with (
        override_settings(FLAGGATE={"RECORD_USAGE": True}),
        time_machine.travel(NOON + timedelta(minutes=34), tick=False),
    ):
        yield
    recording.counts.clear()
    Flushing.postpone()


def due() -> None:
    """Let it be time to write."""
    Flushing.at = time.monotonic()


def written() -> dict[tuple[str, str, datetime], int]:
    rows = Usage.objects.values_list("flag", "variant", "hour", "count")
    return {(flag, variant, hour): count for flag, variant, hour, count in rows}


def ask(key: str, times: int = 1) -> None:
    flags = flaggate.flags_for("42")
    for _ in range(times):
        flags.is_active(key)


# --- What is counted ---


def test_answers_are_counted_by_flag_variant_and_hour():
    released("on_for_all")
    changes.create("off_for_all")
    layouts("price_layout")
    for key, times in (("on_for_all", 3), ("off_for_all", 2), ("price_layout", 1)):
        ask(key, times)
    recording.flush()
    assert written() == {
        ("on_for_all", "on", NOON): 3,
        ("off_for_all", "off", NOON): 2,
        ("price_layout", "compact", NOON): 1,
    }


def test_a_multivariate_flag_that_is_off_has_no_variant():
    changes.create("limit", variants=[("low", 5, 1)])
    changes.create("layout", variants=[("wide", 2, 1)], off_variant="wide")
    ask("limit")
    ask("layout")
    recording.flush()
    assert written() == {("limit", "", NOON): 1, ("layout", "wide", NOON): 1}


def test_different_reasons_for_one_variant_are_one_count():
    released("half", percentage=50)
    inside = [pk for pk in range(20) if flaggate.is_active("half", pk)]
    changes.rollout("half", 100)
    assert inside
    ask("half", 3)
    recording.flush()
    assert written()["half", "on", NOON] == len(inside) + 3


def test_unknown_and_forced_flags_are_not_counted():
    with override_flag("forced"):
        ask("forced")
    ask("unknown")
    recording.flush()
    assert not written()


def test_counts_add_up_over_flushes_within_the_hour():
    released("new_checkout")
    for _ in range(2):
        ask("new_checkout", 2)
        recording.flush()
    assert written() == {("new_checkout", "on", NOON): 4}


def test_each_hour_has_its_own_count():
    released("new_checkout")
    with time_machine.travel(NOON, tick=False) as clock:
        ask("new_checkout")
        recording.flush()
        clock.shift(timedelta(hours=1))
        ask("new_checkout")
        recording.flush()
    assert written() == {
        ("new_checkout", "on", NOON): 1,
        ("new_checkout", "on", NOON + timedelta(hours=1)): 1,
    }


def test_counts_outlive_the_flag():
    released("new_checkout")
    ask("new_checkout")
    recording.flush()
    changes.delete("new_checkout")
    assert written() == {("new_checkout", "on", NOON): 1}


# --- When it is written ---


def test_nothing_is_written_before_it_is_due():
    released("new_checkout")
    Flushing.postpone()
    assert not recording.due()
    ask("new_checkout")
    recording.flush_if_due()
    assert not written()


def test_asking_for_somebodys_flags_writes_what_is_due():
    released("new_checkout")
    ask("new_checkout")
    due()
    flaggate.flags_for("43")
    assert written() == {("new_checkout", "on", NOON): 1}


def test_after_writing_the_next_time_is_a_minute_away():
    due()
    recording.flush_if_due()
    assert INTERVAL == 60
    assert INTERVAL - 5 < Flushing.at - time.monotonic() <= INTERVAL


def test_nothing_to_write_costs_no_query(django_assert_num_queries):
    due()
    with django_assert_num_queries(0):
        recording.flush_if_due()
    assert not recording.due()


def test_nothing_is_written_inside_a_transaction_nor_lost():
    released("new_checkout")
    ask("new_checkout")
    due()
    with transaction.atomic():
        recording.flush_if_due()
        assert not written()
        assert recording.due()
    recording.flush_if_due()
    assert written() == {("new_checkout", "on", NOON): 1}


def test_nothing_is_written_inside_an_event_loop_nor_lost(caplog):
    async def in_loop() -> None:
        flaggate.flags_for("43")

    released("new_checkout")
    ask("new_checkout")
    due()
    asyncio.run(in_loop())
    assert not caplog.messages
    assert recording.due()
    recording.flush_if_due()
    assert written() == {("new_checkout", "on", NOON): 1}


# --- What goes wrong ---


def refuse(*_: Any) -> None:
    raise DatabaseError("it is gone")


@pytest.fixture
def gone() -> Iterator[None]:
    """A database that refuses every query."""
    with connection.execute_wrapper(refuse):
        yield


def test_a_database_that_is_gone_costs_no_error(gone, caplog):
    recording.counts[flaggate.Evaluation("new_checkout", True, True, None, "STATIC")] += 1
    recording.flush()
    assert caplog.messages == [
        "Usage of flags can't be written, and is kept for the next try: it is gone"
    ]


def test_what_could_not_be_written_is_written_when_the_database_is_back():
    recording.counts[flaggate.Evaluation("new_checkout", True, True, None, "STATIC")] += 2
    with connection.execute_wrapper(refuse):
        recording.flush()
    recording.counts[flaggate.Evaluation("new_checkout", True, True, None, "STATIC")] += 3
    recording.flush()
    assert written() == {("new_checkout", "on", NOON): 5}


def test_what_could_not_be_written_is_counted_once_in_the_totals(gone):
    before = recording.totals()["new_checkout", "on"]
    recording.counts[flaggate.Evaluation("new_checkout", True, True, None, "STATIC")] += 2
    recording.flush()
    assert recording.totals()["new_checkout", "on"] == before + 2


def test_what_fails_is_written_in_no_part(monkeypatch):
    def failing(alias: str, flag: str, *rest: Any) -> None:
        if flag == "b":
            raise DatabaseError
        add(alias, flag, *rest)

    add = usage._add
    monkeypatch.setattr(usage, "_add", failing)
    for key in "abc":
        recording.counts[flaggate.Evaluation(key, True, True, None, "STATIC")] += 1
    recording.flush()
    assert not written()


def test_a_row_that_another_process_adds_at_the_same_moment_is_added_to(monkeypatch):
    def none_yet(rows: QuerySet[Usage], **changes: Any) -> int:
        monkeypatch.undo()
        return 0

    Usage.objects.create(flag="new_checkout", variant="on", hour=NOON, count=5)
    recording.counts[flaggate.Evaluation("new_checkout", True, True, None, "STATIC")] += 2
    monkeypatch.setattr(QuerySet, "update", none_yet)
    recording.flush()
    assert written() == {("new_checkout", "on", NOON): 7}


# --- What it keeps in memory ---


@override_settings(FLAGGATE={"RECORD_USAGE": False})
def test_without_recording_nothing_is_written_and_memory_is_freed():
    released("new_checkout")
    ask("new_checkout")
    with transaction.atomic():  # as a test runs
        recording.flush()
    assert not recording.counts
    ask("new_checkout")
    recording.flush()
    assert not written()


def test_memory_does_not_grow_with_questions_and_subjects():
    released("half", percentage=50)
    for subject in range(500):
        flaggate.is_active("half", subject)
    assert len(recording.counts) == 2


def test_memory_does_not_grow_with_changes_that_are_flushed():
    released("half", percentage=50)
    for percentage in range(1, 21):
        changes.rollout("half", percentage)
        ask("half")
        recording.flush()
        assert not recording.counts
    assert sum(written().values()) == 20


FORKING = """
import os, django
django.setup()
import flaggate
from flaggate import recording
recording.counts[flaggate.Evaluation("new_checkout", True, True, None, "STATIC")] += 1
child = os.fork()
if child:
    os.waitpid(child, 0)
print("parent" if child else "child", len(recording.counts), flush=True)
os._exit(0)
"""


def test_a_child_leaves_the_counts_to_its_parent():
    # In a process of its own, because this one has threads.
    done = subprocess.run(
        [sys.executable, "-c", FORKING],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["child 0", "parent 1"]


def test_djangos_test_runner_writes_nothing_at_its_end(monkeypatch):
    registered: list[Any] = []
    monkeypatch.setattr("atexit.register", registered.append)
    monkeypatch.setattr(sys, "argv", ["manage.py", "test"])
    usage.connect()
    assert not registered
    monkeypatch.setattr(sys, "argv", ["manage.py", "runserver"])
    usage.connect()
    assert len(registered) == 1


def test_at_the_end_of_a_process_without_counts_there_is_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        usage._flush_at_exit()


# --- Several processes ---

ASKING = """
    say("ready")
    hear()
    for _ in range(50):
        flaggate.is_active("new_checkout", "42")
"""


@pytest.mark.database
def test_counts_of_all_processes_add_up_when_they_end(shared_database: SharedDatabase):
    shared_database.run('changes.create("new_checkout", enabled=True)')
    asking = [shared_database.start(ASKING) for _ in range(4)]
    for process in asking:
        assert process.stdout.readline() == "ready\n"
    for process in asking:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in asking:
        finish(process)
    counted = shared_database.run(
        "from django.db.models import Sum\n"
        "say(*Usage.objects.values_list('flag', 'variant').annotate(Sum('count')))"
    )
    assert counted == "('new_checkout', 'on', 200)"
