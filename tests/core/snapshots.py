"""Snapshots of a few definitions, and answers from them."""

from datetime import UTC, datetime
from itertools import pairwise

from flaggate.core.definitions import Condition, Flag, Segment
from flaggate.core.evaluation import EvaluationContext
from flaggate.core.snapshot import Snapshot

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOBODY = EvaluationContext(now=NOW)

# With the salt "checkout" the user "1" has the bucket 49,641 and the user "42" has 76,518.
SALT = "checkout"
INSIDE_HALF, OUTSIDE_HALF = "1", "42"


def user(key=INSIDE_HALF, /, **attributes):
    """Make the context of a subject with a targeting key."""
    return EvaluationContext(key, attributes, now=NOW)


def flag(key="flag", /, *, enabled=True, salt=SALT, **fields):
    """Make a flag that is enabled."""
    return Flag(key, enabled, salt=salt, **fields)


def one_of(attribute, *values, **options):
    """Make the condition that an attribute is one of some values."""
    return Condition(attribute, "one_of", values, **options)


def within(*keys, negate=False):
    """Make the condition that a subject is in one of some segments."""
    return Condition("", "in_segment", keys, negate)


def segment(key, *conditions, **options):
    """Make a segment of conditions."""
    return Segment(key, conditions=conditions, **options)


def nest(levels, innermost):
    """Make segments s0, s1 … of which each is made of the next, and the last of another."""
    keys = [*(f"s{level}" for level in range(levels)), innermost.key]
    return [*(segment(key, within(inner)) for key, inner in pairwise(keys)), innermost]


def snapshot(*definitions, **options):
    """Make a snapshot of flags and segments."""
    flags = {each.key: each for each in definitions if isinstance(each, Flag)}
    segments = {each.key: each for each in definitions if isinstance(each, Segment)}
    return Snapshot(flags, segments, **options)


def answer(definition, *others, of=NOBODY):
    """Answer the first flag, which may use the other definitions."""
    return snapshot(definition, *others).evaluate(definition.key, of)


def fields(evaluation):
    """Return all that an answer says, comparable: values of different JSON types differ."""
    return (
        evaluation.flag,
        type(evaluation.value),
        repr(evaluation.value),
        evaluation.active,
        evaluation.variant,
        evaluation.reason,
        evaluation.rule,
        evaluation.error,
        evaluation.message,
    )
