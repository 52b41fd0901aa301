"""Observers: told of each question asked in order to act, and never in its way."""

from __future__ import annotations

import pytest

import flaggate
from flaggate import flags
from flaggate.core.evaluation import Evaluation
from flaggate.flags import Flags, ObservedFlags, observers
from flaggate.testing import override_flag
from tests.contrib.conftest import same_observers as same_observers
from tests.fixtures import a_request, layouts, released

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> list[Evaluation]:
    """All answers that an observer was told of."""
    answers: list[Evaluation] = []
    observers.append(lambda answer, asked: answers.append(answer))
    return answers


def test_without_observers_nothing_stands_between_question_and_answer():
    assert type(flaggate.flags_for("42")) is Flags
    assert type(flaggate.flags_for(a_request())) is Flags


@pytest.mark.usefixtures("told")
def test_with_observers_flags_stay_flags():
    assert isinstance(flaggate.flags_for("42"), Flags)
    request = a_request()
    assert type(flaggate.flags_for(request)) is ObservedFlags
    assert flaggate.flags_for(request) is request.flags


def test_each_way_to_ask_is_told_with_its_answer(told):
    layouts("price_layout")
    asked = flaggate.flags_for("42")
    asked.is_active("price_layout")
    asked.variant("price_layout")
    asked.value("price_layout")
    answer = asked.evaluate("price_layout")
    flaggate.is_active("price_layout", "42")
    assert told == [answer] * 5


def test_the_flags_that_answered_are_told_too():
    released("new_checkout")
    subjects = []
    observers.append(lambda answer, asked: subjects.append(asked.context.targeting_key))
    flaggate.is_active("new_checkout", "42")
    assert subjects == ["42"]


def test_unknown_and_forced_answers_are_told(told):
    with override_flag("forced"):
        flaggate.is_active("forced")
    flaggate.is_active("unknown")
    assert [(answer.flag, answer.active, answer.error) for answer in told] == [
        ("forced", True, None),
        ("unknown", False, "FLAG_NOT_FOUND"),
    ]


def test_looking_is_not_told(told):
    released("new_checkout")
    asked = flaggate.flags_for("42")
    asked.all()
    asked.explain("new_checkout")
    assert "new_checkout" in asked
    assert not told


def test_an_observer_that_fails_costs_no_answer_and_is_logged_once(told, caplog):
    def broken(answer: Evaluation, asked: Flags) -> None:
        raise RuntimeError("no span")

    observers.insert(0, broken)
    released("new_checkout")
    asked = flaggate.flags_for("42")
    assert asked.is_active("new_checkout")
    assert asked.is_active("new_checkout")
    assert len(told) == 2
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "An observer of flags failed"
    ]


def test_the_answer_is_that_of_flags_without_observers(told):
    released("half", percentage=50)
    plain = Flags(flags.store.current(), flaggate.EvaluationContext("42"), flags.datetime.now())
    assert flaggate.evaluate("half", "42") is plain.evaluate("half")
