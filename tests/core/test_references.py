"""References: which definitions can be followed to an end, and what a flag uses."""

from decimal import Decimal

import pytest

from flaggate.core.definitions import Condition, Prerequisite, Rule, Segment, Variant
from flaggate.core.references import (
    MAX_DEPTH,
    MAX_STEPS,
    attributes_of,
    nested,
    required,
    segments_of,
    unsound,
)
from flaggate.core.stages import Stage
from tests.core.snapshots import NOW, flag

# --- unsound ---


@pytest.mark.parametrize(
    ("edges", "found"),
    [
        ({}, ""),
        ({"a": ""}, ""),
        ({"a": "b"}, ""),
        ({"a": "b", "b": "c", "c": ""}, ""),
        ({"a": "bc", "b": "d", "c": "d"}, ""),
        ({"a": "a"}, "a"),
        ({"a": "ab"}, "a"),
        ({"a": "b", "b": "a"}, "ab"),
        ({"a": "b", "b": "c", "c": "a"}, "abc"),
        ({"a": "b", "b": "c", "c": "b"}, "abc"),
        ({"a": "bd", "b": "a", "c": "d", "e": "c"}, "ab"),
        ({"a": "b", "b": "a", "c": "d", "d": "c", "e": "f"}, "abcd"),
    ],
)
def test_what_runs_in_a_circle_or_leads_into_one_is_unsound(edges, found):
    assert unsound(edges) == set(found)


def chain(length):
    return {n: [n + 1] for n in range(length)}


def test_a_chain_may_be_as_deep_as_the_limit():
    assert unsound(chain(MAX_DEPTH)) == set()


def test_of_a_chain_that_is_too_deep_the_rear_part_stays_sound():
    assert unsound(chain(MAX_DEPTH + 3)) == {0, 1, 2}
    assert unsound({**chain(MAX_DEPTH + 3), MAX_DEPTH + 3: []}) == {0, 1, 2}


def test_the_longest_way_counts():
    assert 0 in unsound({**chain(MAX_DEPTH + 1), 0: [MAX_DEPTH, 1]})
    assert 0 in unsound({**chain(MAX_DEPTH + 1), 0: [1, MAX_DEPTH]})


def test_a_chain_of_100000_is_no_trouble():
    assert len(unsound(chain(100_000))) == 100_000 - MAX_DEPTH


def test_something_may_take_as_many_steps_as_the_limit():
    names = [f"n{number}" for number in range(MAX_STEPS)]

    assert unsound({"a": names[:-1]}) == set()
    assert unsound({"a": names}) == {"a"}


def test_what_is_named_twice_takes_twice_the_steps():
    half = [f"n{number}" for number in range(MAX_STEPS // 2)]

    assert unsound({"a": ["b"], "b": half}) == set()
    assert unsound({"a": ["b", "b"], "b": half}) == {"a"}
    assert unsound({"a": ["b", "c"], "b": half, "c": ["b"]}) == {"a"}


def test_a_ladder_takes_too_many_steps_long_before_it_is_too_deep():
    ladder = {(level, side): [(level + 1, s) for s in "ab"] for level in range(40) for side in "ab"}

    assert unsound(ladder) == {(level, side) for level in range(32) for side in "ab"}


def test_who_uses_what_takes_too_many_steps_takes_too_many():
    names = [f"n{number}" for number in range(MAX_STEPS)]

    assert unsound({"a": ["b"], "b": names, "c": ["d"]}) == {"a", "b"}


# --- What a flag uses ---


def one_of(attribute):
    return Condition(attribute, "one_of", ("x",))


def within(*keys):
    return Condition("", "in_segment", keys)


SEGMENTS = {
    each.key: each
    for each in [
        Segment("plain", conditions=(one_of("plan"), one_of("country"))),
        Segment("outer", conditions=(within("inner", "plain"), one_of("age"))),
        Segment("inner", conditions=(Condition("groups", "exists"),)),
        Segment("circle", conditions=(within("circle", "gone"),)),
        Segment("members", included=frozenset({b"1"})),
    ]
}


def for_(*segments, **fields):
    return flag(percentage=Decimal(0), rules=(Rule(segments),), **fields)


@pytest.mark.parametrize(
    ("segment", "names"),
    [("plain", []), ("outer", ["inner", "plain"]), ("circle", ["circle", "gone"])],
)
def test_nested_segments_are_those_that_conditions_name(segment, names):
    assert nested(SEGMENTS[segment]) == names


def test_what_is_no_text_names_no_segment():
    assert nested(Segment("s", conditions=(within(1, None, "a"),))) == ["a"]


@pytest.mark.parametrize(
    ("definition", "keys"),
    [
        (flag(), set()),
        (for_("plain"), {"plain"}),
        (for_("outer"), {"outer", "inner", "plain"}),
        (for_("members", "gone"), {"members", "gone"}),
        (for_("circle"), {"circle", "gone"}),
        (for_("members", "plain", "plain"), {"members", "plain"}),
    ],
)
def test_a_flag_uses_the_segments_of_its_rules_and_theirs(definition, keys):
    used = segments_of(definition, SEGMENTS)

    assert used == {key: SEGMENTS.get(key) for key in keys}


UNIT = {"targeting_key"}
SPLIT = (Variant("a", 1, 1), Variant("b", 2, 1))


@pytest.mark.parametrize(
    ("definition", "attributes"),
    [
        (flag(), set()),
        (flag(percentage=Decimal(0)), set()),
        (flag(percentage=Decimal(0), bucket_by="org"), set()),
        (flag(percentage=Decimal(50)), UNIT),
        (flag(percentage=Decimal(50), bucket_by="org"), UNIT | {"org"}),
        (flag(variants=SPLIT), UNIT),
        (flag(stages=(Stage(NOW, Decimal(5)),)), UNIT),
        (for_("plain"), UNIT | {"plan", "country"}),
        (for_("outer"), UNIT | {"plan", "country", "age", "groups"}),
        (for_("members"), UNIT),
        (for_("circle", "gone"), UNIT),
        (for_("plain", enabled=False), set()),
        (for_("plain", archived=True), set()),
    ],
)
def test_a_flag_may_read_the_attributes_of_its_conditions_and_what_it_hashes(
    definition, attributes
):
    assert attributes_of(definition, SEGMENTS) == attributes


# --- What a flag requires ---


def requiring(key, *keys, **fields):
    return flag(key, prerequisites=tuple(map(Prerequisite, keys)), **fields)


@pytest.mark.parametrize(
    ("flags", "keys"),
    [
        ([], []),
        ([requiring("a")], ["a"]),
        ([requiring("a", "b"), requiring("b", "c"), requiring("c"), requiring("d")], list("abc")),
        ([requiring("a", "b"), requiring("b", "a")], list("ab")),
        ([requiring("a", "gone")], ["a"]),
        ([requiring("a", "b", enabled=False), requiring("b")], ["a"]),
        ([requiring("a", "b", archived=True), requiring("b")], ["a"]),
        ([requiring("a", "b"), requiring("b", "c", enabled=False), requiring("c")], list("ab")),
    ],
)
def test_a_flag_requires_itself_and_what_those_require_that_are_on(flags, keys):
    assert [each.key for each in required("a", {each.key: each for each in flags})] == keys
