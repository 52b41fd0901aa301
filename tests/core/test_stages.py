"""The share of a progressive rollout is a function of now."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaggate.core.stages import Stage, position, schedule

START = datetime(2026, 3, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PLAN = [(Decimal(5), DAY), (Decimal(25), 2 * DAY), (Decimal(100), None)]


def percentages(laid: tuple[Stage, ...]) -> list[int]:
    return [int(stage.percentage) for stage in laid]


def test_stages_follow_one_another() -> None:
    laid = schedule(START, None, PLAN)
    assert [stage.starts - START for stage in laid] == [timedelta(0), DAY, 3 * DAY]
    assert percentages(laid) == [5, 25, 100]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (-timedelta(microseconds=1), None),
        (timedelta(0), 0),
        (DAY - timedelta(microseconds=1), 0),
        (DAY, 1),
        (3 * DAY, 2),
        (10_000 * DAY, 2),
    ],
)
def test_a_stage_holds_from_its_start_to_the_next(after: timedelta, expected: int | None) -> None:
    assert position(schedule(START, None, PLAN), START + after) == expected


def test_a_pause_freezes_the_stage_it_met() -> None:
    laid = schedule(START, START + timedelta(hours=36), PLAN)
    assert percentages(laid) == [5, 25]
    assert position(laid, START + 365 * DAY) == 1


def test_a_pause_at_the_moment_a_stage_begins_freezes_that_stage() -> None:
    assert percentages(schedule(START, START + DAY, PLAN)) == [5, 25]


def test_a_pause_before_the_start_freezes_the_first_stage() -> None:
    assert percentages(schedule(START, START - DAY, PLAN)) == [5]


def test_a_stage_that_holds_for_ever_is_the_last() -> None:
    assert percentages(schedule(START, None, [(Decimal(5), None), (Decimal(100), None)])) == [5]


def test_without_a_moment_no_stage_holds() -> None:
    assert position(schedule(START, None, PLAN), None) is None


holds = st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=1000))


@given(
    st.lists(holds, min_size=1, max_size=6),
    st.timedeltas(timedelta(0), timedelta(days=3000)),
    st.timedeltas(timedelta(0), timedelta(days=3000)),
)
def test_a_later_moment_never_has_an_earlier_stage(
    lengths: list[timedelta], one: timedelta, other: timedelta
) -> None:
    laid = schedule(START, None, [(Decimal(n), length) for n, length in enumerate(lengths)])
    earlier, later = sorted((START + one, START + other))
    assert (position(laid, earlier) or 0) <= (position(laid, later) or 0)


@given(
    st.lists(holds, min_size=1, max_size=6),
    st.timedeltas(timedelta(0), timedelta(days=3000)),
    st.timedeltas(timedelta(0), timedelta(days=3000)),
)
def test_resuming_goes_on_where_the_pause_began(
    lengths: list[timedelta], ran: timedelta, paused: timedelta
) -> None:
    plan = [(Decimal(n), length) for n, length in enumerate(lengths)]
    before = position(schedule(START, None, plan), START + ran)
    during = position(schedule(START, START + ran, plan), START + ran + paused)
    after = position(schedule(START + paused, None, plan), START + ran + paused)
    assert before == during == after
