"""The question and the answer: every reason, and what is known of a subject."""

from collections import Counter
from dataclasses import FrozenInstanceError
from datetime import timedelta, timezone
from decimal import Decimal

import pytest

from flaggate.core.definitions import Condition, Prerequisite, Rule, Segment, Variant
from flaggate.core.evaluation import UNSET, Evaluation, EvaluationContext
from tests.core.snapshots import (
    INSIDE_HALF,
    NOBODY,
    NOW,
    OUTSIDE_HALF,
    answer,
    flag,
    snapshot,
    user,
)

HALF = Decimal(50)
NONE = Decimal(0)
HOUR = timedelta(hours=1)
LAYOUTS = (Variant("compact", "c", 1), Variant("wide", "w", 3))
BOTH = {"variants": LAYOUTS, "off_variant": "wide"}
ONE = (Variant("compact", "c", 1), Variant("wide", "w", 0))
BETA = Segment("beta", conditions=(Condition("plan", "one_of", ("beta",)),))
TO_BETA = Rule(("beta",))
HALF_OF_BETA = Rule(("beta",), HALF)
REQUIRED = (Prerequisite("required"),)

nobody = NOBODY
inside, outside = user(INSIDE_HALF, plan="free"), user(OUTSIDE_HALF, plan="free")
beta_inside, beta_outside = user(INSIDE_HALF, plan="beta"), user(OUTSIDE_HALF, plan="beta")
beta_nobody = EvaluationContext(attributes={"plan": "beta"}, now=NOW)

OFF, ON = (False, False, None), (True, True, None)
OFF_UNSET, OFF_WIDE = (UNSET, False, None), ("w", False, "wide")
COMPACT, WIDE = ("c", True, "compact"), ("w", True, "wide")

# Flag, subject, value-active-variant, reason, deciding rule, error.
ANSWERS = [
    # Off, whatever else it says.
    (flag(enabled=False), nobody, OFF, "DISABLED", None, None),
    (flag(enabled=False, variants=LAYOUTS), nobody, OFF_UNSET, "DISABLED", None, None),
    (flag(enabled=False, **BOTH), nobody, OFF_WIDE, "DISABLED", None, None),
    (flag(enabled=False, rules=(TO_BETA,)), beta_inside, OFF, "DISABLED", None, None),
    (flag(archived=True), inside, OFF, "DISABLED", None, None),
    (flag(archived=True, **BOTH), inside, OFF_WIDE, "DISABLED", None, None),
    (flag(active_from=NOW + HOUR), inside, OFF, "DISABLED", None, None),
    (flag(active_until=NOW), inside, OFF, "DISABLED", None, None),
    # A prerequisite fails.
    (flag(prerequisites=REQUIRED), inside, OFF, "PREREQUISITE_FAILED", None, None),
    (flag(prerequisites=REQUIRED, **BOTH), inside, OFF_WIDE, "PREREQUISITE_FAILED", None, None),
    (flag(prerequisites=REQUIRED, enabled=False), inside, OFF, "DISABLED", None, None),
    # The first rule that matches decides.
    (flag(rules=(TO_BETA,)), beta_nobody, ON, "TARGETING_MATCH", 1, None),
    (flag(rules=(Rule(("beta",), NONE),)), beta_nobody, OFF, "TARGETING_MATCH", 1, None),
    (flag(rules=(HALF_OF_BETA,)), beta_inside, ON, "SPLIT", 1, None),
    (flag(rules=(HALF_OF_BETA,)), beta_outside, OFF, "SPLIT", 1, None),
    (flag(rules=(HALF_OF_BETA,)), beta_nobody, OFF, "ERROR", 1, "TARGETING_KEY_MISSING"),
    (
        flag(rules=(Rule(("beta",), variant="wide"),), variants=LAYOUTS),
        *(beta_nobody, WIDE, "TARGETING_MATCH", 1, None),
    ),
    (flag(rules=(TO_BETA,), variants=LAYOUTS), beta_inside, COMPACT, "SPLIT", 1, None),
    (flag(rules=(TO_BETA,), variants=ONE), beta_nobody, COMPACT, "TARGETING_MATCH", 1, None),
    # Nobody matched: everyone else.
    (flag(rules=(TO_BETA,)), nobody, ON, "DEFAULT", None, None),
    (flag(rules=(TO_BETA,), percentage=NONE), nobody, OFF, "DEFAULT", None, None),
    (flag(rules=(TO_BETA,), percentage=HALF), inside, ON, "SPLIT", None, None),
    (flag(rules=(TO_BETA,), percentage=HALF), outside, OFF, "SPLIT", None, None),
    (flag(rules=(Rule(()),), percentage=NONE), inside, OFF, "DEFAULT", None, None),
    # No rules at all.
    (flag(), nobody, ON, "STATIC", None, None),
    (flag(percentage=NONE), nobody, OFF, "STATIC", None, None),
    (flag(percentage=NONE, variants=LAYOUTS), nobody, OFF_UNSET, "STATIC", None, None),
    (flag(percentage=NONE, **BOTH), nobody, OFF_WIDE, "STATIC", None, None),
    (flag(variants=ONE), nobody, COMPACT, "STATIC", None, None),
    # A hash decided.
    (flag(percentage=HALF), inside, ON, "SPLIT", None, None),
    (flag(percentage=HALF), outside, OFF, "SPLIT", None, None),
    (flag(percentage=HALF, variants=LAYOUTS), inside, COMPACT, "SPLIT", None, None),
    (flag(percentage=HALF, variants=LAYOUTS), outside, OFF_UNSET, "SPLIT", None, None),
    (flag(percentage=HALF, **BOTH), outside, OFF_WIDE, "SPLIT", None, None),
    (flag(percentage=HALF, variants=ONE), inside, COMPACT, "SPLIT", None, None),
    (flag(variants=LAYOUTS), inside, COMPACT, "SPLIT", None, None),
    # A hash is needed, and there is nothing to hash.
    (flag(percentage=HALF), nobody, OFF, "ERROR", None, "TARGETING_KEY_MISSING"),
    (flag(percentage=HALF, **BOTH), nobody, OFF_WIDE, "ERROR", None, "TARGETING_KEY_MISSING"),
    (flag(variants=LAYOUTS), nobody, OFF_UNSET, "ERROR", None, "TARGETING_KEY_MISSING"),
    (flag(percentage=HALF, bucket_by="org"), inside, OFF, "ERROR", None, "TARGETING_KEY_MISSING"),
]


