"""Quarantine: a broken flag is left out alone, and keeps its last good definition."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaggate.core.definitions import Condition, Prerequisite, Quarantined, Rule, Segment, Variant
from flaggate.core.explanation import explain
from flaggate.core.quarantine import assemble
from flaggate.core.snapshot import Snapshot, Version
from tests.core.snapshots import NOBODY, NOW, fields, flag, user
from tests.core.strategies import FLAGS, SEGMENTS, contexts, definitions

NONE = Decimal(0)
VERSION = Version("epoch", 1, "token")
BETA = Segment("beta", conditions=(Condition("plan", "one_of", ("beta",)),))
UNJUDGED = Segment("beta", conditions=(Condition("plan", "sounds_like", ("beta",)),))
FOR_BETA = flag(percentage=NONE, rules=(Rule(("beta",)),))
BROKEN = flag(salt="")
UNREADABLE = {"flag": Quarantined("percentage: 'lots' is no number.")}


def load(*found, previous=None, unreadable=None, unreadable_segments=None, unchanged=frozenset()):
    """Assemble a snapshot of the flags and segments that were found."""
    return assemble(
        {each.key: each for each in found if not isinstance(each, Segment)},
        {each.key: each for each in found if isinstance(each, Segment)},
        unreadable=unreadable or {},
        unreadable_segments=unreadable_segments or {},
        version=VERSION,
        source="database",
        loaded_at=NOW,
        previous=previous,
        unchanged=unchanged,
    )


def test_whole_flags_are_served_as_they_are():
    loaded = load(FOR_BETA, BETA)

    assert loaded.quarantined == {}
    assert (loaded.version, loaded.source, loaded.loaded_at) == (VERSION, "database", NOW)
    assert loaded.evaluate("flag", user(plan="beta")).active
    assert not loaded.evaluate("flag", user(plan="free")).active


@pytest.mark.parametrize(
    "broken",
    [
        flag(salt=""),
        flag(percentage=Decimal(101)),
        flag(percentage=Decimal("NaN")),
        flag(off_variant="gone"),
        flag(rules=(Rule(("gone",)),)),
        flag(rules=(Rule(("unjudged",)),)),
        flag(rules=(Rule(("unread",)),)),
        flag(rules=(Rule(("circle",)),)),
        flag(rules=(Rule(("beta",), variant="gone"),)),
        flag(prerequisites=(Prerequisite("gone"),)),
        flag(prerequisites=(Prerequisite("other", "gone"),)),
        flag(variants=(Variant("a", 1, 0),)),
    ],
)
def test_a_broken_flag_is_off_alone(broken):
    others = [flag("other"), replace(FOR_BETA, key="for_beta"), BETA]
    bad = [
        replace(UNJUDGED, key="unjudged"),
        Segment("circle", conditions=(Condition("", "in_segment", ("circle",)),)),
    ]

    loaded = load(broken, *others, *bad, unreadable_segments={"unread": "match: 'some'."})

    answer = loaded.evaluate("flag", user(plan="beta"))
    assert (answer.active, answer.reason, answer.error) == (False, "ERROR", "PARSE_ERROR")
    assert answer.message == loaded.quarantined["flag"].reason != ""
    assert set(loaded.quarantined) == {"flag"}
    assert loaded.evaluate("other", NOBODY).active
    assert loaded.evaluate("for_beta", user(plan="beta")).active


def test_a_flag_that_can_not_be_read_is_off_alone():
    loaded = load(flag("other"), unreadable=UNREADABLE)

    assert loaded.evaluate("flag", NOBODY).message == UNREADABLE["flag"].reason
    assert loaded.evaluate("other", NOBODY).active


def test_the_reason_names_every_problem_that_counts():
    loaded = load(flag(salt="", percentage=Decimal(101), rules=(Rule(()),)))

    reason = loaded.quarantined["flag"].reason
    assert "salt: is empty" in reason
    assert "percentage: 101 is no percentage" in reason
    assert "rules[0]" not in reason


@pytest.mark.parametrize(
    "tolerable",
    [
        flag(rules=(Rule(()),)),
        flag(prerequisites=(Prerequisite("flag"),)),
    ],
)
def test_what_can_only_make_the_answer_off_more_often_is_served(tolerable):
    assert load(tolerable).quarantined == {}


def test_a_flag_that_requires_one_that_can_not_be_read_is_off_but_not_broken():
    loaded = load(flag("other", prerequisites=(Prerequisite("flag"),)), unreadable=UNREADABLE)

    assert set(loaded.quarantined) == {"flag"}
    assert loaded.evaluate("other", NOBODY).reason == "PREREQUISITE_FAILED"


@pytest.mark.parametrize(
    ("variants", "value"), [((), "False"), ((Variant("a", 1, 1), Variant("a", 1, 1)), "UNSET")]
)
def test_a_broken_multivariate_flag_gives_the_callers_default(variants, value):
    loaded = load(flag(salt="", variants=variants))

    assert repr(loaded.evaluate("flag", NOBODY).value) == value


# --- The last good definition ---


def test_a_broken_flag_keeps_its_last_good_definition():
    good = load(FOR_BETA, BETA)

    loaded = load(replace(FOR_BETA, salt="", rules=()), BETA, previous=good)

    assert loaded.evaluate("flag", user(plan="beta")).active
    assert not loaded.evaluate("flag", NOBODY).active
    assert loaded.quarantined["flag"].reason.startswith("salt: ")


def test_a_flag_that_can_not_be_read_keeps_its_last_good_definition():
    good = load(flag())

    assert load(unreadable=UNREADABLE, previous=good).evaluate("flag", NOBODY).active


def test_it_keeps_it_for_as_long_as_it_is_broken():
    loaded = load(FOR_BETA, BETA)
    for _ in range(3):
        loaded = load(replace(FOR_BETA, salt=""), UNJUDGED, previous=loaded)

    assert loaded.evaluate("flag", user(plan="beta")).active


def test_its_last_good_definition_is_the_last_one():
    first = load(flag(percentage=NONE))
    second = load(flag(), previous=first)

    assert load(BROKEN, previous=second).evaluate("flag", NOBODY).active


def test_mended_it_is_served_as_it_is():
    broken = load(BROKEN, previous=load(flag()))

    mended = load(flag(percentage=NONE), previous=broken)

    assert mended.quarantined == {}
    assert not mended.evaluate("flag", NOBODY).active


def test_a_flag_that_was_never_whole_is_off():
    never = load(BROKEN)

    assert not load(BROKEN, previous=never).evaluate("flag", NOBODY).active


def test_a_flag_that_is_deleted_is_gone():
    loaded = load(previous=load(BROKEN, previous=load(flag())))

    assert "flag" not in loaded


def test_a_flag_keeps_the_last_good_form_of_a_segment_that_breaks():
    good = load(FOR_BETA, BETA)

    loaded = load(FOR_BETA, UNJUDGED, previous=good)

    assert loaded.evaluate("flag", user(plan="beta")).active
    why = loaded.quarantined["flag"].reason
    assert why.startswith("rules[0].segments[0]: the segment 'beta' is broken: conditions[0].")


@pytest.mark.parametrize(
    ("unreadable", "reason"),
    [
        ({}, "there is no segment 'beta'."),
        ({"beta": "match: 'some'."}, "the segment 'beta' is broken: match: 'some'."),
    ],
)
def test_a_flag_keeps_the_last_good_form_of_a_segment_that_is_gone_or_unreadable(
    unreadable, reason
):
    good = load(FOR_BETA, BETA)

    loaded = load(FOR_BETA, previous=good, unreadable_segments=unreadable)

    assert loaded.evaluate("flag", user(plan="beta")).active
    assert loaded.quarantined["flag"].reason == f"rules[0].segments[0]: {reason}"


def test_a_flag_keeps_nested_segments_too():
    outer = Segment("outer", conditions=(Condition("", "in_segment", ("beta",)),))
    definition = replace(FOR_BETA, rules=(Rule(("outer",)),))

    loaded = load(definition, outer, UNJUDGED, previous=load(definition, outer, BETA))

    assert loaded.evaluate("flag", user(plan="beta")).active


def test_a_broken_flag_follows_its_segments_while_those_are_whole():
    good = load(FOR_BETA, BETA)
    wider = replace(BETA, conditions=(Condition("plan", "one_of", ("beta", "free")),))

    loaded = load(replace(FOR_BETA, salt=""), wider, previous=good)

    assert loaded.evaluate("flag", user(plan="free")).active


def test_whole_flags_follow_their_segments_while_a_broken_one_keeps_another():
    both = [FOR_BETA, replace(FOR_BETA, key="other", rules=(Rule(("paying",)),))]
    paying = replace(BETA, key="paying")
    nobody = Segment("paying")

    loaded = load(*both, UNJUDGED, nobody, previous=load(*both, BETA, paying))

    assert loaded.evaluate("flag", user(plan="beta")).active
    assert not loaded.evaluate("other", user(plan="beta")).active


# --- The kill switch ---


@pytest.mark.parametrize("killing", [{"enabled": False}, {"archived": True}])
def test_a_broken_flag_is_killed_by_its_column(killing):
    killed = load(flag(salt="", **killing), previous=load(flag()))

    answer = killed.evaluate("flag", NOBODY)

    assert (answer.value, answer.active, answer.reason) == (False, False, "DISABLED")
    assert killed.quarantined["flag"].killed


def test_a_flag_that_can_not_be_read_is_killed_by_its_column():
    unreadable = {"flag": Quarantined("unreadable", killed=True)}

    assert load(unreadable=unreadable, previous=load(flag())).evaluate("flag", NOBODY).reason == (
        "DISABLED"
    )


def test_enabled_again_a_broken_flag_is_served_by_its_last_good_definition_again():
    good = load(flag())
    killed = load(flag(salt="", enabled=False), previous=good)
    still_killed = load(flag(salt="", enabled=False), previous=killed)

    again = load(BROKEN, previous=still_killed)

    assert again.evaluate("flag", NOBODY).active
    assert again.quarantined["flag"].last_good == flag()


def test_a_flag_that_was_off_when_it_was_last_whole_stays_off():
    off = load(flag(enabled=False))

    assert not load(BROKEN, previous=off).evaluate("flag", NOBODY).active


# --- Laws ---


def break_salt(flags, segments, key):
    return {**flags, key: replace(flags[key], salt="")}, segments, {}


def break_percentage(flags, segments, key):
    return {**flags, key: replace(flags[key], percentage=Decimal("sNaN"))}, segments, {}


def break_rule(flags, segments, key):
    return {**flags, key: replace(flags[key], rules=(Rule(("gone",)),))}, segments, {}


def break_off_variant(flags, segments, key):
    return {**flags, key: replace(flags[key], off_variant="gone")}, segments, {}


def break_reading(flags, segments, key):
    left = {other: flag for other, flag in flags.items() if other != key}
    return left, segments, {key: Quarantined("unreadable")}


breakages = st.sampled_from(
    [break_salt, break_percentage, break_rule, break_off_variant, break_reading]
)
keys = st.sampled_from(FLAGS)


def assembled(flags, segments, unreadable=None, **options):
    return load(*flags.values(), *segments.values(), unreadable=unreadable, **options)


def answers(snapshot, context):
    return {key: fields(snapshot.evaluate(key, context)) for key in FLAGS}


@given(definitions(), contexts, keys, breakages)
def test_a_flag_that_breaks_changes_no_answer_not_even_its_own(drawn, context, key, breakage):
    flags, segments = drawn
    whole = assembled(flags, segments)
    before = answers(whole, context)

    broken = assembled(*breakage(flags, segments, key), previous=whole)

    assert set(broken.quarantined) == {key}
    assert answers(broken, context) == before


@given(definitions(), contexts, keys, breakages)
def test_a_broken_flag_without_a_last_good_definition_changes_no_other_flag(
    drawn, context, key, breakage
):
    flags, segments = drawn
    flags = {name: replace(flag, prerequisites=()) for name, flag in flags.items()}
    before = answers(assembled(flags, segments), context)

    broken = answers(assembled(*breakage(flags, segments, key)), context)

    assert {**broken, key: None} == {**before, key: None}
    assert "PARSE_ERROR" in broken[key]


@given(definitions(), contexts, st.sampled_from(SEGMENTS))
def test_a_segment_that_breaks_changes_no_answer(drawn, context, key):
    flags, segments = drawn
    whole = assembled(flags, segments)
    unjudged = replace(segments[key], conditions=UNJUDGED.conditions)

    broken = assembled(flags, {**segments, key: unjudged}, previous=whole)

    assert answers(broken, context) == answers(whole, context)


@given(definitions(), contexts, keys, breakages, st.sampled_from(["enabled", "archived"]))
def test_a_killed_flag_is_off_however_broken_it_is(drawn, context, key, breakage, column):
    flags, segments = drawn
    whole = assembled(flags, segments)
    killed = {**flags, key: replace(flags[key], **{column: column == "archived"})}
    flags, segments, unreadable = breakage(killed, segments, key)
    unreadable = {name: replace(why, killed=True) for name, why in unreadable.items()}

    loaded = assembled(flags, segments, unreadable, previous=whole)

    assert loaded.evaluate(key, context).reason == "DISABLED"
    assert not loaded.evaluate(key, context).active


@given(definitions(), contexts, keys, breakages)
def test_broken_flags_too_are_explained_as_they_are_answered(drawn, context, key, breakage):
    whole = assembled(*drawn)

    for previous in (None, whole):
        broken = assembled(*breakage(*drawn, key), previous=previous)

        explained = {name: fields(explain(broken, name, context).evaluation) for name in FLAGS}
        assert explained == answers(broken, context)


@given(definitions(), definitions(), st.tuples(breakages, breakages), st.booleans())
def test_what_can_not_have_broken_need_not_be_judged_again(one, other, broken, moved):
    flags, segments = one
    for key, breakage in zip(FLAGS[:2], broken, strict=True):
        flags = breakage(flags, segments, key)[0]
    before = assembled(flags, segments)
    flags = {**flags, FLAGS[1]: other[0][FLAGS[1]], FLAGS[2]: other[0][FLAGS[2]]}
    segments = other[1] if moved else segments
    unchanged = {
        key
        for key, flag in flags.items()
        if key == FLAGS[0] and not flag.prerequisites and not (moved and flag.rules)
    }

    quick = assembled(flags, segments, previous=before, unchanged=unchanged)
    thorough = assembled(flags, segments, previous=before)

    assert quick.quarantined == thorough.quarantined
    assert quick.flags == thorough.flags


def test_a_flag_that_was_broken_and_has_not_changed_is_still_broken():
    good = load(flag())
    broken = load(BROKEN, previous=good)

    again = load(BROKEN, previous=broken, unchanged={"flag"})

    assert again.quarantined == broken.quarantined
    assert again.evaluate("flag", NOBODY).active


def test_a_flag_that_has_not_changed_is_not_judged_again():
    """Of a flag that is said not to have changed nothing is found out."""
    good = load(flag())

    assert load(BROKEN, previous=good, unchanged={"flag"}).quarantined == {}


def test_a_snapshot_is_assembled_for_nothing_too():
    assert isinstance(load(), Snapshot)
    assert load().keys == []
