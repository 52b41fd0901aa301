"""The compiler: rules, shares, variants, prerequisites, and who is in a segment."""

import gc
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from flaggate.core import references
from flaggate.core.compiler import off
from flaggate.core.definitions import Condition, Prerequisite, Rule, Segment, Variant
from flaggate.core.evaluation import UNSET, EvaluationContext
from flaggate.core.explanation import explain
from flaggate.core.snapshot import Snapshot
from flaggate.core.stages import Stage
from tests.core.snapshots import (
    INSIDE_HALF,
    NOBODY,
    NOW,
    OUTSIDE_HALF,
    answer,
    fields,
    flag,
    snapshot,
    user,
)
from tests.core.strategies import ODDITIES, hostile

HALF, NONE = Decimal(50), Decimal(0)


def one_of(attribute, *values, **options):
    return Condition(attribute, "one_of", values, **options)


def segment(key, *conditions, **options):
    return Segment(key, conditions=conditions, **options)


def is_in(audience, context, *others):
    """Tell whether a segment contains a subject, by a flag that is for this segment only."""
    return answer(
        flag(percentage=NONE, rules=(Rule((audience.key,)),)), audience, *others, of=context
    ).active


# --- Rules ---

BETA = segment("beta", one_of("plan", "beta"))
GERMAN = segment("german", one_of("country", "de"))
EMPTY = segment("empty")


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
    definitions = snapshot(*ladder(40))

    top = definitions.evaluate("39a", NOBODY)

    assert (top.active, top.reason) == (False, "PREREQUISITE_FAILED")
    assert "more than 1,000 steps" in top.message
    assert definitions.evaluate("7a", NOBODY).active


# --- Segments ---


def test_a_segment_of_all_conditions_contains_who_meets_each():
    audience = segment("s", one_of("plan", "beta"), one_of("country", "de"))

    assert is_in(audience, user(plan="beta", country="de"))
    assert not is_in(audience, user(plan="beta", country="fr"))
    assert not is_in(audience, user(plan="free", country="de"))


def test_a_segment_of_any_condition_contains_who_meets_one():
    audience = segment("s", one_of("plan", "beta"), one_of("country", "de"), match_all=False)

    assert is_in(audience, user(plan="beta"))
    assert is_in(audience, user(country="de"))
    assert not is_in(audience, user(plan="free", country="fr"))


@pytest.mark.parametrize("match_all", [True, False])
def test_a_segment_without_conditions_contains_its_included_members_only(match_all):
    audience = Segment("s", match_all, included=frozenset({b"1"}))

    assert is_in(audience, user("1"))
    assert not is_in(audience, user("2"))
    assert not is_in(audience, NOBODY)


@pytest.mark.parametrize("match_all", [True, False])
@pytest.mark.parametrize("members", [{}, {"excluded": frozenset({b"2"})}])
def test_an_empty_segment_contains_nobody(match_all, members):
    assert not is_in(Segment("s", match_all, **members), user("1"))
    assert not is_in(Segment("s", match_all, **members), NOBODY)


def test_included_members_are_in_whatever_the_conditions_say():
    audience = segment("s", one_of("plan", "beta"), included=frozenset({b"1"}))

    assert is_in(audience, user("1", plan="free"))
    assert is_in(audience, user("2", plan="beta"))
    assert not is_in(audience, user("2", plan="free"))


def test_excluded_members_are_out_whatever_else_says_in():
    audience = segment(
        "s", one_of("plan", "beta"), included=frozenset({b"1", b"2"}), excluded=frozenset({b"1"})
    )

    assert not is_in(audience, user("1", plan="beta"))
    assert is_in(audience, user("2"))


def test_excluded_members_are_out_where_there_are_only_members():
    audience = Segment("s", included=frozenset({b"1", b"2"}), excluded=frozenset({b"1"}))

    assert not is_in(audience, user("1"))
    assert is_in(audience, user("2"))