@pytest.mark.parametrize(
    ("definition", "subject", "served", "reason", "rule", "error"), ANSWERS, ids=range(len(ANSWERS))
)
def test_every_reason(definition, subject, served, reason, rule, error):
    found = answer(definition, BETA, flag("required", percentage=NONE), of=subject)

    assert (found.value, found.active, found.variant) == served
    assert (found.flag, found.reason, found.rule, found.error) == ("flag", reason, rule, error)


def test_the_table_shows_every_reason():
    reasons = Counter(row[3] for row in ANSWERS)

    assert set(reasons) == {
        "DISABLED",
        "PREREQUISITE_FAILED",
        "TARGETING_MATCH",
        "DEFAULT",
        "STATIC",
        "SPLIT",
        "ERROR",
    }


# --- The schedule: from active_from on, until just before active_until ---


@pytest.mark.parametrize(
    ("start", "end", "active"),
    [
        (NOW, None, True),
        (NOW + timedelta(microseconds=1), None, False),
        (None, NOW, False),
        (None, NOW + timedelta(microseconds=1), True),
        (NOW, NOW + HOUR, True),
        (NOW - HOUR, NOW, False),
        (NOW - HOUR, NOW + HOUR, True),
        (NOW + HOUR, NOW + 2 * HOUR, False),
        (NOW - 2 * HOUR, NOW - HOUR, False),
    ],
)
def test_a_flag_is_active_from_one_moment_until_before_another(start, end, active):
    assert answer(flag(active_from=start, active_until=end)).active is active


@pytest.mark.parametrize("edges", [{"active_from": NOW - HOUR}, {"active_until": NOW + HOUR}])
def test_without_a_moment_a_scheduled_flag_is_off(edges):
    found = answer(flag(**edges), of=EvaluationContext("1"))

    assert (found.active, found.reason) == (False, "DISABLED")


def test_a_moment_counts_whatever_its_time_zone():
    east = NOW.astimezone(timezone(timedelta(hours=2)))

    assert answer(flag(active_from=east)).active


# --- Evaluations ---


def test_an_evaluation_is_truthy_when_active_and_prints_its_value():
    active = Evaluation("f", "compact", True, "c", "STATIC")
    inactive = Evaluation("f", "compact", False, "c", "STATIC")

    assert active
    assert not inactive
    assert str(active) == str(inactive) == "compact"


