"""The compiler: rules, shares, variants, stages, prerequisites."""

import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from flaggate.core import references
from flaggate.core.compiler import off
from flaggate.core.definitions import Prerequisite, Rule, Segment, Variant
from flaggate.core.evaluation import UNSET, EvaluationContext
from flaggate.core.explanation import explain
from flaggate.core.stages import Stage
from tests.core.snapshots import (
    INSIDE_HALF,
    NOBODY,
    NOW,
    OUTSIDE_HALF,
    answer,
    fields,
    flag,
    nest,
    one_of,
    segment,
    snapshot,
    user,
)

HALF, NONE = Decimal(50), Decimal(0)


# --- Rules ---

BETA = segment("beta", one_of("plan", "beta"))
GERMAN = segment("german", one_of("country", "de"))


@pytest.mark.parametrize(
    ("attributes", "rule", "active"),
    [
        ({"plan": "beta"}, 1, True),
        ({"plan": "beta", "country": "de"}, 1, True),
        ({"country": "de"}, 2, False),
        ({}, None, True),
    ],
)
def test_the_first_rule_that_matches_decides(attributes, rule, active):
    definition = flag(rules=(Rule(("beta",)), Rule(("german",), NONE)))

    found = answer(definition, BETA, GERMAN, of=user(**attributes))

    assert (found.rule, found.active) == (rule, active)


def test_the_first_rule_decides_even_for_those_outside_its_share():
    definition = flag(rules=(Rule(("beta",), HALF), Rule(("beta",))))

    found = answer(definition, BETA, of=user(OUTSIDE_HALF, plan="beta"))

    assert (found.rule, found.active) == (1, False)


def test_a_rule_of_0_percent_on_top_leaves_its_people_out():
    definition = flag(rules=(Rule(("german",), NONE), Rule(("beta",))))

    assert not answer(definition, BETA, GERMAN, of=user(plan="beta", country="de"))
    assert answer(definition, BETA, GERMAN, of=user(plan="beta"))


def test_any_of_a_rules_segments_is_enough():
    definition = flag(percentage=NONE, rules=(Rule(("beta", "german")),))

    assert answer(definition, BETA, GERMAN, of=user(plan="beta"))
    assert answer(definition, BETA, GERMAN, of=user(country="de"))
    assert not answer(definition, BETA, GERMAN, of=user(country="fr"))


def test_a_rule_without_segments_matches_nobody_and_keeps_its_place():
    definition = flag(percentage=NONE, rules=(Rule(()), Rule(("beta",))))

    matched = answer(definition, BETA, of=user(plan="beta"))
    other = answer(definition, BETA, of=user())

    assert (matched.active, matched.rule) == (True, 2)
    assert (other.active, other.reason) == (False, "DEFAULT")


def test_a_flag_whose_only_rule_has_no_segments_is_for_everyone_else():
    assert answer(flag(rules=(Rule((), NONE),))).reason == "DEFAULT"


def test_five_rules_are_asked_in_order():
    segments = [segment(f"s{n}", one_of("n", n)) for n in range(5)]
    definition = flag(rules=tuple(Rule((each.key,)) for each in segments))

    for n in range(5):
        assert answer(definition, *segments, of=user(n=n)).rule == n + 1


# --- Shares and variants ---


def test_of_people_named_one_by_one_a_share_can_be_served_too():
    people = Segment("people", included=frozenset({b"1", b"42"}))
    definition = flag(percentage=NONE, rules=(Rule(("people",), HALF),))

    assert answer(definition, people, of=user(INSIDE_HALF)).active
    assert not answer(definition, people, of=user(OUTSIDE_HALF)).active


def test_all_rules_and_everyone_else_share_the_same_buckets():
    definition = flag(percentage=HALF, rules=(Rule(("beta",), HALF),))

    for key in map(str, range(200)):
        in_rule = answer(definition, BETA, of=user(key, plan="beta"))
        in_rest = answer(definition, BETA, of=user(key))

        assert in_rule.active == in_rest.active


@pytest.mark.parametrize(("percentage", "active"), [("49.641", False), ("49.642", True)])
def test_a_percentage_is_exact_to_a_thousandth(percentage, active):
    """The user 1 has the bucket 49,641."""
    assert answer(flag(percentage=Decimal(percentage)), of=user("1")).active is active


