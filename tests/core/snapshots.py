"""Snapshots of a few definitions, and answers from them."""

from datetime import UTC, datetime

from flaggate.core.definitions import Flag, Segment
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
