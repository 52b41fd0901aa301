"""Explanations: every step that led to an answer."""

from datetime import timedelta
from decimal import Decimal

import pytest

from flaggate.core.definitions import Condition, Prerequisite, Quarantined, Rule, Segment, Variant
from flaggate.core.evaluation import MEMBERSHIPS, OVERRIDER, UNSET
from flaggate.core.explanation import explain, not_found
from flaggate.core.stages import Stage
from tests.core.snapshots import (
    INSIDE_HALF,
    NOBODY,
    NOW,
    OUTSIDE_HALF,
    answer,
    fields,
    flag,
    segment,
    snapshot,
    user,
)

HALF, NONE = Decimal(50), Decimal(0)
SPLIT = (Variant("a", "A", 1), Variant("b", "B", 3))
BETA = Segment("beta", conditions=(Condition("plan", "one_of", ("beta", "alpha")),))


def explained(definition, *others, of=NOBODY):
    return explain(snapshot(definition, *others), definition.key, of)


# --- The answer ---

BY_NAME = Rule(("beta",), variant="b")
UNUSED = (Variant("a", "A", 0), Variant("b", "B", 1))
ON_DEMAND = segment("demand", on_demand=True)


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        (flag(rules=(BY_NAME,), variants=SPLIT), "B"),
        (flag(variants=UNUSED), "B"),
        (flag(variants=(Variant("off", False, 1),)), False),
        (flag(active_from=NOW), True),
        (flag(rules=(Rule(("demand",)),), percentage=NONE), True),
    ],
)
def test_it_ends_with_the_answer_that_the_flag_gives(definition, value):
    subject = user(plan="beta", **{MEMBERSHIPS: {"demand": True}})

    found = explained(definition, BETA, ON_DEMAND, of=subject).evaluation

    assert found.value == value
    assert fields(found) == fields(answer(definition, BETA, ON_DEMAND, of=subject))


@pytest.mark.parametrize(("later", "active"), [(-1, False), (1, True)])
def test_a_personal_override_counts_until_its_moment(later, active):
    subject = user(**{OVERRIDER: "7"})
    held = snapshot(flag(percentage=NONE, overridable=True))
    personal = held.personal("7", {"flag": (True, NOW + timedelta(seconds=later))})

    assert explain(personal, "flag", subject).evaluation.active is active


# --- The share ---


@pytest.mark.parametrize(("key", "bucket", "inside"), [("1", 49_641, True), ("42", 76_518, False)])
def test_a_share_shows_the_unit_its_bucket_and_the_first_bucket_outside(key, bucket, inside):
    share = explained(flag(percentage=HALF), of=user(key)).share

    assert (share.attribute, share.unit) == ("targeting_key", key)
    assert (share.bucket, share.threshold, share.inside) == (bucket, 50_000, inside)


def test_a_share_is_exact_to_one_bucket():
    one_less = explained(flag(percentage=Decimal("49.641")), of=user("1")).share
    enough = explained(flag(percentage=Decimal("49.642")), of=user("1")).share

    assert (one_less.threshold, one_less.inside) == (49_641, False)
    assert (enough.threshold, enough.inside) == (49_642, True)


def test_a_share_shows_by_which_attribute_it_buckets():
    share = explained(flag(percentage=HALF, bucket_by="org"), of=user("2", org="1")).share

    assert (share.attribute, share.unit, share.bucket) == ("org", "1", 49_641)


def test_a_share_without_a_unit_has_no_bucket():
    share = explained(flag(percentage=HALF)).share

    assert (share.unit, share.bucket, share.inside) == (None, None, False)


@pytest.mark.parametrize(("percentage", "inside"), [(0, False), (100, True)])
def test_nothing_is_hashed_where_the_answer_is_plain(percentage, inside):
    share = explained(flag(percentage=Decimal(percentage)), of=user("1")).share

    assert (share.unit, share.bucket, share.inside) == (None, None, inside)


def test_variants_are_hashed_even_at_100_percent():
    explanation = explained(flag(variants=SPLIT), of=user("1"))

    assert explanation.share.bucket == 49_641
    assert explanation.evaluation.variant == "a"


# --- The stages of a rollout ---


