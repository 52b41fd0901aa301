"""Snapshots: compiled on first use, carried over while unchanged."""

import gc
import weakref
from dataclasses import replace
from decimal import Decimal

import pytest

from flaggate.core.definitions import (
    Condition,
    Flag,
    Prerequisite,
    Quarantined,
    Rule,
    Segment,
    Variant,
)
from flaggate.core.snapshot import EMPTY, Snapshot, Version
from flaggate.core.stages import Stage
from tests.core.snapshots import INSIDE_HALF, NOBODY, NOW, flag, snapshot, user

HALF = Decimal(50)
BETA = Segment("beta", conditions=(Condition("plan", "one_of", (1,)),))
OUTER = Segment("outer", conditions=(Condition("", "in_segment", ("beta",)),))
RULED = flag(
    percentage=HALF,
    rules=(Rule(("outer",)),),
    variants=(Variant("a", 1, 1), Variant("b", [1], 1)),
)

# --- What it holds ---


def test_an_empty_snapshot_has_no_flags():
    assert EMPTY.keys == []
    assert EMPTY.segments == {}
    assert EMPTY.client_keys == []
    assert EMPTY.attributes == frozenset()
    assert EMPTY.version is None
    assert "flag" not in EMPTY


def test_a_snapshot_knows_where_and_when_it_comes_from():
    version = Version("epoch", 7, "token")

    loaded = Snapshot({}, version=version, source="database", loaded_at=NOW)

    assert (loaded.version, loaded.source, loaded.loaded_at) == (version, "database", NOW)


@pytest.mark.parametrize("other", [("e", 1, "u"), ("e", 2, "t"), ("f", 1, "t")])
def test_versions_differ_by_epoch_number_and_token(other):
    assert Version("e", 1, "t") == Version("e", 1, "t")
    assert Version("e", 1, "t") != Version(*other)


def test_a_snapshot_contains_flags_and_quarantined_ones_by_key():
    held = snapshot(flag("a"), quarantined={"b": Quarantined("unreadable")})

    assert "a" in held
    assert "b" in held
    assert "c" not in held
    assert None not in held


def test_its_keys_are_those_of_the_flags_that_are_not_archived():
    held = snapshot(
        flag("a"),
        flag("b", archived=True, client_visible=True),
        flag("c", client_visible=True),
        flag("d", enabled=False),
    )

    assert held.keys == ["a", "c", "d"]
    assert held.client_keys == ["c"]


def test_its_attributes_are_those_that_any_flag_may_read():
    held = snapshot(RULED, flag("other", percentage=HALF, bucket_by="org"), BETA, OUTER)

    assert held.attributes == {"plan", "targeting_key", "org"}
    assert held.attributes is held.attributes


def test_its_unsound_flags_are_those_that_require_each_other():
    one = flag("one", prerequisites=(Prerequisite("two"),))
    two = flag("two", prerequisites=(Prerequisite("one"),))

    assert snapshot(one, two, flag()).unsound == {"one", "two"}


# --- What is quarantined ---


@pytest.mark.parametrize(("multivariate", "value"), [(False, "False"), (True, "UNSET")])
def test_a_quarantined_flag_without_a_definition_is_off_and_says_why(multivariate, value):
    held = snapshot(quarantined={"flag": Quarantined("salt: is empty.", multivariate)})

    found = held.evaluate("flag", NOBODY)

    assert repr(found.value) == value
    assert (found.active, found.variant, found.reason) == (False, None, "ERROR")
    assert (found.error, found.message) == ("PARSE_ERROR", "salt: is empty.")


def test_a_quarantined_flag_with_its_last_good_definition_is_answered_by_it():
    held = snapshot(flag(), quarantined={"flag": Quarantined("unreadable")})

    assert held.evaluate("flag", NOBODY).active


# --- Compiled on first use ---


def test_a_flag_is_compiled_when_it_is_first_asked_for_and_then_kept():
    held = snapshot(flag("a"), flag("b"))
    assert dict(held.evaluators) == {}

    held.evaluate("a", NOBODY)

    assert set(held.evaluators) == {"a"}
    assert held.evaluators["a"] is held.evaluators["a"]


def test_a_key_that_no_flag_has_is_not_kept():
    held = snapshot(flag("a"))

    for _ in range(2):
        with pytest.raises(KeyError):
            held.evaluators["b"]
    assert dict(held.evaluators) == {}


def test_a_segment_is_compiled_once_for_all_its_flags():
    held = snapshot(RULED, replace(RULED, key="other"), BETA, OUTER)

    assert held.test("outer") is held.test("outer")


# --- Carried over ---


def later(earlier, *definitions):
    """Ask the first flag, load again with other definitions, and ask again."""
    before = snapshot(*earlier)
    asked = before.evaluators[earlier[0].key]
    after = snapshot(*definitions, previous=before)
    return asked, after.evaluators[earlier[0].key]


def test_an_unchanged_flag_keeps_its_closure():
    copies = [replace(each) for each in (RULED, BETA, OUTER)]

    before, after = later([RULED, BETA, OUTER], *copies)

    assert after is before


def test_a_closure_is_carried_through_snapshots_that_are_not_asked():
    first = snapshot(flag())
    asked = first.evaluators["flag"]
    second = snapshot(flag(), previous=first)
    third = snapshot(flag(), previous=second)

    assert third.evaluators["flag"] is asked


def test_a_closure_that_replaced_another_is_carried_in_its_place():
    first = snapshot(flag(percentage=HALF))
    first.evaluate("flag", NOBODY)
    second = snapshot(flag(), previous=first)
    asked = second.evaluators["flag"]

    assert snapshot(flag(), previous=second).evaluators["flag"] is asked


