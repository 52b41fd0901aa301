"""Progressive rollouts: the right share at every moment, without a worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

import flaggate
from flaggate import changes
from flaggate.changes import rollouts
from flaggate.exceptions import ChangeRefused, Invalid
from flaggate.models import Flag, Revision, Rollout, Stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

NOON = "2026-03-28T12:00:00Z"
DAY = timedelta(days=1)
PLAN = [(5, DAY), (25, 2 * DAY), (100, None)]


@pytest.fixture(autouse=True)
def travel() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def flag() -> Flag:
    return changes.create("x", percentage=0, salt="rollouts")  # the same buckets in every run


def share() -> int:
    """How many of 1,000 users are in, in tenths of a percent."""
    return sum(flaggate.is_active("x", user) for user in range(1000))


def near(percentage: int) -> Callable[[int], bool]:
    return lambda found: abs(found - percentage * 10) < 35


def test_the_share_follows_the_clock_and_nothing_else(flag: Flag, travel: Any) -> None:
    rollouts.start("x", PLAN)
    seen = []
    for _ in range(5):
        seen.append(share())
        travel.shift(DAY)
    assert near(5)(seen[0])
    assert near(25)(seen[1])
    assert seen[1] == seen[2]
    assert seen[3:] == [1000, 1000]


def test_whoever_is_in_stays_in(flag: Flag, travel: Any) -> None:
    rollouts.start("x", PLAN)
    early = {user for user in range(1000) if flaggate.is_active("x", user)}
    travel.shift(DAY)
    assert early < {user for user in range(1000) if flaggate.is_active("x", user)}


def test_starting_turns_the_flag_on(flag: Flag) -> None:
    assert rollouts.start("x", PLAN).enabled


def test_a_rollout_may_start_later_and_the_flags_own_share_holds_until_then(
    flag: Flag, travel: Any
) -> None:
    rollouts.start("x", PLAN, at=timezone.now() + DAY)
    assert share() == 0
    travel.shift(DAY)
    assert near(5)(share())


def test_a_pause_freezes_the_stage_and_resuming_gives_it_the_rest_of_its_time(
    flag: Flag, travel: Any
) -> None:
    rollouts.start("x", PLAN)
    travel.shift(timedelta(hours=12))
    rollouts.pause("x")
    travel.shift(30 * DAY)
    assert near(5)(share())
    rollouts.resume("x")
    travel.shift(timedelta(hours=11))
    assert near(5)(share())
    travel.shift(timedelta(hours=1))
    assert near(25)(share())


def test_a_second_pause_does_not_move_the_first(flag: Flag, travel: Any) -> None:
    rollouts.start("x", PLAN)
    rollouts.pause("x")
    travel.shift(30 * DAY)
    rollouts.pause("x")
    assert near(5)(share())


def test_pausing_and_resuming_give_the_flag_back(flag: Flag) -> None:
    rollouts.start("x", PLAN)
    assert (rollouts.pause("x"), rollouts.resume("x")) == (flag, flag)


def test_a_new_plan_takes_the_place_of_the_planned_one(flag: Flag) -> None:
    with changes.change():
        Stage.objects.create(flag=flag, percentage=50)
    rollouts.start("x", PLAN)
    assert [stage.percentage for stage in flag.stages.order_by("order")] == [5, 25, 100]


def test_stopping_keeps_the_share_of_the_stage(flag: Flag, travel: Any) -> None:
    rollouts.start("x", PLAN)
    travel.shift(DAY)
    assert rollouts.stop("x").percentage == 25
    travel.shift(30 * DAY)
    assert near(25)(share())
    assert not Stage.objects.exists()


def test_completing_gives_the_share_of_the_last_stage_at_once(flag: Flag) -> None:
    rollouts.start("x", PLAN)
    assert rollouts.complete("x").percentage == 100
    assert share() == 1000
    assert not Rollout.objects.exists()


def test_a_planned_rollout_does_nothing_until_it_is_started(flag: Flag) -> None:
    with changes.change():
        flag.enabled = True
        flag.save()
        for order, (percentage, holds) in enumerate(PLAN):
            Stage.objects.create(flag=flag, order=order, percentage=percentage, holds=holds)
    assert share() == 0
    rollouts.start("x")
    assert near(5)(share())


def test_while_it_runs_the_percentage_can_not_be_written(flag: Flag) -> None:
    rollouts.start("x", PLAN)
    with pytest.raises(Invalid, match=r"percentage: is decided by .* Stop the rollout first\."):
        changes.rollout("x", 50)


def test_the_flag_can_be_switched_off_while_it_runs(flag: Flag) -> None:
    rollouts.start("x", PLAN)
    changes.disable("x")
    assert share() == 0


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        ([(5, None), (100, None)], r"stages\[0\]\.holds: is empty"),
        ([(5, DAY), (100, timedelta(0))], r"stages\[1\]\.holds: is below a second"),
        ([(50, DAY), (25, None)], r"stages\[1\]\.percentage: is below"),
        ([(101, None)], r"stages\[0\]\.percentage: 101"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(flag: Flag, plan: Any, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        rollouts.start("x", plan)
    assert not Rollout.objects.exists()
    assert not Flag.objects.get().enabled


def test_a_stage_may_hold_for_one_second(flag: Flag) -> None:
    rollouts.start("x", [(5, timedelta(seconds=1)), (100, None)])
    assert near(5)(share())


def test_a_stage_may_keep_the_share_of_the_one_before(flag: Flag) -> None:
    rollouts.start("x", [(5, DAY), (5, DAY), (100, None)])
    assert near(5)(share())


def test_a_flag_may_be_created_with_its_rollout() -> None:
    with changes.change():
        flag = Flag.objects.create(key="x", enabled=True, percentage=0)
        Stage.objects.create(flag=flag, percentage=100)
        Rollout.objects.create(flag=flag, started_at=timezone.now())
    assert share() == 1000


def test_a_rollout_may_start_together_with_another_share_until_then(flag: Flag) -> None:
    with changes.change():
        Flag.objects.update(enabled=True, percentage=50)
        Stage.objects.create(flag=flag, percentage=100)
        Rollout.objects.create(flag=flag, started_at=timezone.now() + DAY)
    assert near(50)(share())


def test_a_rollout_without_stages_is_refused(flag: Flag) -> None:
    with pytest.raises(Invalid, match="stages: are missing"):
        rollouts.start("x")


def test_a_second_rollout_is_refused_while_one_runs(flag: Flag) -> None:
    rollouts.start("x", PLAN)
    with pytest.raises(ChangeRefused, match="is running"):
        rollouts.start("x", PLAN)


@pytest.mark.parametrize("act", [rollouts.pause, rollouts.resume, rollouts.stop, rollouts.complete])
def test_without_a_rollout_there_is_nothing_to_act_on(flag: Flag, act: Any) -> None:
    with pytest.raises(ChangeRefused, match="no rollout is running"):
        act("x")


def test_people_can_be_added_while_it_runs() -> None:
    changes.create("y")
    rollouts.start("y", PLAN)
    changes.enable("y", for_keys=["42"])
    assert flaggate.is_active("y", 42)
    assert not all(flaggate.is_active("y", user) for user in range(100))


def test_each_act_is_one_revision(flag: Flag) -> None:
    rollouts.start("x", PLAN, source="command")
    rollouts.pause("x")
    last, before = Revision.objects.filter(key="x")[:2]
    assert before.after["stages"] == [
        {"percentage": 5, "holds": 86400.0},
        {"percentage": 25, "holds": 172800.0},
        {"percentage": 100, "holds": None},
    ]
    assert before.after["rollout"]["paused_at"] is None
    assert last.after["rollout"]["paused_at"] is not None


def test_a_day_is_24_hours_also_when_the_clocks_change(
    flag: Flag, settings: Any, travel: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # summer time begins on 29 March 2026 at 2:00
    rollouts.start("x", PLAN)
    assert timezone.now().astimezone(ZoneInfo("Europe/Berlin")).hour == 13
    travel.shift(timedelta(hours=24, seconds=-1))
    assert near(5)(share())
    travel.shift(timedelta(seconds=1))
    assert near(25)(share())
    assert timezone.now().astimezone(ZoneInfo("Europe/Berlin")).hour == 14


def test_one_request_has_one_moment(flag: Flag, rf: Any, travel: Any) -> None:
    rollouts.start("x", [(0, DAY), (100, None)])
    flags = flaggate.flags_for(rf.get("/"))
    assert not flags.is_active("x")
    travel.shift(2 * DAY)
    assert not flags.is_active("x")
    assert flaggate.is_active("x")


def test_explain_names_the_stage(flag: Flag, travel: Any) -> None:
    rollouts.start("x", PLAN)
    travel.shift(DAY)
    explanation = flaggate.flags_for(42).explain("x")
    assert explanation.stage == 1
    assert explanation.share.percentage == 25


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("5:1d,25:2d,100", [(Decimal(5), DAY), (Decimal(25), 2 * DAY), (Decimal(100), None)]),
        (" 0.5% : 90m , 100 ", [(Decimal("0.5"), timedelta(minutes=90)), (Decimal(100), None)]),
        ("1:30s,2:1h,3:1w", [(1, timedelta(seconds=30)), (2, DAY / 24), (3, 7 * DAY)]),
    ],
)
def test_a_plan_is_written_in_one_line(text: str, plan: Any) -> None:
    assert rollouts.to_plan(text) == plan


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5:1d,",
        "five",
        "5:1y",
        "5:",
        "5:-1d",
        "1.2.3",
        "\u0665:1d",
        "5:9999999w",
        "5:" + "9" * 5000 + "s",
    ],
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"stages|percentage"):
        rollouts.to_plan(text)
