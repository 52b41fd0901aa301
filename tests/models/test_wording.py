"""A flag's state in words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from flaggate import changes
from flaggate.models import Flag, Rollout, Segment, wording

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


def state(key="x"):
    return wording.state(Flag.objects.prefetch_related(*wording.READS).get(key=key), NOW)


@pytest.fixture
def flag():
    return changes.create("x", enabled=True)


def add_rule(flag, *segments, percentage=100, variant=""):
    with changes.change() as change:
        change.state_percentage(flag.key)
        rule = flag.rules.create(order=flag.rules.count(), percentage=percentage, variant=variant)
        for key in segments:
            rule.segments.add(Segment.objects.get_or_create(key=key)[0])


def test_a_new_flag_is_off():
    changes.create("x")
    assert state() == "off"


@pytest.mark.parametrize(
    ("percentage", "words"),
    [
        (100, "on for everyone"),
        (25, "on for 25 %"),
        ("0.001", "on for 0.001 %"),
        ("33.3", "on for 33.3 %"),
        (0, "on for nobody"),
    ],
)
def test_without_rules_the_percentage_says_for_whom(flag, percentage, words):
    changes.rollout("x", percentage)
    assert state() == words


def test_a_percentage_that_was_not_read_back_is_worded_alike(flag):
    flag.percentage = Decimal("25.0")
    assert wording.state(flag, NOW) == "on for 25 %"


def test_an_archived_flag_is_archived_whatever_else_it_is(flag):
    changes.archive("x")
    assert state() == "archived"


def test_a_flag_that_begins_later_is_scheduled():
    changes.create("x", enabled=True, active_from=LATER, active_until=None)
    assert state() == "scheduled from 2027-03-01 09:30 UTC for everyone"


def test_a_flag_that_begins_later_and_ends_says_both():
    changes.create("x", enabled=True, active_from=LATER, active_until=LATER + 24 * HOUR)
    assert state() == "scheduled from 2027-03-01 09:30 UTC until 2027-03-02 09:30 UTC for everyone"


def test_a_flag_that_ends_later_says_when():
    changes.create("x", enabled=True, active_until=LATER)
    assert state() == "on until 2027-03-01 09:30 UTC for everyone"


def test_a_flag_whose_time_has_passed_is_over():
    changes.create("x", enabled=True, active_until=NOW)
    assert state() == "over since 2027-01-01 00:00 UTC"


def test_rules_come_in_their_order_and_everyone_else_last(flag):
    add_rule(flag, "beta")
    changes.rollout("x", 5)
    assert state() == "on for segment beta, then 5 %"


def test_nobody_else_is_not_mentioned(flag):
    add_rule(flag, "beta", "alpha", percentage=20)
    changes.rollout("x", 0)
    assert state() == "on for 20 % of segments alpha or beta"


def test_everyone_else_is_mentioned(flag):
    add_rule(flag, "banned", percentage=0)
    assert state() == "on for nobody of segment banned, then everyone else"


def test_a_rule_without_segments_is_seen_to_match_nobody(flag):
    flag.rules.create()
    assert state() == "on for nobody (a rule without segments), then everyone else"


def test_just_these_people_are_chosen_people(flag):
    changes.enable("x", for_keys=["42"])
    assert state() == "on for chosen people"


def test_many_rules_are_counted(flag):
    for key in "abcde":
        add_rule(flag, key)
    changes.rollout("x", 0)
    assert state() == ("on for segment a, then segment b, then segment c, then 2 more rules")


def test_the_variant_of_a_rule_is_named():
    flag = changes.create("x", enabled=True, percentage=0, variants=[("big", 1, 1), ("low", 2, 3)])
    add_rule(flag, "beta", variant="big")
    assert state() == "on for segment beta (big)"
    assert wording.variants(flag) == "big 25 %, low 75 %"


def test_prerequisites_are_conditions(flag):
    changes.create("y")
    changes.create("z", variants=[("compact", 1, 1)])
    with changes.change():
        flag.prerequisites.create(required=Flag.objects.get(key="y"))
        flag.prerequisites.create(required=Flag.objects.get(key="z"), variant="compact")
    assert state() == "on for everyone, if y is active and z serves compact"


@pytest.fixture
def rollout():
    """A flag whose stages run from NOW on: 5 % for an hour, then 100 %."""
    changes.create("x", percentage=1)
    changes.rollouts.start("x", [(5, HOUR), (100, None)], at=NOW)


def state_at(now):
    return wording.state(Flag.objects.prefetch_related(*wording.READS).get(key="x"), now)


@pytest.mark.parametrize(
    ("elapsed", "words"),
    [
        (-HOUR, "on for 1 % (stages from 2027-01-01 00:00 UTC)"),
        (0 * HOUR, "on for 5 % (stage 1 of 2)"),
        (HOUR, "on for everyone (stage 2 of 2)"),
    ],
    ids=str,
)
def test_the_stage_of_a_running_rollout_replaces_the_percentage(rollout, elapsed, words):
    assert state_at(NOW + elapsed) == words


def test_a_paused_rollout_stays_at_its_stage(rollout):
    Rollout.objects.update(paused_at=NOW)
    assert state_at(NOW + 2 * HOUR) == "on for 5 % (stage 1 of 2, paused)"


def test_a_prefetched_flag_is_worded_without_a_query(flag, django_assert_num_queries):
    add_rule(flag, "beta")
    found = Flag.objects.prefetch_related(*wording.READS).get()
    with django_assert_num_queries(0):
        wording.state(found)
        wording.variants(found)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=14), "14d"),
        (timedelta(days=1, hours=12), "36h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=61), "61s"),
    ],
    ids=str,
)
def test_a_length_of_time_can_be_read_back_as_a_stage(length, words):
    assert wording.duration(length) == words
    assert changes.rollouts.to_plan(f"5:{words}") == [(5, length)]


# --- in another language ---


@pytest.fixture
def german():
    with translation.override("de"):
        yield


def test_german_puts_the_verb_of_a_condition_last(german, flag):
    with changes.change():
        flag.prerequisites.create(required=Flag.objects.create(key="checkout"))
        layout = Flag.objects.create(key="layout")
        layout.variants.create(key="compact", value=1)
        flag.prerequisites.create(required=layout, variant="compact")
    assert state() == "an für alle, wenn checkout aktiv ist und layout compact liefert"


def test_german_declines_segments_by_what_is_said_of_them(german, flag):
    add_rule(flag, "a")
    add_rule(flag, "a", "b", percentage=Decimal("2.5"))
    add_rule(flag, "b", percentage=0)
    assert state().replace("\xa0", " ") == (
        "an für Segment a, dann 2,5 % der Segmente a oder b, dann niemand aus Segment b, "
        "dann alle anderen"
    )


def test_german_declines_how_long_ago_something_was(german):
    then = timezone.now() - timedelta(days=3)
    assert wording.ago(then).replace("\xa0", " ") == "vor 3 Tagen"


@pytest.mark.parametrize(
    ("language", "number"), [("de", "12.345,5"), ("en", "12,345.5"), (None, "12,345.5")]
)
def test_numbers_are_written_as_in_the_readers_language(language, number):
    with translation.override(language):
        assert wording.figure(12345.5) == number
