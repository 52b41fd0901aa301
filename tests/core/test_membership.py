"""Membership: who is in a segment, by name, by conditions, by other segments."""

from dataclasses import replace
from decimal import Decimal

import pytest

from flaggate.core import references
from flaggate.core.definitions import Condition, Rule, Segment
from flaggate.core.evaluation import MEMBERSHIPS, EvaluationContext
from tests.core.snapshots import NOBODY, answer, flag, nest, one_of, segment, user, within
from tests.core.strategies import ODDITIES, hostile

BETA = segment("beta", one_of("plan", "beta"))
GERMAN = segment("german", one_of("country", "de"))


def is_in(audience, context, *others):
    """Tell whether a segment contains a subject, by a flag that is for this segment only."""
    definition = flag(percentage=Decimal(0), rules=(Rule((audience.key,)),))
    return answer(definition, audience, *others, of=context).active


# --- Members and conditions together ---


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
    definition = flag(percentage=Decimal(0), bucket_by="org", rules=(Rule(("s",)),))

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


def test_segments_may_be_nested_through_all_levels_that_are_allowed():
    definitions = nest(references.MAX_DEPTH, BETA)

    assert is_in(*definitions[:1], user(plan="beta"), *definitions)
    assert not is_in(*definitions[:1], user(plan="free"), *definitions)


# --- On demand ---


def on_demand(*conditions, **options):
    return segment("s", *conditions, on_demand=True, **options)


def member_of(*, key="1", **memberships):
    """Make a context that has found out in which on-demand segments it is."""
    return EvaluationContext(key, {MEMBERSHIPS: memberships})


def test_an_on_demand_segment_contains_whom_the_context_says_it_includes():
    assert is_in(on_demand(), member_of(s=True))
    assert not is_in(on_demand(), member_of(other=True))
    assert not is_in(on_demand(), user("1"))


def test_who_is_excluded_from_an_on_demand_segment_is_out_whatever_the_conditions_say():
    beta = on_demand(one_of("plan", "beta"))

    assert is_in(beta, user("1", plan="beta"))
    assert not is_in(beta, EvaluationContext("1", {"plan": "beta", MEMBERSHIPS: {"s": False}}))


def test_nobody_is_a_member_of_an_on_demand_segment_and_nothing_is_looked_up():
    asked = []
    nobody = EvaluationContext(resolve=lambda name: asked.append(name))

    assert not is_in(on_demand(), nobody)
    assert MEMBERSHIPS not in asked


def test_a_flag_for_an_on_demand_segment_reads_its_memberships():
    definition = flag(rules=(Rule(("s",)),))

    assert MEMBERSHIPS in references.attributes_of(definition, {"s": on_demand()})
    assert MEMBERSHIPS not in references.attributes_of(definition, {"s": BETA})
