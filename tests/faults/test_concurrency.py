"""Threads and event loops that ask at the same time, and questions that are given up midway."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync

import flaggate
from flaggate import changes
from flaggate.store import store
from tests.databases import SharedDatabase
from tests.faults.waiting import LONG, in_thread, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def look() -> bool:
    """Ask a question that looks at the database."""
    store._due = 0
    return flaggate.is_active("x", 42)


class Held:
    """A load that stops in its middle until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered, self.go_on = threading.Event(), threading.Event()
        load = store._load

        def slowly(*arguments: Any) -> None:
            self.entered.set()
            assert self.go_on.wait(LONG)
            load(*arguments)

        monkeypatch.setattr(store, "_load", slowly)


def test_threads_that_ask_while_flags_change_get_whole_answers_and_follow(
    shared_database: SharedDatabase,
) -> None:
    """In a process of its own: SQLite locks a database in memory by tables, among threads."""
    printed = shared_database.run(
        """
        import threading
        from flaggate.core.evaluation import UNSET
        changes.create("x", variants=[("off", 1, 0), ("on", 2, 1)], enabled=True)
        flaggate.is_active("x")
        done = threading.Event()
        seen = set()

        def ask():
            while not done.wait(0.001):  # lets the writer have the processor
                answer = flaggate.evaluate("x", 42)
                seen.add((answer.variant, 0 if answer.value is UNSET else answer.value))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                changes.disable("x")
                changes.enable("x")
            changes.disable("x")
        finally:
            done.set()
        for thread in threads:
            thread.join()
        say(seen <= {("on", 2), (None, 0)}, flaggate.is_active("x"))
        """
    )
    assert printed == "True False"


def test_a_cancelled_question_leaves_no_lock_and_its_load_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes.create("x", enabled=True)
    store.__init__()
    held = Held(monkeypatch)

    async def give_up() -> None:
        asking = asyncio.ensure_future(flaggate.aflags_for("42"))
        await asyncio.to_thread(held.entered.wait, LONG)
        asking.cancel()
        held.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await asking

    async_to_sync(give_up)()
    until(lambda: not store._lock.locked())
    assert flaggate.is_active("x", 42)
    assert store.failures == 0


def test_coroutines_and_threads_ask_together() -> None:
    changes.create("x", enabled=True, percentage=50)
    expected = {unit: flaggate.is_active("x", unit) for unit in range(40)}
    store.__init__()

    async def ask(unit: int) -> tuple[int, bool]:
        flags = await flaggate.aflags_for(str(unit))
        await asyncio.sleep(0)
        return unit, flags.is_active("x")

    async def ask_all() -> dict[int, bool]:
        tasks = [asyncio.ensure_future(ask(unit)) for unit in expected]
        for task in tasks[::4]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return dict(answer for answer in answers if not isinstance(answer, BaseException))

    with in_thread(lambda: {unit: flaggate.is_active("x", unit) for unit in expected}) as threads:
        answers = async_to_sync(ask_all)()
    assert threads == [expected]
    assert len(answers) == 30
    assert answers.items() <= expected.items()


@pytest.mark.parametrize("moment", ["2020-01-01T00:00:00Z", "2036-01-01T00:00:00Z"])
def test_a_wall_clock_that_is_wrong_by_years_neither_stops_nor_repeats_the_looks(
    moment: str,
) -> None:
    changes.create("x", enabled=True)
    assert look()
    with time_machine.travel(moment):
        loads, due = store.loads, store._due
        assert flaggate.is_active("x", 42)
        assert (store.loads, store._due) == (loads, due)
        changes.disable("x")
        assert not look()


def test_a_stage_follows_a_wall_clock_that_is_set_back_and_forth() -> None:
    with time_machine.travel("2026-05-04T12:00:00Z", tick=False):
        changes.create("x", percentage=0)
        changes.rollouts.start("x", changes.rollouts.to_plan("0:1h,100"))
    seen = []
    for hour in (12, 13, 11, 14):
        with time_machine.travel(f"2026-05-04T{hour}:30:00Z", tick=False):
            seen.append(flaggate.is_active("x", 42))
    assert seen == [False, True, False, True]
