"""``flags rollout``."""

import pytest
import time_machine
from django.core.management import CommandError

from flaggate import changes
from flaggate.models import Flag, Rollout, Segment
from tests.management.shell import document, flags, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def flag():
    return changes.create("x", enabled=True, percentage=0)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2027-01-31T09:00:00Z", tick=False) as clock:
        yield clock


@pytest.mark.parametrize(
    ("percentage", "said"),
    [
        ("5", "x: on for 5 % of everyone (was 0 %). Revision 2."),
        ("12.5%", "x: on for 12.5 % of everyone (was 0 %). Revision 2."),
        ("100", "x: on for everyone (was 0 %). Revision 2."),
        ("0", "x: on for nobody already. Nothing was changed."),
    ],
)
def test_the_new_share_is_said_with_the_one_before(flag, percentage, said):
    assert flags("rollout", "x", percentage) == said


def test_the_share_of_a_flag_that_is_off_is_said_to_wait():
    changes.create("x", percentage=100)
    assert flags("rollout", "x", 5) == (
        "x: off; once enabled, on for 5 % of everyone (was 100 %). Revision 2."
    )


def test_with_rules_the_share_is_that_of_everyone_else(flag):
    with changes.change():
        flag.rules.create().segments.add(Segment.objects.create(key="beta"))
    assert flags("rollout", "x", 5) == "x: on for segment beta, then 5 % (was 0 %). Revision 3."


@pytest.mark.parametrize("percentage", ["-1", "101", "half", "nan", "1.23456"])
def test_what_is_no_percentage_is_refused(flag, percentage):
    assert refusal("rollout", "x", "--", percentage).startswith("flag x: percentage: ")
    assert Flag.objects.get().percentage == 0


def test_stages_raise_the_share_by_themselves(clock):
    changes.create("x", percentage=0)
    said = flags("rollout", "x", "--stages", "5:1d,50:12h,100")
    assert said == "x: on for 5 % (stage 1 of 3) (was off). Revision 2."
    clock.shift(24 * 3600)
    assert document("show", "x")["state"] == "on for 50 % (stage 2 of 3)"


def test_stages_start_when_they_are_told_to(flag):
    flags("rollout", "x", "--stages", "5:1d,100", "--at", "2027-02-01T10:00+01:00")
    assert Rollout.objects.get().started_at.isoformat() == "2027-02-01T09:00:00+00:00"


def test_stages_that_the_flag_has_are_run(flag):
    with changes.change():
        flag.stages.create(percentage=7)
    assert "on for 7 % (stage 1 of 1)" in flags("rollout", "x", "--start")


def test_a_rollout_is_paused_resumed_and_stopped(flag, clock):
    flags("rollout", "x", "--stages", "5:1d,50:1d,100")
    assert "(stage 1 of 3, paused)" in flags("rollout", "x", "--pause")
    clock.shift(5 * 24 * 3600)
    assert "x: on for 5 % (stage 1 of 3) (was" in flags("rollout", "x", "--resume")
    clock.shift(24 * 3600)
    assert flags("rollout", "x", "--stop").startswith("x: on for 50 % (was on for 50 % (stage 2")
    assert Flag.objects.get().percentage == 50


def test_a_rollout_is_completed(flag):
    flags("rollout", "x", "--stages", "5:1d,100")
    assert flags("rollout", "x", "--complete").startswith("x: on for everyone (was on for 5 %")


def test_a_percentage_is_refused_while_stages_run(flag):
    flags("rollout", "x", "--stages", "5:1d,100")
    assert "Stop the rollout first." in refusal("rollout", "x", 7)


def test_a_plan_that_can_not_be_read_is_refused(flag):
    assert "Write them like 5:1d,25:12h,100." in refusal("rollout", "x", "--stages", "5 for a day")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "is required"),
        (["5", "--pause"], "not allowed with"),
        (["--pause", "--stop"], "not allowed with"),
        (["--start", "--at", "noon"], "Write it like 2027-01-31T09:00Z."),
        (["--start", "--at", "2027-01-31T09:00"], "'2027-01-31T09:00' is no moment with a zone."),
    ],
    ids=" ".join,
)
def test_one_thing_is_done_at_a_time(flag, arguments, said):
    with pytest.raises(CommandError, match=r"^Error: ") as refused:
        flags("rollout", "x", *arguments)
    assert said in str(refused.value)
