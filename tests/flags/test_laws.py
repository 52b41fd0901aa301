"""No key, no subject and no attribute makes a question raise."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flaggate
from flaggate.core.definitions import Condition, Flag, Rule, Segment, Variant
from flaggate.core.snapshot import Snapshot
from flaggate.flags import Flags

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters()),
    st.binary(),
    st.uuids(),
    st.decimals(),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.complex_numbers(),
    st.sampled_from([object(), type, print, NotImplemented, ..., "\ud800"]),
    st.builds(lambda: 10**5000),  # more digits than Python agrees to print
    st.builds(lambda: "x" * 10**6),
)
nested = st.recursive(
    anything,
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner),
        st.sets(st.one_of(st.none(), st.integers(), st.text())),
        st.dictionaries(st.text(), inner),
    ),
    max_leaves=5,
)

EVERY_WAY = (
    Flag("targeted", enabled=True, percentage=Decimal(0), rules=(Rule(("payers",)),)),
    Flag("constant", enabled=True),
    Flag("half", enabled=True, percentage=Decimal(50), salt="s"),
    Flag("by_plan", enabled=True, percentage=Decimal(50), salt="s", bucket_by="plan"),
    Flag("split", enabled=True, variants=(Variant("a", 1, 1), Variant("b", 2, 1))),
    Flag(
        "ages",
        enabled=True,
        rules=(Rule(("ages",)), Rule(("zones",)), Rule(("times",)), Rule(("texts",))),
    ),
)
SEGMENTS = {
    "payers": Segment("payers", conditions=(Condition("plan", "one_of", ("team",)),)),
    "ages": Segment("ages", conditions=(Condition("plan", "gt", (18,)),)),
    "zones": Segment("zones", conditions=(Condition("plan", "in_cidr", ("10.0.0.0/8",)),)),
    "times": Segment(
        "times", conditions=(Condition("plan", "after", ("2026-01-01T00:00:00Z",), negate=True),)
    ),
    "texts": Segment(
        "texts", conditions=(Condition("targeting_key", "contains", ("4",), ignore_case=True),)
    ),
}
SNAPSHOT = Snapshot({flag.key: flag for flag in EVERY_WAY}, SEGMENTS)


def ask_everything(flags: Flags, key: Any) -> None:
    assert flags.is_active(key) in (True, False)
    assert isinstance(flags.variant(key), str | None)
    flags.value(key, default=0)
    assert isinstance(flags.evaluate(key), flaggate.Evaluation)
    assert isinstance(flags.explain(key).evaluation, flaggate.Evaluation)
    assert (key in flags) in (True, False)


@given(key=nested)
def test_no_key_makes_a_question_raise(key):
    ask_everything(Flags(SNAPSHOT, flaggate.EvaluationContext("42"), NOW), key)


class Unfriendly:
    """A key that resists every question."""

    def __hash__(self):
        raise ValueError("no hash")

    def __eq__(self, other):
        raise ValueError("no comparison")

    def __repr__(self):
        raise ValueError("no text")


def test_no_class_of_a_key_makes_a_question_raise():
    ask_everything(Flags(SNAPSHOT, flaggate.EvaluationContext("42"), NOW), Unfriendly())


@given(key=nested, plan=nested, targeting_key=nested)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_attribute_and_no_targeting_key_makes_a_question_raise(key, plan, targeting_key):
    subject = flaggate.EvaluationContext(targeting_key, {"plan": plan})
    flags = flaggate.flags_for(subject)
    flags.snapshot = SNAPSHOT
    for each in SNAPSHOT.flags:
        ask_everything(flags, each)
    assert list(flags.all()) == list(SNAPSHOT.flags)


def test_attributes_of_unfriendly_classes_turn_off_what_asks_for_them():
    class Chameleon:
        @property
        def __class__(self):
            raise ValueError("no class")

    for plan in (Unfriendly(), Chameleon(), [Chameleon()]):
        flags = flaggate.flags_for(flaggate.EvaluationContext("42", {"plan": plan}))
        flags.snapshot = SNAPSHOT
        for each in SNAPSHOT.flags:
            ask_everything(flags, each)


subjects = st.one_of(
    st.none(),
    st.integers(),
    st.text(st.characters()),
    st.uuids(),
    st.sampled_from(["", "\ud800", AnonymousUser(), User(pk=1), User()]),
    st.builds(lambda: 10**5000),
    st.builds(lambda: "x" * 10**6),
    st.builds(flaggate.EvaluationContext, nested),
)


@given(subject=subjects)
def test_no_subject_makes_a_question_raise(subject):
    flags = flaggate.flags_for(subject)
    flags.snapshot = SNAPSHOT
    for key in SNAPSHOT.flags:
        ask_everything(flags, key)
    assert list(flags.all()) == list(SNAPSHOT.flags)


@given(subject=nested)
def test_whatever_is_asked_for_is_a_subject_or_a_type_error(subject):
    with suppress(TypeError):
        assert flaggate.flags_for(subject).is_active("unknown") is False
