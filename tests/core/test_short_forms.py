"""The short forms: what is answered without asking rule by rule answers what the walk answers."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from flaggate.core.definitions import Condition, Rule, Segment
from flaggate.core.evaluation import MEMBERSHIPS, EvaluationContext
from flaggate.core.explanation import explain
from tests.core.snapshots import NOW, answer, fields, flag, snapshot, user

plain = st.sampled_from(["a", "b", "c", True, False])
attributes = st.sampled_from(["plan", "country"])
found = st.dictionaries(
    attributes, plain | st.sampled_from([None, 1, 0, 1.0, "d"]) | st.lists(plain).map(tuple)
)
conditions = st.builds(
    Condition, attributes, st.just("one_of"), st.lists(plain, min_size=1).map(tuple)
)
members = st.frozensets(st.sampled_from([b"1", b"2"]))
audiences = st.one_of(
    st.fixed_dictionaries({"conditions": st.tuples(conditions)}),
    st.fixed_dictionaries({"included": members}),
    st.fixed_dictionaries(
        {
            "conditions": st.lists(conditions, max_size=2).map(tuple),
            "included": members,
            "excluded": members,
        }
    ),
)


def listing(*audiences, percentage=0):
    """Make a flag with a rule of 100 % for each audience, and its segments."""
    segments = [Segment(f"segment_{number}", **each) for number, each in enumerate(audiences)]
    rules = tuple(Rule((segment.key,)) for segment in segments)
    return flag(percentage=Decimal(percentage), rules=rules), *segments


def one_of(attribute, *values):
    return {"conditions": (Condition(attribute, "one_of", values),)}


@given(st.lists(audiences, max_size=5), st.sampled_from(["1", "2", "3"]), found)
def test_rules_that_only_list_values_answer_what_the_plain_walk_answers(audiences, key, found):
    listed = snapshot(*listing(*audiences))
    context = user(key, **found)

    interpreted = explain(listed, "flag", context).evaluation

    assert fields(listed.evaluate("flag", context)) == fields(interpreted)


def test_of_two_rules_that_list_the_same_text_the_first_decides():
    definitions = listing(one_of("plan", "free", "pro"), one_of("plan", "pro", "team"))

    assert answer(*definitions, of=user(plan="pro")).rule == 1
    assert answer(*definitions, of=user(plan="team")).rule == 2


def test_rules_on_different_attributes_are_asked_in_their_order():
    definitions = listing(
        one_of("plan", "pro"), one_of("country", "ch"), one_of("plan", "pro", "team")
    )

    assert answer(*definitions, of=user(plan="team", country="ch")).rule == 2
    assert answer(*definitions, of=user(plan="team", country="at")).rule == 3


def test_a_list_is_asked_rule_by_rule():
    definitions = listing(one_of("groups", "editors"), one_of("groups", "beta"))

    assert answer(*definitions, of=user(groups=["beta", "editors"])).rule == 1
    assert answer(*definitions, of=user(groups=["beta"])).rule == 2


def test_a_second_condition_counts_beside_a_listed_value():
    plan, country = one_of("plan", "pro"), one_of("country", "ch")
    both = {"conditions": plan["conditions"] + country["conditions"]}

    assert answer(*listing(both, both), of=user(plan="pro", country="ch")).active
    assert not answer(*listing(both, both), of=user(plan="pro")).active


def test_a_missing_attribute_leaves_the_decision_to_the_next_rule():
    definitions = listing(one_of("plan", "pro"), one_of("country", "ch"))

    assert answer(*definitions, of=user(country="ch")).rule == 2


def test_one_is_not_among_listed_booleans():
    definitions = listing(one_of("staff", True), one_of("staff", "yes"))

    assert answer(*definitions, of=user(staff=True)).active
    assert not answer(*definitions, of=user(staff=1)).active


def test_who_is_included_is_in_beside_the_values_of_a_list():
    definitions = listing(
        {**one_of("plan", "pro"), "included": frozenset({b"1"})}, one_of("plan", "team")
    )

    assert answer(*definitions, of=user("1", plan="team")).rule == 1


def test_a_segment_on_demand_is_looked_up_beside_the_values_of_a_list():
    definitions = listing({**one_of("plan", "pro"), "on_demand": True}, one_of("plan", "team"))
    member = EvaluationContext("1", {"plan": "team", MEMBERSHIPS: {"segment_0": True}}, now=NOW)

    assert answer(*definitions, of=member).rule == 1


def test_who_is_excluded_is_out_although_the_values_of_a_list_say_in():
    definitions = listing(
        {**one_of("plan", "pro"), "excluded": frozenset({b"1"})}, one_of("plan", "pro", "team")
    )

    assert answer(*definitions, of=user("1", plan="pro")).rule == 2


def test_who_is_included_and_excluded_is_out_where_there_are_only_members():
    both = {"included": frozenset({b"1", b"2"}), "excluded": frozenset({b"1"})}

    for definitions in (listing(both), listing(one_of("plan", "pro"), both)):
        assert not answer(*definitions, of=user("1")).active
        assert answer(*definitions, of=user("2")).active


def test_members_named_by_the_first_rule_need_no_other():
    definitions = listing({"included": frozenset({b"1"})}, one_of("plan", "pro"))

    assert answer(*definitions, of=user("1")).rule == 1
    assert answer(*definitions, of=user("2", plan="pro")).rule == 2
    assert answer(*definitions, of=user("2")).rule is None