@pytest.mark.parametrize("variants", [(), (Variant("a", 1, 1), Variant("b", 2, 1))])
@pytest.mark.parametrize(
    ("key", "percentage", "active"),
    [
        # Found by trying: their hashes are the first outside, and the last inside.
        ("78851", "71.611", False),
        ("78851", "71.612", True),
        ("82543", "44.771", False),
        ("82543", "44.772", True),
    ],
)
def test_a_percentage_is_exact_to_a_single_hash(variants, key, percentage, active):
    definition = flag(percentage=Decimal(percentage), variants=variants)

    found = answer(definition, of=user(key))

    assert found.active is active
    assert fields(found) == fields(explain(snapshot(definition), "flag", user(key)).evaluation)


@pytest.mark.parametrize(
    ("key", "weight", "variant"),
    [
        ("12553", 75_065, "b"),
        ("12553", 75_066, "a"),
        ("31656", 21_127, "b"),
        ("31656", 21_128, "a"),
    ],
)
def test_a_weight_is_exact_to_a_single_hash(key, weight, variant):
    definition = flag(variants=(Variant("a", 1, weight), Variant("b", 2, 100_000 - weight)))

    found = answer(definition, of=user(key))

    assert found.variant == variant
    assert fields(found) == fields(explain(snapshot(definition), "flag", user(key)).evaluation)


def test_a_number_and_its_text_are_the_same_subject():
    definitions = snapshot(flag(percentage=HALF))

    for number in range(100):
        by_number = definitions.evaluate("flag", user(number))

        assert by_number is definitions.evaluate("flag", user(str(number)))


def test_bucketing_by_an_attribute_gives_all_who_share_it_one_answer():
    definition = flag(percentage=HALF, bucket_by="org")

    assert {answer(definition, of=user(key, org="1")).active for key in range(100)} == {True}
    assert {answer(definition, of=user(key, org="42")).active for key in range(100)} == {False}


def test_variants_are_bucketed_by_the_same_attribute():
    definition = flag(
        bucket_by="org", variants=(Variant("a", 1, 1), Variant("b", 2, 1), Variant("c", 3, 1))
    )

    assert len({answer(definition, of=user(key, org="x")).variant for key in range(100)}) == 1


# With the salt "checkout" the user 1 has 24,995 of 100,000 for variants.
@pytest.mark.parametrize(
    ("weights", "variant"),
    [
        ([1], "a"),
        ([0, 1], "b"),
        ([24_995, 75_005], "b"),
        ([24_996, 75_004], "a"),
        ([1, 3], "a"),
        ([1, 4], "b"),
        ([24_995, 0, 75_005], "c"),
        ([0, 24_996, 75_004], "b"),
        ([24_996, 0, 0, 75_004], "a"),
        ([10_000, 14_995, 1, 75_004], "c"),
    ],
)
def test_the_variant_is_the_first_whose_summed_weight_exceeds_the_hash(weights, variant):
    variants = tuple(Variant(key, key, each) for key, each in zip("abcd", weights, strict=False))

    assert answer(flag(variants=variants), of=user("1")).variant == variant


def test_a_variant_without_weight_is_served_only_where_a_rule_names_it():
    variants = (Variant("a", 1, 0), Variant("b", 2, 1))
    definition = flag(rules=(Rule(("beta",), variant="a"),), variants=variants)

    named = answer(definition, BETA, of=user(plan="beta"))
    split = {answer(definition, BETA, of=user(key)).variant for key in range(200)}

    assert (named.value, named.active) == (1, True)
    assert split == {"b"}


def test_a_rule_with_a_share_and_a_variant_serves_it_to_that_share():
    variants = (Variant("a", 1, 1), Variant("b", 2, 1))
    definition = flag(rules=(Rule(("beta",), HALF, "b"),), variants=variants)

    inside = answer(definition, BETA, of=user(INSIDE_HALF, plan="beta"))
    outside = answer(definition, BETA, of=user(OUTSIDE_HALF, plan="beta"))

    assert (inside.variant, inside.reason) == ("b", "SPLIT")
    assert (outside.variant, outside.active) == (None, False)


@pytest.mark.parametrize("value", [0, 0.0, "", [], {}, 1, "false"])
def test_a_served_value_is_active_unless_it_is_false(value):
    assert answer(flag(variants=(Variant("a", value, 1),))).active
    assert not answer(flag(variants=(Variant("a", False, 1),))).active