def test_other_flags_and_unused_segments_leave_a_closure_alone():
    before, after = later(
        [RULED, BETA, OUTER, flag("other"), Segment("unused")],
        *(RULED, BETA, OUTER, flag("other", enabled=False), flag("new"), Segment("new")),
    )

    assert after is before


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"archived": True},
        {"percentage": Decimal("50.001")},
        {"salt": "other"},
        {"bucket_by": "org"},
        {"off_variant": "a"},
        {"active_from": NOW},
        {"rules": (Rule(("outer",), HALF),)},
        {"rules": (Rule(("outer", "beta")),)},
        {"variants": (Variant("a", True, 1), Variant("b", [1], 1))},
        {"variants": (Variant("a", 1.0, 1), Variant("b", [1], 1))},
        {"variants": (Variant("a", 1, 1), Variant("b", [True], 1))},
        {"variants": (Variant("b", [1], 1), Variant("a", 1, 1))},
        {"prerequisites": (Prerequisite("other"),)},
        {"stages": (Stage(NOW, HALF),)},
    ],
)
def test_a_changed_flag_is_compiled_again(change):
    before, after = later([RULED, BETA, OUTER], replace(RULED, **change), BETA, OUTER)

    assert after is not before


@pytest.mark.parametrize(
    "change",
    [
        {"conditions": (Condition("plan", "one_of", (True,)),)},
        {"conditions": ()},
        {"match_all": False},
        {"included": frozenset({b"1"})},
        {"excluded": frozenset({b"1"})},
    ],
)
def test_a_flag_is_compiled_again_when_a_segment_changes_that_it_uses_nested(change):
    before, after = later([RULED, BETA, OUTER], RULED, replace(BETA, **change), OUTER)

    assert after is not before


def test_a_value_that_becomes_true_is_served_as_true():
    before = snapshot(flag(variants=(Variant("a", 1, 1),)))
    before.evaluate("flag", NOBODY)

    after = snapshot(flag(variants=(Variant("a", True, 1),)), previous=before)

    assert after.evaluate("flag", NOBODY).value is True


def test_an_operand_that_becomes_true_matches_true():
    beta = replace(BETA, conditions=(Condition("plan", "one_of", (True,)),))
    before = snapshot(RULED, BETA, OUTER)
    before.evaluate("flag", user(plan=True))

    after = snapshot(RULED, beta, OUTER, previous=before)

    assert after.evaluate("flag", user(plan=True)).rule == 1


def test_a_prerequisite_that_changes_changes_the_answer_of_a_closure_that_is_kept():
    requires = flag(prerequisites=(Prerequisite("required"),))
    before = snapshot(requires, flag("required"))
    assert before.evaluate("flag", NOBODY)

    after = snapshot(requires, flag("required", enabled=False), previous=before)

    assert not after.evaluate("flag", NOBODY)
    assert after.evaluators["flag"] is before.evaluators["flag"]
    assert before.evaluate("flag", NOBODY)


def test_a_prerequisite_that_is_deleted_turns_off_a_closure_that_is_kept():
    requires = flag(prerequisites=(Prerequisite("required"),))
    before = snapshot(requires, flag("required"))
    before.evaluate("flag", NOBODY)

    after = snapshot(requires, previous=before)

    assert after.evaluate("flag", NOBODY).reason == "PREREQUISITE_FAILED"


def test_a_flag_whose_prerequisites_begin_to_run_in_a_circle_is_compiled_again():
    requires = flag(prerequisites=(Prerequisite("required"),))
    before = snapshot(requires, flag("required"))
    before.evaluate("flag", NOBODY)

    circle = flag("required", prerequisites=(Prerequisite("flag"),))
    after = snapshot(requires, circle, previous=before)
    again = snapshot(requires, flag("required"), previous=after)

    assert "circle" in after.evaluate("flag", NOBODY).message
    assert again.evaluate("flag", NOBODY).active


def test_a_flag_that_was_deleted_and_comes_back_is_answered_anew():
    before = snapshot(flag(percentage=HALF))
    before.evaluate("flag", user(INSIDE_HALF))
    between = snapshot(previous=before)

    after = snapshot(flag(percentage=Decimal(0)), previous=between)

    with pytest.raises(KeyError):
        between.evaluate("flag", NOBODY)
    assert not after.evaluate("flag", user(INSIDE_HALF))


def test_a_quarantined_flag_is_answered_anew_when_it_is_whole_again():
    before = snapshot(quarantined={"flag": Quarantined("unreadable")})
    before.evaluate("flag", NOBODY)

    assert snapshot(flag(), previous=before).evaluate("flag", NOBODY).active


def test_unknown_keys_are_told_of_once_for_each_snapshot():
    before = snapshot()
    before.told.add("typo")

    assert snapshot(previous=before).told == set()


def test_a_flag_of_the_defaults_is_off():
    assert not snapshot(Flag("flag")).evaluate("flag", NOBODY)


def test_the_closure_of_a_deleted_flag_is_let_go():
    first = snapshot(flag())
    closure = weakref.ref(first.evaluators["flag"])
    later = snapshot(flag("other"), previous=first)

    del first
    gc.collect()

    assert later.keys == ["other"]
    assert closure() is None


def test_what_is_carried_over_keeps_no_older_snapshot_alive():
    definitions = replace(RULED, key="only_here"), BETA, OUTER
    old = snapshot(*definitions)
    old.evaluate("only_here", NOBODY)
    new = snapshot(*definitions, previous=old)
    new.evaluate("only_here", NOBODY)

    del old
    gc.collect()

    snapshots = [each for each in gc.get_objects() if type(each) is Snapshot]
    assert [each for each in snapshots if "only_here" in each.flags] == [new]
