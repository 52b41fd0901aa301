"""Validation: what is refused at write, where it is, and how to mend it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from flaggate.core import validation
from flaggate.core.definitions import Condition, Prerequisite, Rule, Segment, Variant
from flaggate.core.references import MAX_DEPTH
from flaggate.core.stages import Stage
from flaggate.core.validation import broken_segments, flag_problems, key_problem, segment_problems
from tests.core.snapshots import NOW, flag

BETA = Segment("beta", conditions=(Condition("plan", "one_of", ("beta",)),))
A, B = Variant("a", 1, 1), Variant("b", 2, 1)


def of_flag(definition, *others, segments=(BETA,), **known):
    flags = {each.key: each for each in (definition, *others)}
    return list(flag_problems(definition, flags, {each.key: each for each in segments}, **known))


def of_condition(*condition, segments=(BETA,), **options):
    audience = Segment("s", conditions=(Condition(*condition, **options),))
    return list(segment_problems(audience, {each.key: each for each in segments}))


def only(problems):
    """Return path, message and whether the only problem is tolerable."""
    (problem,) = problems
    return problem.path, problem.message, problem.tolerable


# --- Keys ---


@pytest.mark.parametrize("key", ["a", "A1", "7", "new_checkout", "shop.new-checkout", "a" * 100])
def test_a_key_is_letters_digits_dots_underscores_and_dashes(key):
    assert key_problem(key) is None


@pytest.mark.parametrize(
    "key",
    ["", "_a", ".a", "-a", "a b", "a/b", "é", "a\n", "\na", "a\0", "\ud800", "٣", "a" * 101],
)
def test_anything_else_is_no_key(key):
    assert "is no key: use letters" in key_problem(key)
    assert only(of_flag(flag(key)))[0] == "key"


def test_the_key_of_a_segment_may_be_a_flags_with_a_suffix():
    key = "a" * 100 + ".people"

    assert list(segment_problems(Segment(key), {})) == []
    assert list(segment_problems(Segment("a" * 120), {})) == []
    assert only(segment_problems(Segment("a" * 121), {}))[0] == "key"


# --- Flags ---


def test_a_whole_flag_has_no_problems():
    definition = flag(
        percentage=Decimal("12.345"),
        bucket_by="org",
        off_variant="b",
        active_from=NOW,
        active_until=NOW + timedelta(hours=1),
        variants=(A, B),
        rules=(Rule(("beta",), Decimal(0), "a"), Rule(("beta",))),
        prerequisites=(Prerequisite("other"), Prerequisite("split", "a")),
        stages=(Stage(NOW, Decimal(5)),),
    )

    assert of_flag(definition, flag("other"), flag("split", variants=(A,))) == []


REFUSED = [
    (flag(salt=""), "salt", "is empty, so that nobody can be bucketed. Set any random text."),
    (flag(salt="a\0"), "salt", "holds a NUL character, which PostgreSQL can't store. Remove it."),
    (flag(bucket_by="a" * 201), "bucket_by", "is no name of 1 to 200 characters. Give one."),
    (
        flag(bucket_by="\0"),
        "bucket_by",
        "holds a NUL character, which PostgreSQL can't store. Remove it.",
    ),
    (
        flag(bucket_by="\ud800"),
        "bucket_by",
        "holds half of a surrogate pair, which is no character. Remove it.",
    ),
    (
        flag(active_from=NOW, active_until=NOW),
        "active_until",
        "is not after active_from. Set a later time, or none.",
    ),
    (flag(variants=(A,), off_variant="x"), "off_variant", "'x' is no variant of the flag."),
    (flag(off_variant="x"), "off_variant", "Its variants: none."),
    (
        flag(variants=(Variant("a", 1, 0),)),
        "variants",
        "all have the weight 0. Give at least one of them more.",
    ),
    (flag(variants=(Variant("a b", 1, 1),)), "variants[0].key", "'a b' is no key"),
    (flag(variants=(A, A)), "variants[1].key", "'a' is there twice. Choose another key."),
    (flag(variants=(A, Variant("b", 1, -1))), "variants[1].weight", "-1 is no weight."),
    (flag(variants=(Variant("a", 1, 2**31),)), "variants[0].weight", "2147483648 is no weight."),
    (flag(variants=(Variant("a", None, 1),)), "variants[0].value", "is null. Give a text,"),
    (flag(variants=(Variant("a", "\0", 1),)), "variants[0].value", "holds a NUL character"),
    (flag(rules=(Rule(("gone",)),)), "rules[0].segments[0]", "there is no segment 'gone'."),
    (flag(rules=(Rule(("beta", "gone")),)), "rules[0].segments[1]", "there is no segment 'gone'."),
    (flag(rules=(Rule(("beta",), variant="x"),)), "rules[0].variant", "'x' is no variant"),
    (
        flag(variants=(A, B), rules=(Rule(("beta",)), Rule(("beta",), variant="x"))),
        "rules[1].variant",
        "Its variants: 'a', 'b'.",
    ),
    (flag(prerequisites=(Prerequisite("x"),)), "prerequisites[0].flag", "there is no flag 'x'."),
    (
        flag(prerequisites=(Prerequisite("flag", "a"),)),
        "prerequisites[0].variant",
        "'a' is no variant of the flag. Its variants: none.",
    ),
]


@pytest.mark.parametrize(("definition", "path", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_flag_is_refused_with_the_place_and_the_remedy(definition, path, message):
    where, what, tolerable = only(of_flag(definition))

    assert where == path
    assert message in what
    assert not tolerable


@pytest.mark.parametrize(
    "percentage", ["0", "0.001", "99.999", "100", "100.000", "1E+1", "50.0000"]
)
def test_a_percentage_is_0_to_100_with_three_decimals(percentage):
    assert of_flag(flag(percentage=Decimal(percentage))) == []


@pytest.mark.parametrize("percentage", ["-0.001", "100.001", "NaN", "sNaN", "Infinity", "1E+9999"])
def test_anything_else_is_no_percentage(percentage):
    number = Decimal(percentage)
    rules = (Rule(("beta",)), Rule(("beta",), number))

    for problems, path in [
        (of_flag(flag(percentage=number)), "percentage"),
        (of_flag(flag(rules=rules)), "rules[1].percentage"),
        (of_flag(flag(stages=(Stage(NOW, number),))), "stages[0].percentage"),
    ]:
        assert only(problems) == (
            path,
            f"{number} is no percentage. Give a number from 0 to 100.",
            False,
        )


@pytest.mark.parametrize("percentage", ["0.0001", "33.3333", "1E-999"])
def test_a_percentage_with_more_decimals_is_refused(percentage):
    path, message, _tolerable = only(of_flag(flag(percentage=Decimal(percentage))))

    assert (path, message) == (
        "percentage",
        f"{percentage} has more than three decimals. Round it.",
    )


@pytest.mark.parametrize(("weights", "problems"), [([0, 1], 0), ([2**31 - 1], 0), ([0, 0], 1)])
def test_at_least_one_weight_is_above_0(weights, problems):
    variants = tuple(Variant(f"v{n}", 1, weight) for n, weight in enumerate(weights))

    assert len(of_flag(flag(variants=variants))) == problems


def test_a_rule_without_segments_is_refused_but_served():
    path, message, tolerable = only(of_flag(flag(rules=(Rule(()),))))

    assert path == "rules[0].segments"
    assert message == ("is empty, so the rule matches nobody. Add a segment, or remove the rule.")
    assert tolerable


def test_a_rule_with_a_broken_segment_is_refused_whether_that_can_be_read_or_not():
    definition = flag(rules=(Rule(("beta", "unread")),))

    problems = of_flag(definition, broken_segments={"beta": "match: 1.", "unread": "2."})

    assert list(map(str, problems)) == [
        "rules[0].segments[0]: the segment 'beta' is broken: match: 1.",
        "rules[0].segments[1]: the segment 'unread' is broken: 2.",
    ]


def test_a_prerequisite_that_can_not_be_read_is_there():
    definition = flag(prerequisites=(Prerequisite("unread", "a"),))

    assert of_flag(definition, broken={"unread"}) == []


def test_prerequisites_that_run_in_a_circle_are_refused_but_served():
    path, message, tolerable = only(of_flag(flag(), unsound={"flag"}))

    assert path == "prerequisites"
    assert message == (
        "run in a circle, are nested deeper than 50 levels, or take more than 1000 steps. "
        "Remove one of them."
    )
    assert tolerable


def test_all_problems_of_a_flag_are_found():
    definition = flag(
        "a b", salt="", percentage=Decimal(101), rules=(Rule(("gone",), variant="x"),)
    )

    assert [each.path for each in of_flag(definition)] == [
        "key",
        "salt",
        "percentage",
        "rules[0].segments[0]",
        "rules[0].variant",
    ]


# --- Values that every database gives back as they were ---

DEEP = 0
for _ in range(100):
    DEEP = [DEEP]

UNSTORABLE = [
    ("\0", "holds a NUL character"),
    ("a\0b", "holds a NUL character"),
    ("\ud800", "holds half of a surrogate pair"),
    ("a\udfff", "holds half of a surrogate pair"),
    (float("nan"), "holds a number that JSON can't express"),
    (float("inf"), "holds a number that JSON can't express"),
    (-float("inf"), "holds a number that JSON can't express"),
    (1e16, "holds a float of 1e16 or more"),
    (-1e16, "holds a float of 1e16 or more"),
    (1.5e300, "holds a float of 1e16 or more"),
    (10**300, "holds an integer of more than 300 digits"),
    (-(10**300), "holds an integer of more than 300 digits"),
    ([1, ["a", "\0"]], "holds a NUL character"),
    ({"a": {"b": "\0"}}, "holds a NUL character"),
    ({"a": {"\0": "b"}}, "holds a NUL character"),
    ({"a": [1, {"b": 1e16}]}, "holds a float of 1e16 or more"),
    ([DEEP], "is nested deeper than 100 levels. Flatten it."),
    ({"a": DEEP}, "is nested deeper than 100 levels. Flatten it."),
]


@pytest.mark.parametrize(("value", "message"), UNSTORABLE, ids=range(len(UNSTORABLE)))
def test_what_a_database_would_change_or_refuse_is_refused_first(value, message):
    path, problem, tolerable = only(of_flag(flag(variants=(Variant("a", value, 1),))))

    assert path == "variants[0].value"
    assert problem == validation.unstorable(value)
    assert problem.startswith(message)
    assert not tolerable


STORABLE = [
    "",
    "é \U0001f600 \x01 \x7f",
    True,
    False,
    0,
    10**300 - 1,
    1 - 10**300,
    0.1,
    -0.0,
    5e-324,
    9999999999999998.0,
    [],
    {},
    [None, [1, {"a": None}]],
    {"": ""},
    DEEP,
]


@pytest.mark.parametrize("value", STORABLE, ids=range(len(STORABLE)))
def test_every_other_json_value_is_taken(value):
    assert of_flag(flag(variants=(Variant("a", value, 1),))) == []


# --- Segments ---


def test_a_whole_segment_has_no_problems():
    audience = Segment(
        "s",
        match_all=False,
        conditions=(
            Condition("plan", "one_of", ("beta", 1, True), True, True),
            Condition("plan", "exists"),
            Condition("", "in_segment", ("beta",)),
            Condition("a" * 200, "gt", (1.5,)),
        ),
        included=frozenset({b"1"}),
        excluded=frozenset({b"2"}),
    )

    assert list(segment_problems(audience, {"beta": BETA})) == []


@pytest.mark.parametrize(
    ("condition", "path", "message"),
    [
        (("", "one_of", ("a",)), "attribute", "is no name of 1 to 200 characters. Give one."),
        (("a" * 201, "exists"), "attribute", "is no name of 1 to 200 characters. Give one."),
        (("a\0", "exists"), "attribute", "holds a NUL character"),
        (("\ud800", "exists"), "attribute", "holds half of a surrogate pair"),
        (("a", "one_of", ("\0",)), "values", "holds a NUL character"),
        (("a", "one_of", ("b", "\udcff")), "values", "holds half of a surrogate pair"),
        (("a", "one_of", (1e16,)), "values", "holds a float of 1e16 or more"),
        (("a", "gt", (10**300,)), "values", "holds an integer of more than 300 digits"),
        (("a", "one_of", ()), "values", "There are no values; add at least one."),
        (("a", "sounds_like", ("b",)), "values", "is no operator"),
        (("a", "gt", ("1",)), "values", "is no finite number"),
        (("", "in_segment", ("gone",)), "values", "there is no segment 'gone'."),
        (("", "in_segment", (1,)), "values", "is no segment key"),
        (("a", "in_cidr", ("nowhere",)), "values", "is no network"),
        (("a", "gt", (1, "2")), "values", '"2" is no finite number'),
    ],
)
def test_a_condition_is_refused_with_the_place_and_the_reason(condition, path, message):
    where, what, tolerable = only(of_condition(*condition))

    assert where == f"conditions[0].{path}"
    assert message in what
    assert not tolerable


def test_a_pattern_is_judged_with_its_case():
    assert of_condition("a", "matches", ("(?i)b",), ignore_case=True) == []
    assert "is no RE2 pattern" in only(of_condition("a", "matches", ("(",)))[1]


@pytest.mark.parametrize("bad", ["nowhere", "\0", "\ud800", ""])
def test_one_bad_network_among_good_ones_is_refused_but_served(bad):
    problems = of_condition("ip", "in_cidr", ("10.0.0.0/8", bad))

    assert problems
    assert all(problem.tolerable for problem in problems)


def test_a_segment_that_can_not_be_followed_to_an_end_is_refused():
    path, message, tolerable = only(segment_problems(Segment("s"), {}, unsound={"s"}))

    assert path == "conditions"
    assert message.startswith("run in a circle, are nested deeper than 50 levels")
    assert not tolerable


# --- Segments that can't be judged ---


def within(key, *named):
    return Segment(key, conditions=(Condition("", "in_segment", named),))


def broken(*audiences):
    return broken_segments({each.key: each for each in audiences})


def test_whole_segments_are_not_broken():
    assert broken(BETA, within("a", "beta"), within("b", "a", "beta"), Segment("empty")) == {}


def test_a_segment_is_broken_by_what_can_not_be_judged():
    unknown = Segment("unknown", conditions=(Condition("a", "sounds_like", ("b",)),))

    assert list(broken(BETA, unknown)) == ["unknown"]
    assert broken(unknown)["unknown"].startswith("conditions[0].values: ")


def test_a_bad_network_among_good_ones_breaks_no_segment():
    audience = Segment("s", conditions=(Condition("ip", "in_cidr", ("10.0.0.0/8", "nowhere")),))

    assert broken(audience) == {}


def test_all_reasons_are_given():
    audience = Segment("a b", conditions=(Condition("", "exists"),))

    assert "key: " in broken(audience)["a b"]
    assert "conditions[0].attribute: " in broken(audience)["a b"]


def test_what_uses_a_broken_segment_is_broken_too():
    reasons = broken(BETA, within("a", "gone"), within("b", "a"), within("c", "beta", "b"))

    assert set(reasons) == {"a", "b", "c"}
    assert reasons["a"] == "conditions[0].values: there is no segment 'gone'."
    assert reasons["b"].startswith("uses the segment 'a', which is broken: ")
    assert reasons["c"].startswith("uses the segment 'b', which is broken: ")


def test_segments_that_contain_each_other_are_broken():
    assert set(broken(within("a", "b"), within("b", "a"), within("c", "a"), BETA)) == {
        "a",
        "b",
        "c",
    }
    assert set(broken(within("a", "a"))) == {"a"}


def test_segments_that_are_nested_too_deep_are_broken():
    chain = [within(f"s{level}", f"s{level + 1}") for level in range(MAX_DEPTH + 1)]

    assert set(broken(*chain, Segment(f"s{MAX_DEPTH + 1}"))) == {"s0"}


def test_a_ladder_of_segments_is_broken_where_it_takes_too_many_steps():
    ladder = [
        within(f"{level}{side}", f"{level + 1}a", f"{level + 1}b")
        for level in range(40)
        for side in "ab"
    ]

    reasons = broken(*ladder, Segment("40a"), Segment("40b"))

    assert len(reasons) == 64
    assert "39a" not in reasons


def test_naming_one_segment_in_two_conditions_takes_two_steps():
    chain = [
        Segment(f"s{level}", conditions=within("", f"s{level + 1}").conditions * 2)
        for level in range(40)
    ]

    assert len(broken(*chain, Segment("s40"))) == 32


def test_a_flag_with_a_broken_segment_is_told_of_the_segment():
    reasons = broken(within("a", "gone"))

    problems = of_flag(
        flag(rules=(Rule(("a",)),)), segments=[within("a", "gone")], broken_segments=reasons
    )

    words = f"the segment 'a' is broken: {reasons['a']}"
    assert only(problems)[:2] == ("rules[0].segments[0]", words)


def test_a_flag_is_not_judged_by_what_others_lack():
    other = replace(flag("other"), salt="", prerequisites=(Prerequisite("gone"),))

    assert of_flag(flag(prerequisites=(Prerequisite("other"),)), other) == []