def test_a_variant_of_false_is_served_but_inactive():
    found = answer(flag(variants=(Variant("off", False, 1),)))

    assert (found.value, found.active, found.variant, found.reason) == (
        False,
        False,
        "off",
        "STATIC",
    )


def test_off_gives_the_off_variant_even_a_true_one_and_is_inactive():
    variants = (Variant("a", True, 1), Variant("b", "x", 1))
    found = answer(flag(enabled=False, variants=variants, off_variant="a"))

    assert (found.value, found.active, found.variant) == (True, False, "a")


def test_off_of_a_flag_whose_off_variant_is_gone_is_unset():
    found = off(flag(variants=(Variant("a", 1, 1),), off_variant="gone"), "ERROR")

    assert (found.value, found.variant) == (UNSET, None)


def test_an_answer_is_prepared_when_compiling():
    definitions = snapshot(flag(percentage=HALF, variants=(Variant("a", 1, 1), Variant("b", 2, 1))))

    answers = {definitions.evaluate("flag", user(key)) for key in range(500)}

    assert len(answers) == 3


# --- The stages of a rollout ---

HOUR = timedelta(hours=1)
STAGES = (Stage(NOW, NONE), Stage(NOW + HOUR, HALF), Stage(NOW + 2 * HOUR, Decimal(100)))


@pytest.mark.parametrize(
    ("now", "reason", "active"),
    [
        (NOW - timedelta(microseconds=1), "STATIC", True),
        (NOW, "STATIC", False),
        (NOW + HOUR - timedelta(microseconds=1), "STATIC", False),
        (NOW + HOUR, "SPLIT", True),
        (NOW + 2 * HOUR, "STATIC", True),
        (NOW + 9 * HOUR, "STATIC", True),
        (None, "STATIC", True),
    ],
)
def test_a_stage_replaces_the_percentage_from_the_moment_it_starts(now, reason, active):
    found = answer(flag(stages=STAGES), of=EvaluationContext(INSIDE_HALF, now=now))

    assert (found.reason, found.active) == (reason, active)


def test_a_stage_is_for_those_whom_no_rule_caught():
    definition = flag(stages=STAGES, rules=(Rule(("beta",)),))

    assert answer(definition, BETA, of=user(plan="beta")).active
    assert answer(definition, BETA, of=user(plan="free")).reason == "DEFAULT"
    assert not answer(definition, BETA, of=user(plan="free")).active


# --- Prerequisites ---

REQUIRES = flag(prerequisites=(Prerequisite("required"),))
REQUIRES_A = flag(prerequisites=(Prerequisite("required", "a"),))
A, B = Variant("a", 1), Variant("b", 2)


@pytest.mark.parametrize(
    ("required", "met"),
    [
        (flag("required"), True),
        (flag("required", percentage=NONE), False),
        (flag("required", enabled=False), False),
        (flag("required", archived=True), False),
        (flag("required", variants=(replace(A, weight=1), B)), True),
        (flag("required", variants=(Variant("a", False, 1),)), False),
        (flag("required", enabled=False, variants=(replace(A, weight=1),), off_variant="a"), False),
        (flag("other"), False),
    ],
)
def test_a_prerequisite_is_met_by_an_active_flag(required, met):
    found = answer(REQUIRES, required)

    assert (found.active, found.reason) == (
        (True, "STATIC") if met else (False, "PREREQUISITE_FAILED")
    )


@pytest.mark.parametrize(
    ("required", "met"),
    [
        (flag("required", variants=(replace(A, weight=1), B)), True),
        (flag("required", variants=(A, replace(B, weight=1))), False),
        (flag("required", variants=(Variant("a", False, 1), B)), False),
        (
            flag("required", percentage=NONE, variants=(replace(A, weight=1),), off_variant="a"),
            False,
        ),
        (flag("required"), False),
    ],
)
def test_a_required_variant_is_met_only_by_an_active_flag_that_serves_it(required, met):
    assert answer(REQUIRES_A, required).active is met


def test_all_prerequisites_must_be_met():
    definition = flag(prerequisites=(Prerequisite("one"), Prerequisite("two")))

    assert answer(definition, flag("one"), flag("two"))
    assert not answer(definition, flag("one"), flag("two", enabled=False))
    assert not answer(definition, flag("one", enabled=False), flag("two"))


