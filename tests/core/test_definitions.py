"""Definitions: what makes two of them the same."""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from flaggate.core.definitions import (
    EVERYONE,
    Condition,
    Flag,
    Prerequisite,
    Problem,
    Quarantined,
    Rule,
    Segment,
    Variant,
)
from flaggate.core.stages import Stage

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        (1, True),
        (0, False),
        (1, 1.0),
        (0.0, -0.0),
        ("1", 1),
        ([1], [True]),
        ([1], (1,)),
        ({"a": 1}, {"a": 1.0}),
        ({"a": [1]}, {"a": [True]}),
    ],
)
def test_values_that_json_tells_apart_make_different_variants(value, other):
    assert Variant("x", value) != Variant("x", other)
    assert Flag("f", variants=(Variant("x", value),)) != Flag("f", variants=(Variant("x", other),))


@pytest.mark.parametrize(
    ("values", "others"),
    [((1,), (True,)), ((0,), (False,)), ((1,), (1.0,)), (("1",), (1,))],
)
def test_operands_that_json_tells_apart_make_different_conditions(values, others):
    assert Condition("a", "one_of", values) != Condition("a", "one_of", others)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Variant("x", {"a": [1, 2.5, None]}, 3), Variant("x", {"a": [1, 2.5, None]}, 3)),
        (Condition("a", "one_of", ("b", 1)), Condition("a", "one_of", ("b", 1))),
    ],
)
def test_what_is_written_alike_is_the_same_and_hashes_alike(one, other):
    assert one == other
    assert hash(one) == hash(other)
    assert one != "something else"


@pytest.mark.parametrize(
    "change",
    [
        {"key": "y"},
        {"weight": 2},
    ],
)
def test_every_field_of_a_variant_counts(change):
    variant = Variant("x", "compact", 1)

    assert replace(variant, **change) != variant


@pytest.mark.parametrize(
    "change",
    [
        {"attribute": "b"},
        {"operator": "contains"},
        {"negate": True},
        {"ignore_case": True},
    ],
)
def test_every_field_of_a_condition_counts(change):
    condition = Condition("a", "one_of", ("b",))

    assert replace(condition, **change) != condition


@pytest.mark.parametrize(
    "change",
    [
        {"key": "g"},
        {"enabled": True},
        {"percentage": Decimal("99.999")},
        {"salt": "t"},
        {"bucket_by": "org"},
        {"off_variant": "y"},
        {"active_from": NOON},
        {"active_until": NOON},
        {"archived": True},
        {"client_visible": True},
        {"variants": (Variant("x", "compact"),)},
        {"rules": (Rule(("beta",)),)},
        {"prerequisites": (Prerequisite("g"),)},
        {"stages": (Stage(NOON, Decimal(5)),)},
    ],
)
def test_every_field_of_a_flag_counts(change):
    flag = Flag("f", salt="s")

    assert replace(flag, **change) != flag


def test_numbers_and_moments_are_the_same_however_they_are_written():
    east = NOON.astimezone(timezone(timedelta(hours=2)))

    assert Flag("f", percentage=Decimal("50.000")) == Flag("f", percentage=Decimal(50))
    assert Flag("f", active_from=east) == Flag("f", active_from=NOON)


def test_a_flag_is_off_unless_it_is_enabled():
    assert not Flag("f").enabled


@pytest.mark.parametrize("share", [Flag("f").percentage, Rule(("beta",)).percentage, EVERYONE])
def test_a_share_is_everyone_unless_it_is_limited(share):
    assert share == 100


def test_a_segment_matches_all_of_its_conditions_unless_any_is_enough():
    assert Segment("beta").match_all


def test_the_members_of_a_segment_are_with_it_unless_they_are_on_demand():
    assert not Segment("beta").on_demand


def test_a_variant_is_served_to_nobody_unless_it_has_a_weight():
    assert Variant("x", 1).weight == 0


def test_a_flag_may_be_overridden_unless_it_forbids_it():
    assert Flag("f").overridable


def test_nothing_is_assumed_of_what_is_quarantined():
    assert Quarantined("unreadable") == Quarantined("unreadable", False, False, None)


def test_a_problem_is_not_tolerable_unless_it_says_so():
    assert not Problem("salt", "is empty.").tolerable


@pytest.mark.parametrize(
    "definition",
    [
        Flag("f"),
        Segment("beta"),
        Variant("x", 1),
        Rule(("beta",)),
        Prerequisite("g"),
        Condition("a", "exists"),
        Quarantined("unreadable"),
    ],
)
def test_a_definition_can_not_be_changed(definition):
    first = next(iter(definition.__dataclass_fields__))

    with pytest.raises(FrozenInstanceError):
        setattr(definition, first, "other")


def test_a_problem_prints_where_it_is_and_what_it_is():
    assert str(Problem("salt", "is empty.")) == "salt: is empty."


def test_problems_are_the_same_whether_they_are_tolerable_or_not():
    assert Problem("salt", "is empty.", tolerable=True) == Problem("salt", "is empty.")
