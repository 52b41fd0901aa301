"""Messages are texts that know what they were made of."""

import copy
import json
import pickle

import pytest

from flaggate.core.messages import Message, joined, quoted, said

SENTENCE = Message("%(key)r has %(count)d %%", key="beta", count=5)


def test_a_message_is_its_english_text():
    assert SENTENCE == "'beta' has 5 %"
    assert isinstance(SENTENCE, str)
    assert json.dumps({"message": SENTENCE}) == json.dumps({"message": "'beta' has 5 %"})


def test_a_message_knows_what_it_was_made_of():
    assert (SENTENCE.template, SENTENCE.values) == (
        "%(key)r has %(count)d %%",
        {"key": "beta", "count": 5},
    )


def test_copies_know_it_too():
    for each in (copy.deepcopy(SENTENCE), pickle.loads(pickle.dumps(SENTENCE))):
        assert (each, each.template, each.values) == (
            SENTENCE,
            SENTENCE.template,
            SENTENCE.values,
        )


def test_joined_messages_stay_messages():
    both = joined([SENTENCE, Message("100 %% more")], "; ")
    assert both == "'beta' has 5 %; 100 % more"
    assert list(both.values.values()) == [SENTENCE, "100 % more"]


def test_an_error_says_its_message():
    assert said(ValueError(SENTENCE)) is SENTENCE
    assert said(ValueError("text")) == "text"
    assert said(KeyError(5)) == "5"
    assert said(ValueError()) == ""


# --- Values as messages show them -----------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("é", '"é"'),
        (["a", 1], '["a", 1]'),
        ("x" * 58, f'"{"x" * 58}"'),
        ("x" * 59, f'"{"x" * 59}…'),
        (object(), "object"),
        ("\ud800", '"\\ud800"'),
    ],
)
def test_a_value_is_shown_as_json_of_60_characters(value, shown):
    assert quoted(value) == shown
