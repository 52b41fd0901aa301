"""Messages of the core in another language."""

import pytest
from django.utils import translation

from flaggate.core.messages import Message, joined
from flaggate.models.messages import translated

MISSING = Message("there is no segment %(key)r.", key="beta")


@pytest.fixture(autouse=True)
def german():
    with translation.override("de"):
        yield


def test_a_message_is_translated_and_then_filled_in():
    assert translated(MISSING) == "Es gibt kein Segment 'beta'."


def test_a_message_within_a_message_is_translated_too():
    broken = Message(
        "uses the segment %(key)r, which is broken: %(reason)s", key="a", reason=MISSING
    )
    assert translated(broken) == (
        "verwendet das Segment 'a', das fehlerhaft ist: Es gibt kein Segment 'beta'."
    )


def test_joined_messages_are_translated_one_by_one():
    assert translated(joined([MISSING, "text"])) == "Es gibt kein Segment 'beta'. text"


@pytest.mark.parametrize("other", ["off", "", 5, None])
def test_what_is_no_message_stays_as_it_is(other):
    assert translated(other) is other
