"""Time small statements fairly on a machine that also does other things."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from timeit import Timer
from typing import Any

ROUNDS = 100
SAMPLE = 0.001  # seconds that one sample of one subject takes


@dataclass(frozen=True)
class Subject:
    """A statement to time, with the names that it uses.

    ``at_most`` is its target: times another subject (``against``), or nanoseconds where it is
    compared with none. ``without`` is a subject whose time is taken off, and ``per`` divides.
    """

    name: str
    statement: str
    names: dict[str, Any]
    against: str = ""
    at_most: float | None = None
    without: str = ""
    per: int = 1


def measure(subjects: Collection[Subject], rounds: int = ROUNDS) -> dict[str, float]:
    """Return nanoseconds by name: of each subject the minimum of its samples.

    Every round takes one sample of each, so that a slow moment of the machine hits the floors and
    what is compared with them alike; the minimum is what the code costs when nothing disturbs it.
    """
    timers = {each.name: Timer(each.statement, globals=each.names) for each in subjects}
    numbers = {name: _number(timer) for name, timer in timers.items()}
    best = dict.fromkeys(timers, float("inf"))
    for _ in range(rounds):
        for name, timer in timers.items():
            sample = timer.timeit(numbers[name]) / numbers[name] * 1e9
            best[name] = min(best[name], sample)
    return {
        each.name: (best[each.name] - best.get(each.without, 0.0)) / each.per for each in subjects
    }


def _number(timer: Timer) -> int:
    """Return how often a statement fits into a sample.

    The best of some tries, because one that is interrupted makes samples too short; and the first
    of them compiles flags and reads attributes.
    """
    number = 1
    while (seconds := min(timer.repeat(7, number))) < SAMPLE / 4:
        number *= 4
    return max(1, round(number * SAMPLE / seconds))