def test_an_evaluation_equals_only_itself_because_it_is_counted():
    one, other = (Evaluation("f", True, True, None, "STATIC") for _ in range(2))

    assert one != other
    assert len({one, other, one}) == 2


def test_an_evaluation_can_not_be_changed():
    with pytest.raises(FrozenInstanceError):
        answer(flag()).active = False


def test_unset_is_false_and_prints_nothing():
    assert not UNSET
    assert str(UNSET) == ""
    assert repr(UNSET) == "UNSET"


# --- Contexts ---


@pytest.mark.parametrize(
    ("given", "key"),
    [("42", "42"), (42, "42"), ("é", "é"), ("", None), ("\ud800", None), (True, None)],
)
def test_a_targeting_key_is_a_text_or_none_also_where_conditions_see_it(given, key):
    by_argument = EvaluationContext(given)
    by_attribute = EvaluationContext(attributes={"targeting_key": given})
    when_asked = EvaluationContext(resolve={"targeting_key": given}.get)

    for context in (by_argument, by_attribute, when_asked):
        assert context.attributes["targeting_key"] == key
        assert context.targeting_key == key


def test_a_targeting_key_beats_the_attribute_of_that_name():
    assert EvaluationContext("1", {"targeting_key": "2"}).targeting_key == "1"


def test_a_targeting_key_is_not_looked_for_where_one_is_given():
    assert EvaluationContext("", resolve={"targeting_key": "2"}.get).targeting_key is None


def test_without_a_targeting_key_there_is_none():
    assert EvaluationContext().targeting_key is None
    assert EvaluationContext().attributes["targeting_key"] is None


def test_a_missing_attribute_is_none():
    assert EvaluationContext().attributes["plan"] is None


def test_an_attribute_is_looked_for_once_and_only_when_asked_for():
    asked = []
    context = EvaluationContext(attributes={"plan": "beta"}, resolve=asked.append)

    assert context.attributes["plan"] == "beta"
    assert asked == []
    for _ in range(3):
        assert context.attributes["country"] is None
        assert context.units["org"] is None
    assert asked == ["country", "org"]


def test_what_is_looked_for_may_fail_and_is_looked_for_again():
    def resolve(name):
        raise OSError(name)

    context = EvaluationContext(resolve=resolve)

    for _ in range(2):
        with pytest.raises(OSError, match="plan"):
            context.attributes["plan"]


def test_a_unit_is_encoded_once_whichever_attribute_it_comes_from():
    context = EvaluationContext("1", {"org": "é"})

    assert context.units["org"] == "é".encode()
    assert context.units["org"] is context.units["org"]


def test_the_moment_is_an_attribute_too():
    assert EvaluationContext(now=NOW).attributes["now"] == NOW
    assert EvaluationContext(attributes={"now": "then"}, now=NOW).attributes["now"] == "then"
    assert EvaluationContext().attributes["now"] is None


def test_a_context_does_not_change_what_it_was_given():
    given = {"plan": "beta"}

    EvaluationContext(1, given, now=NOW).attributes["country"]

    assert given == {"plan": "beta"}


def test_a_context_shows_what_is_known():
    shown = repr(EvaluationContext("1", {"plan": "beta"}))

    assert shown == "EvaluationContext('1', {'plan': 'beta', 'targeting_key': '1'})"


# --- What needs nothing of the subject reads nothing ---


@pytest.mark.parametrize(
    "definition",
    [
        flag(enabled=False, percentage=HALF),
        flag(archived=True, rules=(TO_BETA,)),
        flag(percentage=NONE, variants=LAYOUTS),
        flag(),
        flag(variants=ONE),
        flag(active_until=NOW, percentage=HALF),
    ],
)
def test_nothing_of_a_subject_is_read_for_a_flag_that_is_plainly_on_or_off(definition):
    read = []

    answer(definition, BETA, of=EvaluationContext(resolve=read.append, now=NOW))

    assert read == []


def test_the_unit_is_not_read_where_a_rule_is_plainly_on():
    read = []
    context = EvaluationContext(attributes={"plan": "beta"}, resolve=read.append, now=NOW)

    assert answer(flag(rules=(TO_BETA,), percentage=HALF), BETA, of=context).active
    assert read == []


def test_a_snapshot_raises_for_a_key_that_no_flag_has():
    with pytest.raises(KeyError):
        snapshot(flag()).evaluate("other", NOBODY)
