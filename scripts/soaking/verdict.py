"""What a soak showed, figure by figure, against what is promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from soaking.reader import Seen
from soaking.writer import Written

AFTER_OUTAGE = 3.0  # seconds
MEMORY = 5.0  # MiB
MIB = 1024 * 1024

Outage = tuple[float, float]  # when the database went, and when it was back


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    measured: float
    limit: float | None = None
    unit: str = ""
    at_least: bool = False
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is as promised; a figure without a limit always is."""
        if self.limit is None:
            return True
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        limit = "" if self.limit is None else f"{sign} {self.limit:g} {self.unit}"
        verdict = "" if self.limit is None else "ok" if self.holds else "FAILED"
        measured = f"{self.measured:,.3f}".rstrip("0").rstrip(".")
        line = f"  {self.name:<52}{measured:>10} {self.unit:<6}{limit:<12}{verdict:<8}{self.detail}"
        return line.rstrip()


def figures(
    seen: Sequence[Seen], written: Written, outages: Sequence[Outage], seconds: float
) -> Iterator[Figure]:
    """Judge what readers saw against what the writer wrote."""
    uptime = seconds - sum(up - down for down, up in outages)
    yield Figure("requests, of 20 flags each", sum(each.requests for each in seen))
    yield Figure("loads", sum(each.loads for each in seen))
    commits = len(written.committed) / uptime
    yield Figure("commits a second while the database is up", commits, 10, at_least=True)
    changes = len(written.committed) + len(written.rolled_back)
    yield Figure("changes rolled back", len(written.rolled_back) / changes * 100, unit="%")
    yield Figure("changes cut off by the database", written.failed)

    exceptions = [error for each in seen for error in each.exceptions]
    yield Figure("exceptions", len(exceptions), 0, detail=" ".join(exceptions[:1]))
    errors = [error for each in seen for error in each.errors]
    yield Figure("answers with an error", len(errors), 0, detail=" ".join(errors[:1]))
    yield Figure("torn reads", sum(each.torn for each in seen), 0)
    yield Figure("steps back", sum(each.steps_back for each in seen), 0)
    known = {0, *(generation for generation, _ in written.committed)}
    strange = {generation for each in seen for generation in each.last_request} - known
    yield Figure("uncommitted generations seen", len(strange), 0)

    for each in seen:
        inside = _staleness(each, written, outages)
        limit = 1.2 * each.max_staleness + 0.5
        name = f"staleness, MAX_STALENESS {each.max_staleness:g}"
        yield Figure(name, max((lag for lag, _ in inside), default=0), limit, "s")
    if outages:
        lags = [lag for each in seen for _, lag in _staleness(each, written, outages)]
        yield Figure("staleness after the outage", max(lags, default=0), AFTER_OUTAGE, "s")
    last = written.committed[-1][0]
    behind = [each for one in seen for each in one.last_generations if each != last]
    yield Figure("threads that end on an older version", len(behind), 0)

    yield Figure("threads left over", _growth(seen, "threads"), 0)
    yield Figure("file descriptors left over", _growth(seen, "descriptors"), 0)
    growth = _growth(seen, "memory") / MIB
    yield Figure("growth in memory after the warm-up (RSS)", growth, MEMORY, "MiB")


def _staleness(
    seen: Seen, written: Written, outages: Sequence[Outage]
) -> Iterator[tuple[float, float]]:
    """Return, for each generation, how long after the next commit a request still got it.

    Outside the outages, and after them: what is owed to an outage counts from its end.
    """
    times = [(0, 0.0), *written.committed]
    for (generation, _), (_, superseded) in pairwise(times):
        last = seen.last_request.get(generation, superseded)
        outside, after = last - superseded, 0.0
        for down, up in outages:
            if superseded < up + AFTER_OUTAGE and last > down:
                outside = min(last, down) - superseded
                after = last - max(superseded, up)
        yield outside, after


def _growth(seen: Sequence[Seen], what: str) -> int:
    pairs: list[tuple[int, int]] = [getattr(each, what) for each in seen]
    return max(end - begin for begin, end in pairs)