@pytest.mark.parametrize(("hours", "stage", "percentage"), [(-1, None, 7), (0, 0, 5), (3, 1, 50)])
def test_the_stage_of_a_rollout_replaces_the_percentage(hours, stage, percentage):
    start = NOW - timedelta(hours=hours)
    stages = (Stage(start, Decimal(5)), Stage(start + timedelta(hours=2), HALF))

    explanation = explained(flag(percentage=Decimal(7), stages=stages), of=user())

    assert explanation.stage == stage
    assert explanation.share.percentage == percentage


# --- Rules ---


def test_rules_are_shown_up_to_the_one_that_decided():
    definition = flag(rules=(Rule(("none",)), Rule(("beta",), HALF), Rule(("beta",))))

    explanation = explained(definition, BETA, Segment("none"), of=user(OUTSIDE_HALF, plan="beta"))

    assert [step.position for step in explanation.rules] == [1, 2]
    assert [step.matched for step in explanation.rules] == [False, True]
    assert explanation.rules[0].share is None
    assert explanation.rules[1].share.bucket == 76_518
    assert explanation.share is None
    assert (explanation.evaluation.rule, explanation.evaluation.active) == (2, False)


def test_where_no_rule_matched_all_of_them_and_the_share_of_everyone_else_are_shown():
    definition = flag(percentage=HALF, rules=(Rule(()), Rule(("beta",))))

    explanation = explained(definition, BETA, of=user(INSIDE_HALF))

    assert [step.matched for step in explanation.rules] == [False, False]
    assert explanation.share.bucket == 49_641
    assert explanation.evaluation.active


def test_a_rule_shows_all_its_segments_though_one_is_enough():
    definition = flag(rules=(Rule(("beta", "none")),))

    step = explained(definition, BETA, Segment("none"), of=user(plan="beta")).rules[0]

    assert [(each.segment, each.contains) for each in step.segments] == [
        ("beta", True),
        ("none", False),
    ]
    assert step.rule == definition.rules[0]


# --- Segments and conditions ---


def steps(audience, *others, of):
    """Return how a segment was judged."""
    return (
        explained(flag(rules=(Rule((audience.key,)),)), audience, *others, of=of)
        .rules[0]
        .segments[0]
    )


@pytest.mark.parametrize(
    ("key", "member", "contains"),
    [("1", "included", True), ("2", "excluded", False), ("3", "", False)],
)
def test_a_segment_shows_whether_somebody_is_a_member(key, member, contains):
    audience = Segment("s", included=frozenset({b"1", b"2"}), excluded=frozenset({b"2"}))

    step = steps(audience, of=user(key))

    assert (step.member, step.contains, step.conditions) == (member, contains, ())


def test_a_segment_shows_every_condition_with_the_value_it_met():
    country, plan = Condition("country", "one_of", ("de",)), BETA.conditions[0]
    audience = Segment("s", match_all=False, conditions=(country, plan))

    step = steps(audience, of=user(country="fr", plan="beta"))

    assert [(each.condition, each.value, each.met) for each in step.conditions] == [
        (country, "fr", False),
        (plan, "beta", True),
    ]
    assert step.contains


@pytest.mark.parametrize("negate", [False, True])
def test_a_condition_says_when_the_attribute_is_missing(negate):
    audience = Segment("s", conditions=(Condition("plan", "one_of", ("beta",), negate),))

    (condition,) = steps(audience, of=user()).conditions

    assert not condition.met
    assert condition.note == "the subject lacks this attribute"


@pytest.mark.parametrize(
    ("attributes", "value", "met"), [({}, None, False), ({"plan": ""}, "", True)]
)
def test_exists_needs_no_note(attributes, value, met):
    audience = Segment("s", conditions=(Condition("plan", "exists"),))

    (condition,) = steps(audience, of=user(**attributes)).conditions

    assert (condition.value, condition.met, condition.note) == (value, met, "")


@pytest.mark.parametrize(("negate", "met"), [(False, True), (True, False)])
def test_a_condition_on_segments_shows_which_of_them_contain_the_subject(negate, met):
    nesting = Condition("", "in_segment", ("none", "beta"), negate)
    audience = Segment("s", conditions=(nesting,))

    (condition,) = steps(audience, BETA, Segment("none"), of=user(plan="beta")).conditions

    assert (condition.value, condition.met) == (["beta"], met)


