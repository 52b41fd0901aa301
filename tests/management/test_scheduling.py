"""``flags schedule``."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management import CommandError

import flaggate
from flaggate import changes
from flaggate.models import Flag
from tests.management.shell import document, flags, refusal

pytestmark = pytest.mark.django_db

JANUARY, FEBRUARY = "2027-01-31T09:00+01:00", "2027-02-28T18:00Z"


@pytest.fixture(autouse=True)
def flag():
    return changes.create("x", enabled=True)


def active_at(moment):
    with time_machine.travel(moment, tick=False):
        return flaggate.is_active("x")


def test_a_flag_is_active_from_the_one_moment_and_until_the_other():
    flags("schedule", "x", "--from", JANUARY, "--until", FEBRUARY)
    assert not active_at(datetime(2027, 1, 31, 7, 59, 59, tzinfo=UTC))
    assert active_at(datetime(2027, 1, 31, 8, tzinfo=UTC))
    assert active_at(datetime(2027, 2, 28, 17, 59, 59, tzinfo=UTC))
    assert not active_at(datetime(2027, 2, 28, 18, tzinfo=UTC))


def test_what_is_not_named_stays_as_it_is():
    flags("schedule", "x", "--from", JANUARY)
    shown = document("schedule", "x", "--until", FEBRUARY)
    assert shown["active_from"] == "2027-01-31T08:00:00+00:00"


def test_both_moments_are_taken_away_together():
    flags("schedule", "x", "--from", JANUARY, "--until", FEBRUARY)
    flags("schedule", "x", "--always")
    flag = Flag.objects.get()
    assert (flag.active_from, flag.active_until) == (None, None)


@pytest.mark.parametrize("arguments", [[], ["--always", "--from", JANUARY]])
def test_it_must_be_clear_what_is_meant(arguments):
    assert "say --from, --until or both, or --always" in refusal("schedule", "x", *arguments)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(CommandError, match="no moment with a zone"):
        flags("schedule", "x", "--from", "2027-01-31T09:00")


def test_an_end_before_the_beginning_is_refused():
    assert "active_until" in refusal("schedule", "x", "--from", FEBRUARY, "--until", JANUARY)
