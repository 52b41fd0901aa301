"""The explorer of schedules tries everything, and nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

import pytest

from tests.store.schedules import Actor, Death, Step, Violation, explore, step


class Board:
    """What actors have written down, one after the other; whether they see it is up to a test."""

    def __init__(self, *scripts: Callable[[Board], None], blind: bool = False) -> None:
        self.written: list[str] = []
        self.blind = blind
        self.actors = [
            Actor(f"actor {number}", lambda script=script: script(self))
            for number, script in enumerate(scripts)
        ]

    def state(self) -> Hashable:
        return () if self.blind else tuple(self.written)

    def seen(self, actor: Actor, coming: Step) -> Hashable:
        return self.state()

    def close(self) -> None:
        ENDS.append("".join(self.written))


ENDS: list[str] = []


@pytest.fixture(autouse=True)
def no_ends() -> None:
    ENDS.clear()


def writes(*words: str, **how: bool) -> Callable[[Board], None]:
    def script(board: Board) -> None:
        for word in words:
            step(word, **how)
            board.written.append(word)

    return script


def test_every_order_is_tried_once() -> None:
    explored = explore(lambda: Board(writes("a", "b"), writes("c", "d")))
    assert sorted(ENDS) == ["abcd", "acbd", "acdb", "cabd", "cadb", "cdab"]
    assert (explored.schedules, explored.finished) == (6, 6)


def test_a_state_that_is_known_is_left() -> None:
    explored = explore(lambda: Board(writes("a", "b"), writes("c", "d"), blind=True))
    assert explored.states == 8, "three places for each of two, without the end"
    assert (explored.schedules, explored.finished) == (5, 2), "of 6 that there are"


def test_steps_that_nobody_notices_come_in_one_order() -> None:
    explore(lambda: Board(writes("a", "b", own=True), writes("c", own=True)))
    assert ENDS == ["abc"]


def test_every_outcome_is_tried() -> None:
    def fails_or_not(board: Board) -> None:
        board.written.append(step("x", "fails"))

    explore(lambda: Board(fails_or_not))
    assert sorted(ENDS) == ["fails", "goes on"]


def test_who_is_not_ready_is_waited_for() -> None:
    def waits(board: Board) -> None:
        step("b", ready=lambda: "a" in board.written)
        board.written.append("b")

    explore(lambda: Board(waits, writes("a")))
    assert ENDS == ["ab"]


def test_who_waits_for_ever_is_a_violation() -> None:
    def waits(board: Board) -> None:
        step("b", ready=lambda: False)

    with pytest.raises(AssertionError, match="for ever waiting: actor 0"):
        explore(lambda: Board(waits))


def test_a_process_may_die() -> None:
    def dies(board: Board) -> None:
        step("dies")
        raise Death

    explore(lambda: Board(dies, writes("a")))
    assert ENDS == ["a", "a"]


def test_a_violation_tells_the_schedule() -> None:
    def objects(board: Board) -> None:
        step("looks", "looks away")
        raise Violation("no law")

    with pytest.raises(AssertionError, match=r"(?s)no law.*actor 0 looks: goes on"):
        explore(lambda: Board(objects))


def test_a_state_that_leaves_something_out_is_noticed() -> None:
    def remembers(board: Board) -> None:
        for word in ("a", "b"):
            step(word)
            threading.current_thread().lived.clear()

    with pytest.raises(AssertionError, match="a state does not tell all"):
        explore(lambda: Board(remembers))
