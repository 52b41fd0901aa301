"""Answers that one person has forced for themselves."""

from datetime import timedelta

import pytest

from flaggate.core.definitions import Variant
from flaggate.core.evaluation import OVERRIDER, EvaluationContext
from tests.core.snapshots import NOW, flag, snapshot

SECOND = timedelta(seconds=1)
VARIANTS = tuple(Variant(key, key.upper(), 1) for key in "abc")


def forced(choice, *, until=NOW + SECOND, now=NOW, overrider="7", **fields):
    """Answer a flag that the user 7 has forced."""
    personal = snapshot(flag(percentage=0, overridable=True, **fields)).personal(
        "7", {"flag": (choice, until)}
    )
    return personal.evaluate("flag", EvaluationContext("1", {OVERRIDER: overrider}, now=now))


def test_it_holds_for_the_user_who_forced_it_and_for_no_other():
    assert forced(True).active
    assert not forced(True, overrider="8").active


@pytest.mark.parametrize(
    ("until", "active"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)]
)
def test_it_ends_at_its_moment(until, active):
    assert forced(True, until=NOW + until).active is active


def test_without_a_moment_there_is_none():
    assert not forced(True, now=None).active


@pytest.mark.parametrize("key", "abc")
def test_a_variant_is_forced_by_its_key(key):
    assert forced(key, variants=VARIANTS).value == key.upper()


def test_a_variant_that_does_not_exist_forces_nothing():
    assert forced("d", variants=VARIANTS).variant is None


def test_whose_request_it_is_has_to_be_known():
    plain = snapshot(flag(percentage=50))

    assert plain.personal("7", {}).attributes == plain.attributes | {OVERRIDER}
