"""The share of a progressive rollout, as a pure function of now: no worker moves it on."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Stage:
    """A share (percent, 0-100) and the moment from which it holds."""

    starts: datetime
    percentage: Decimal


def schedule(
    started_at: datetime,
    paused_at: datetime | None,
    stages: Iterable[tuple[Decimal, timedelta | None]],
) -> tuple[Stage, ...]:
    """Lay stages of (percentage, how long it holds) end to end; a pause freezes the one it met.

    A stage that holds for ever (None) is the last.
    """
    laid: list[Stage] = []
    starts = started_at
    for percentage, holds in stages:
        if laid and paused_at is not None and starts > paused_at:
            break
        laid.append(Stage(starts, percentage))
        if holds is None:
            break
        starts += holds
    return tuple(laid)


def position(stages: Sequence[Stage], now: datetime | None) -> int | None:
    """Return which stage holds at a moment, counted from 0; None before the first."""
    if now is None:
        return None
    found = bisect_right(stages, now, key=lambda stage: stage.starts)
    return found - 1 if found else None