# --- Prerequisites ---


def test_a_prerequisite_shows_the_other_answer_and_whether_it_was_met():
    definition = flag(prerequisites=(Prerequisite("on"), Prerequisite("split", "b")))

    explanation = explained(definition, flag("on"), flag("split", variants=SPLIT), of=user("1"))

    on, split = explanation.prerequisites
    assert (on.met, on.evaluation.flag, on.evaluation.active) == (True, "on", True)
    assert (split.met, split.evaluation.variant, split.prerequisite.variant) == (False, "a", "b")
    assert explanation.evaluation.reason == "PREREQUISITE_FAILED"
    assert explanation.share is None


def test_a_prerequisite_that_does_not_exist_shows_so():
    (step,) = explained(flag(prerequisites=(Prerequisite("gone"),))).prerequisites

    assert (step.met, step.evaluation.error) == (False, "FLAG_NOT_FOUND")


def test_a_prerequisite_that_is_quarantined_shows_so():
    held = snapshot(
        flag(prerequisites=(Prerequisite("bad"),)), quarantined={"bad": Quarantined("unreadable")}
    )

    (step,) = explain(held, "flag", NOBODY).prerequisites

    assert (step.met, step.evaluation.error) == (False, "PARSE_ERROR")


def test_prerequisites_that_run_in_a_circle_are_not_followed():
    one = flag("one", prerequisites=(Prerequisite("two"),))
    two = flag("two", prerequisites=(Prerequisite("one"),))
    definition = flag(prerequisites=(Prerequisite("one"),))

    for explanation in (explained(one, two), explained(definition, one, two)):
        assert explanation.prerequisites == []
        assert explanation.evaluation.reason == "PREREQUISITE_FAILED"
        assert "circle" in explanation.evaluation.message


# --- Flags that are not asked ---


@pytest.mark.parametrize(
    "fields",
    [
        {"enabled": False},
        {"archived": True},
        {"active_from": NOW + timedelta(hours=1)},
        {"active_until": NOW},
    ],
)
def test_a_disabled_flag_is_not_walked_through(fields):
    definition = flag(prerequisites=(Prerequisite("other"),), rules=(Rule(("beta",)),), **fields)

    explanation = explained(definition, BETA, flag("other"))

    assert explanation.flag == definition
    assert explanation.evaluation.reason == "DISABLED"
    assert (explanation.prerequisites, explanation.rules, explanation.share) == ([], [], None)


def test_an_unknown_key_is_explained_too():
    explanation = explain(snapshot(), "typo", NOBODY)

    assert explanation.flag is None
    assert explanation.evaluation.error == "FLAG_NOT_FOUND"
    assert explanation.quarantined == ""


def test_an_unknown_key_has_no_value_and_names_itself():
    answer = not_found("typo")

    assert (answer.flag, answer.value, answer.active) == ("typo", UNSET, False)
    assert (answer.reason, answer.error) == ("ERROR", "FLAG_NOT_FOUND")
    assert answer.message == "There is no flag 'typo'."


@pytest.mark.parametrize(("multivariate", "value"), [(False, "False"), (True, "UNSET")])
def test_a_quarantined_flag_without_a_definition_says_why_it_is_off(multivariate, value):
    held = snapshot(quarantined={"flag": Quarantined("salt: is empty.", multivariate)})

    explanation = explain(held, "flag", NOBODY)

    assert explanation.flag is None
    assert explanation.quarantined == explanation.evaluation.message == "salt: is empty."
    assert (repr(explanation.evaluation.value), explanation.evaluation.active) == (value, False)
    assert explanation.evaluation.error == "PARSE_ERROR"


def test_a_quarantined_flag_is_explained_by_its_last_good_definition():
    held = snapshot(flag(percentage=HALF), quarantined={"flag": Quarantined("salt: is empty.")})

    explanation = explain(held, "flag", user("1"))

    assert explanation.quarantined == "salt: is empty."
    assert explanation.evaluation.active
    assert explanation.share.bucket == 49_641
