"""From rows in a SQLite file to a snapshot: seconds, and memory in a run of its own."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from statistics import median
from time import perf_counter

import database
from definitions import SEGMENTS, heavy, rollouts
from flaggate.core import definitions as core
from flaggate.core.evaluation import EvaluationContext
from flaggate.models import Flag
from flaggate.store import store
from table import Row, limited, verdict

NUMBER = 10_000
MIB = 2**20
SECOND = 1e9


def rows(rounds: int) -> list[Row]:
    """Load many flags, simple ones and such with two rules and three variants each."""
    return [
        *_rows(f"{NUMBER:,} flags with a percentage", rollouts, rounds, SECOND, 18),
        *_rows(f"{NUMBER:,} flags, 2 rules and 3 variants each", heavy, rounds, None, None),
    ]


def _rows(
    name: str,
    make: Callable[[int], dict[str, core.Flag]],
    rounds: int,
    at_most: float | None,
    most_memory: float | None,
) -> list[Row]:
    database.replace(make(NUMBER), SEGMENTS)
    seconds = [_load() for _ in range(rounds)]
    again = [_load_again() for _ in range(rounds)]
    kept, compiled, peak = _memory()
    return [
        limited(f"load {name}", min(seconds) * SECOND, at_most),
        limited("  the median of the rounds", median(seconds) * SECOND, None),
        limited("  again after one flag changed, the fastest", min(again) * SECOND, SECOND / 50),
        _size("  memory of the snapshot", kept, most_memory),
        _size("  the same, after every flag was asked", compiled, None),
        _size("  most memory while loading", peak, None),
    ]


def _load() -> float:
    store.forget()
    return _seconds()


def _load_again() -> float:
    flag = Flag.objects.earliest("pk")
    flag.description += "."
    flag.save()
    return _seconds()


def _seconds() -> float:
    gc.collect()
    before = store.snapshot
    start = perf_counter()
    snapshot = store.current()
    seconds = perf_counter() - start
    assert snapshot is not before
    assert len(snapshot.flags) == NUMBER
    assert not snapshot.quarantined
    return seconds


def _memory() -> tuple[int, int, int]:
    """Return the bytes of a snapshot, of it with all closures, and of the peak while loading."""
    store.forget()
    gc.collect()
    tracemalloc.start()
    snapshot = store.current()
    kept, peak = _traced()
    nobody = EvaluationContext()
    for key in snapshot.flags:
        snapshot.evaluate(key, nobody)
    compiled, _peak = _traced()
    tracemalloc.stop()
    return kept, compiled, peak


def _traced() -> tuple[int, int]:
    gc.collect()
    return tracemalloc.get_traced_memory()


def _size(name: str, size: int, at_most: float | None) -> Row:
    mebibytes = size / MIB
    if at_most is None:
        return Row(name, f"{mebibytes:.1f} MiB")
    target = f"≤ {at_most:g} MiB"
    return Row(name, f"{mebibytes:.1f} MiB", "", target, verdict(mebibytes, at_most))