def test_excluded_members_are_out_where_nobody_is_included():
    audience = segment("s", one_of("plan", "beta"), excluded=frozenset({b"1"}))

    assert not is_in(audience, user("1", plan="beta"))
    assert is_in(audience, user("2", plan="beta"))
    assert is_in(audience, EvaluationContext(attributes={"plan": "beta"}))


def test_members_are_targeting_keys_whatever_the_flag_buckets_by():
    audience = Segment("s", included=frozenset({b"1"}))
    definition = flag(percentage=NONE, bucket_by="org", rules=(Rule(("s",)),))

    assert answer(definition, audience, of=user("1", org="2"))
    assert not answer(definition, audience, of=user("2", org="1"))


def test_a_number_is_the_member_of_its_text():
    assert is_in(Segment("s", included=frozenset({b"42"})), user(42))


# --- Conditions ---


@pytest.mark.parametrize("negate", [False, True])
@pytest.mark.parametrize(
    ("operator", "values"),
    [
        ("one_of", ("a",)),
        ("one_of", (1,)),
        ("contains", ("a",)),
        ("gt", (0,)),
        ("semver_lt", ("1.0",)),
        ("in_cidr", ("10.0.0.0/8",)),
        ("before", (0,)),
    ],
)
def test_a_missing_attribute_meets_no_condition_not_even_a_negated_one(operator, values, negate):
    audience = segment("s", Condition("plan", operator, values, negate))

    assert not is_in(audience, user())
    assert not is_in(audience, user(plan=None))


@pytest.mark.parametrize(
    ("attributes", "exists"),
    [
        ({}, False),
        ({"plan": None}, False),
        ({"plan": ""}, True),
        ({"plan": []}, True),
        ({"plan": 0}, True),
    ],
)
def test_exists_sees_whether_an_attribute_is_missing(attributes, exists):
    assert is_in(segment("s", Condition("plan", "exists")), user(**attributes)) is exists
    assert (
        is_in(segment("s", Condition("plan", "exists", negate=True)), user(**attributes))
        is not exists
    )


@pytest.mark.parametrize("values", [("beta",), ("beta", 1), (1,)])
@pytest.mark.parametrize("ignore_case", [False, True])
def test_negate_turns_the_answer_round(values, ignore_case):
    condition = one_of("plan", *values, ignore_case=ignore_case)
    for value in ("beta", "Beta", "free", 1, True, [], ["beta"]):
        plain = is_in(segment("s", condition), user(plan=value))
        negated = is_in(segment("s", replace(condition, negate=True)), user(plan=value))

        assert negated is not plain


def test_negated_a_list_must_hold_none_of_the_values():
    audience = segment("s", one_of("groups", "beta", negate=True))

    assert is_in(audience, user(groups=["free", "paying"]))
    assert is_in(audience, user(groups=[]))
    assert not is_in(audience, user(groups=["free", "beta"]))


def test_some_element_of_a_list_is_enough():
    audience = segment("s", one_of("groups", "beta"))

    assert is_in(audience, user(groups=["free", "beta"]))
    assert not is_in(audience, user(groups=["free"]))
    assert not is_in(audience, user(groups=[]))


@pytest.mark.parametrize(
    ("value", "inside"),
    [("beta", True), ("Beta", False), ("b", False), (1, False), (b"beta", False)],
)
def test_the_short_form_for_texts_is_exact(value, inside):
    assert is_in(BETA, user(plan=value)) is inside


def test_case_is_ignored_where_the_condition_says_so():
    assert is_in(segment("s", one_of("plan", "beta", ignore_case=True)), user(plan="BETA"))
    assert not is_in(segment("s", one_of("plan", "beta")), user(plan="BETA"))