def test_a_prerequisite_is_asked_for_the_same_subject():
    required = flag("required", percentage=HALF)

    assert answer(REQUIRES, required, of=user(INSIDE_HALF))
    assert not answer(REQUIRES, required, of=user(OUTSIDE_HALF))


def test_a_flag_that_meets_its_prerequisites_decides_by_itself():
    definition = replace(REQUIRES, percentage=HALF)

    assert answer(definition, flag("required"), of=user(INSIDE_HALF))
    assert not answer(definition, flag("required"), of=user(OUTSIDE_HALF))


def chain(length, **last):
    """Make flags 0 to length, each of which requires the next."""
    flags = [flag(str(n), prerequisites=(Prerequisite(str(n + 1)),)) for n in range(length)]
    return [*flags, flag(str(length), **last)]


@pytest.mark.parametrize("last", [{"enabled": True}, {"enabled": False}])
def test_prerequisites_of_prerequisites_count(last):
    assert answer(*chain(references.MAX_DEPTH, **last)).active is last["enabled"]


@pytest.mark.parametrize("length", [references.MAX_DEPTH + 1, 2000])
def test_a_chain_that_is_too_long_is_off_where_it_is_too_long(length):
    definitions = snapshot(*chain(length))
    deepest = str(length - references.MAX_DEPTH)

    first = definitions.evaluate("0", NOBODY)

    assert (first.active, first.reason) == (False, "PREREQUISITE_FAILED")
    assert "deeper than 50 levels" in first.message
    assert definitions.evaluate(deepest, NOBODY).active


def circle(*keys):
    return [
        flag(key, prerequisites=(Prerequisite(required),))
        for key, required in zip(keys, (*keys[1:], keys[0]), strict=True)
    ]


@pytest.mark.parametrize("keys", ["a", "ab", "abcde"])
def test_flags_that_require_each_other_are_off(keys):
    definitions = snapshot(*circle(*keys), REQUIRES, replace(flag("a2"), key="required"))

    for key in keys:
        found = definitions.evaluate(key, NOBODY)

        assert (found.active, found.reason) == (False, "PREREQUISITE_FAILED")
        assert "circle" in found.message
    assert definitions.evaluate("flag", NOBODY).active


def test_a_flag_that_leads_into_a_circle_is_off():
    definition = flag(prerequisites=(Prerequisite("a"),))

    assert answer(definition, *circle("a", "b")).reason == "PREREQUISITE_FAILED"


def test_in_a_circle_a_disabled_flag_is_just_disabled():
    definitions = [replace(each, enabled=False) for each in circle("a", "b")]

    assert answer(*definitions).reason == "DISABLED"


def ladder(levels):
    """Make two flags a level, each of which requires both of the next."""
    flags = [flag("end")]
    for level in range(levels):
        below = [each.key for each in flags[-2:]]
        required = tuple(map(Prerequisite, below))
        flags += [flag(f"{level}{side}", prerequisites=required) for side in "ab"]
    return flags


def test_a_ladder_of_prerequisites_is_off_where_it_takes_too_many_steps():
    """2 to the power of 40 questions would never end."""
    definitions, questions = snapshot(*ladder(40)), iter(range(1000))
    end = definitions.evaluators["end"]
    definitions.evaluators["end"] = lambda *question: (next(questions), end(*question))[1]

    top = definitions.evaluate("39a", NOBODY)

    assert (top.active, top.reason) == (False, "PREREQUISITE_FAILED")
    assert "more than 1000 steps" in top.message
    assert definitions.evaluate("7a", NOBODY).active


# --- The stack ---


def test_the_deepest_references_leave_half_of_the_stack_to_the_caller():
    segments, flags = nest(references.MAX_DEPTH, BETA), chain(references.MAX_DEPTH)
    flags[-1] = replace(flags[-1], percentage=NONE, rules=(Rule(("s0",)),))
    definitions = snapshot(*flags, *segments)
    limit = sys.getrecursionlimit()

    sys.setrecursionlimit(_depth() + 500)
    try:
        found = definitions.evaluate("0", user(plan="beta"))
    finally:
        sys.setrecursionlimit(limit)

    assert found.active


def _depth():
    frame, depth = sys._getframe(), 0
    while frame := frame.f_back:
        depth += 1
    return depth
