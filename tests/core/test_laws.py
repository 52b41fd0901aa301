"""Laws: what holds for any flags and any subject."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from flaggate.core import validation
from flaggate.core.evaluation import EvaluationContext
from flaggate.core.explanation import explain
from flaggate.core.snapshot import Snapshot
from tests.core.snapshots import fields
from tests.core.strategies import FLAGS, contexts, definitions, percentages

keys = st.sampled_from(FLAGS)


def answers(snapshot, context):
    return {key: fields(snapshot.evaluate(key, context)) for key in snapshot.flags}


@given(definitions())
def test_the_definitions_that_the_laws_draw_are_without_fault(drawn):
    flags, segments = drawn

    problems = [
        problem
        for flag in flags.values()
        for problem in validation.flag_problems(flag, flags, segments)
    ]

    assert not validation.broken_segments(segments)
    assert all(problem.tolerable for problem in problems), problems


@given(definitions(), contexts, st.sets(keys, max_size=2))
def test_a_compiled_flag_answers_what_the_plain_walk_answers(drawn, context, deleted):
    flags, segments = drawn
    snapshot = Snapshot({key: flags[key] for key in FLAGS if key not in deleted}, segments)

    interpreted = {
        key: fields(explain(snapshot, key, context).evaluation) for key in snapshot.flags
    }

    assert answers(snapshot, context) == interpreted


@given(definitions(), definitions(), st.sets(keys), contexts)
def test_what_is_taken_over_from_an_earlier_snapshot_changes_no_answer(
    before, after, unchanged, context
):
    flags = after[0] | {key: before[0][key] for key in unchanged}
    earlier = Snapshot(*before)
    answers(earlier, context)

    for segments in (before[1], after[1]):
        later = Snapshot(flags, segments, previous=earlier)

        assert answers(later, context) == answers(Snapshot(flags, segments), context)


@given(definitions(), contexts, keys, percentages, percentages)
def test_raising_a_percentage_keeps_everybody_who_is_in(drawn, context, key, one, other):
    flags, segments = drawn
    flag = replace(flags[key], rules=(), stages=())
    low, high = (
        Snapshot({**flags, key: replace(flag, percentage=percentage)}, segments)
        for percentage in sorted([one, other])
    )

    before = low.evaluate(key, context)
    after = high.evaluate(key, context)

    assert not before or (after.active, after.variant) == (True, before.variant)


@given(definitions(), contexts, keys, st.sampled_from(["enabled", "archived"]))
def test_a_killed_flag_is_inactive_and_false_if_it_is_boolean(drawn, context, key, column):
    flags, segments = drawn
    killed = replace(flags[key], **{column: column == "archived"})
    snapshot = Snapshot({**flags, key: killed}, segments)

    answer = snapshot.evaluate(key, context)

    assert not answer.active
    assert answer.reason == "DISABLED"
    assert answer.variant == (killed.off_variant or None)
    assert killed.variants or answer.value is False


@given(definitions(), contexts)
def test_a_snapshot_names_every_attribute_that_its_flags_read(drawn, context):
    snapshot = Snapshot(*drawn)
    read = []
    watched = EvaluationContext(
        resolve=lambda name: read.append(name) or context.attributes[name], now=context.now
    )

    answers(snapshot, watched)

    assert set(read) | {"now"} <= snapshot.attributes | {"now"}


@given(definitions(), contexts)
def test_an_active_answer_is_true_and_serves_something_that_is_not_false(drawn, context):
    snapshot = Snapshot(*drawn)

    for key, flag in snapshot.flags.items():
        answer = snapshot.evaluate(key, context)

        assert bool(answer) is answer.active
        assert not answer.active or answer.value is not False
        assert (answer.reason == "ERROR") is (answer.error is not None)
        assert answer.rule is None or 1 <= answer.rule <= len(flag.rules)


@given(definitions(), contexts, keys)
def test_an_answer_is_prepared_and_the_same_object_each_time(drawn, context, key):
    snapshot = Snapshot(*drawn)

    assert snapshot.evaluate(key, context) is snapshot.evaluate(key, context)