def test_the_moment_is_an_attribute_for_conditions():
    before = Condition("now", "before", ("2026-02-01T00:00:00Z",))
    after = Condition("now", "after", ("2026-02-01T00:00:00Z",))

    assert is_in(segment("s", before), user())
    assert not is_in(segment("s", after), user())


@pytest.mark.parametrize("operator", ["one_of", "contains"])
@pytest.mark.parametrize("position", range(len(ODDITIES)))
def test_whatever_an_attribute_holds_no_condition_raises(operator, position):
    odd = ODDITIES[position]
    audience = segment("s", Condition("plan", operator, ("b",)))

    assert not is_in(audience, EvaluationContext("1", {"plan": odd}))
    assert not is_in(audience, EvaluationContext("1", {"plan": [odd]}))


def test_an_object_whose_methods_raise_is_what_its_type_makes_it():
    assert not is_in(BETA, user(plan=hostile(object)))
    assert not is_in(BETA, user(plan=hostile(str, "free")))
    assert is_in(BETA, user(plan=hostile(str, "beta")))


# --- Segments of segments ---


def within(*keys, negate=False):
    return Condition("", "in_segment", keys, negate)


def test_a_segment_may_contain_who_is_in_another():
    audience = segment("s", within("beta"))

    assert is_in(audience, user(plan="beta"), BETA)
    assert not is_in(audience, user(plan="free"), BETA)


def test_one_of_several_nested_segments_is_enough():
    audience = segment("s", within("beta", "german"))

    assert is_in(audience, user(country="de"), BETA, GERMAN)
    assert not is_in(audience, user(country="fr"), BETA, GERMAN)


def test_negated_a_subject_must_be_in_none_of_the_nested_segments():
    audience = segment("s", within("beta", "german", negate=True))

    assert is_in(audience, user(country="fr"), BETA, GERMAN)
    assert is_in(audience, NOBODY, BETA, GERMAN)
    assert not is_in(audience, user(country="de"), BETA, GERMAN)
    assert not is_in(audience, user(plan="beta"), BETA, GERMAN)


def test_members_of_a_nested_segment_count():
    nested = segment(
        "nested", one_of("plan", "beta"), included=frozenset({b"1"}), excluded=frozenset({b"2"})
    )
    audience = segment("s", within("nested"))

    assert is_in(audience, user("1"), nested)
    assert not is_in(audience, user("2", plan="beta"), nested)
    assert is_in(audience, user("3", plan="beta"), nested)


def test_the_own_members_of_a_segment_beat_its_nested_ones():
    nested = Segment("nested", included=frozenset({b"1", b"2"}))
    audience = segment("s", within("nested"), excluded=frozenset({b"1"}))

    assert not is_in(audience, user("1"), nested)
    assert is_in(audience, user("2"), nested)


def nest(levels):
    """Make segments of which each contains who is in the next, and the last who is in beta."""
    keys = [f"s{level}" for level in range(levels)] + ["beta"]
    return [*(segment(key, within(inner)) for key, inner in pairwise(keys)), BETA]


def test_segments_may_be_nested_through_all_levels_that_are_allowed():
    definitions = nest(references.MAX_DEPTH)

    assert is_in(*definitions[:1], user(plan="beta"), *definitions)
    assert not is_in(*definitions[:1], user(plan="free"), *definitions)


def test_the_deepest_references_leave_half_of_the_stack_to_the_caller():
    segments, flags = nest(references.MAX_DEPTH), chain(references.MAX_DEPTH)
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


def test_compiling_keeps_nothing_of_an_older_snapshot_alive():
    definitions = flag("only_here", rules=(Rule(("beta",)),)), BETA
    old = snapshot(*definitions)
    old.evaluate("only_here", NOBODY)
    new = snapshot(*definitions, previous=old)
    new.evaluate("only_here", NOBODY)

    del old
    gc.collect()

    snapshots = [each for each in gc.get_objects() if type(each) is Snapshot]
    assert [each for each in snapshots if "only_here" in each.flags] == [new]
