"""``FLAGGATE["CONTEXT"]``: a project's own attributes, and what it costs when they fail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import override_settings
from django.utils.functional import SimpleLazyObject, lazy
from django.utils.translation import gettext_lazy

import flaggate
from flaggate.context import hooks
from tests.fixtures import a_request, released, targeted

pytestmark = pytest.mark.django_db

asked: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_asked_or_told() -> Iterator[None]:
    asked.clear()
    yield
    hooks._told.clear()


def using(name: str) -> Any:
    return override_settings(FLAGGATE={"CONTEXT": f"{__name__}.{name}"})


def attribute(name: str, subject: Any = "42") -> object:
    return flaggate.flags_for(subject).context.attributes[name]


def of_plan(subject: Any) -> dict[str, Any]:
    asked.append(subject)
    return {"plan": "team", "is_staff": True, "targeting_key": "1"}


@using("of_plan")
def test_conditions_see_what_the_function_returns():
    targeted("for_teams", ("plan", "one_of", ["team"]))
    assert flaggate.is_active("for_teams", "42")


@using("of_plan")
def test_a_name_that_it_does_not_return_is_missing():
    assert attribute("seats") is None


def test_without_a_function_all_other_attributes_are_missing():
    assert attribute("plan") is None


@using("of_plan")
def test_it_gets_the_subject_itself():
    user, request = User(pk=42), a_request()
    for subject in ("42", 42, user, request):
        attribute("plan", subject)
    assert asked == ["42", 42, user, request]


@using("of_plan")
@pytest.mark.parametrize(
    "subject", [None, flaggate.EvaluationContext("42")], ids=["None", "context"]
)
def test_it_is_not_asked_about_nobody_nor_about_a_context(subject):
    assert attribute("plan", subject) is None
    assert not asked


@using("of_plan")
def test_it_is_asked_once_for_a_subject():
    targeted("for_teams", ("plan", "one_of", ["team"]))
    targeted("for_many", ("seats", "gt", [10]))
    flags = flaggate.flags_for("42")
    for key in ("for_teams", "for_many", "for_teams"):
        flags.is_active(key)
    flags.all()
    assert len(asked) == 1


@using("of_plan")
def test_it_is_not_asked_while_conditions_need_built_in_attributes_only():
    released("for_all")
    targeted("for_staff", ("is_staff", "one_of", [True]))
    flags = flaggate.flags_for("42")
    assert flags.is_active("for_all")
    assert not flags.is_active("for_staff")
    assert not asked


@using("of_plan")
def test_it_can_not_replace_a_built_in_attribute():
    assert attribute("plan") == "team"
    assert attribute("is_staff") is False
    assert attribute("targeting_key") == "42"


def of_everything(subject: Any) -> dict[str, Any]:
    return {
        "since": date(2026, 5, 4),
        "company": SimpleLazyObject(lambda: uuid.UUID(int=7)),
        "label": gettext_lazy("flag"),
        "teams": Group.objects.values_list("name", flat=True),
        "owner": SimpleLazyObject(lambda: User(pk=7)),
    }


@using("of_everything")
def test_what_it_returns_becomes_comparable():
    Group.objects.create(name="beta")
    assert attribute("since") == datetime(2026, 5, 4, tzinfo=UTC)
    assert attribute("company") == str(uuid.UUID(int=7))
    assert type(attribute("label")) is str
    assert attribute("teams") == ["beta"]
    assert attribute("owner") == 7


@using("of_everything")
def test_a_query_set_that_it_returns_costs_its_query_only_when_a_condition_asks(
    django_assert_num_queries,
):
    context = flaggate.flags_for("42").context
    with django_assert_num_queries(0):
        assert context.attributes["label"] == "flag"
    with django_assert_num_queries(1):
        assert context.attributes["teams"] == context.attributes["teams"] == []


@using("of_everything")
def test_a_flag_can_bucket_by_what_it_returns():
    released("by_company", percentage=50, bucket_by="company")
    answers = {flaggate.is_active("by_company", subject) for subject in range(20)}
    assert len(answers) == 1


# --- Failure ---


def failing(subject: Any) -> dict[str, Any]:
    asked.append(subject)
    raise RuntimeError("no such service")


@using("failing")
def test_what_it_raises_is_logged_once_and_costs_its_own_attributes_only(caplog):
    targeted("for_teams", ("plan", "one_of", ["team"]))
    targeted("for_42", ("targeting_key", "one_of", ["42"]))
    for _ in range(3):
        flags = flaggate.flags_for("42")
        assert flags.evaluate("for_teams").reason == "DEFAULT"
        assert flags.is_active("for_42")
    assert caplog.messages == [
        f"FLAGGATE['CONTEXT'] = '{__name__}.failing' failed; its attributes are missing."
    ]
    assert "no such service" in caplog.text


@using("failing")
def test_a_function_that_raised_is_not_asked_again_about_that_subject():
    context = flaggate.flags_for("42").context
    assert context.attributes["plan"] is None
    assert context.attributes["seats"] is None
    assert len(asked) == 1


def nothing(subject: Any) -> None: ...
def a_list(subject: Any) -> Any:
    return ["plan"]


def raising_text() -> str:
    raise RuntimeError("no text")


def half(subject: Any) -> Any:
    return {"plan": lazy(raising_text, str)(), "seats": 5}


@using("nothing")
def test_it_may_return_nothing(caplog):
    assert attribute("plan") is None
    assert not caplog.messages


@using("a_list")
def test_what_is_no_mapping_is_logged(caplog):
    assert attribute("plan") is None
    assert len(caplog.messages) == 1


@using("nowhere")
def test_a_function_that_does_not_exist_is_logged(caplog):
    assert attribute("plan") is None
    assert len(caplog.messages) == 1


@using("half")
def test_a_lazy_value_that_fails_costs_itself_only(caplog):
    context = flaggate.flags_for("42").context
    assert context.attributes["plan"] is None
    assert context.attributes["seats"] == 5
    assert len(caplog.messages) == 1


def asking(subject: Any) -> dict[str, Any]:
    asked.append(flaggate.flags_for(subject).evaluate("for_teams"))
    return {"plan": "team"}


@using("asking")
def test_a_function_that_asks_for_flags_itself_does_not_run_in_circles():
    targeted("for_teams", ("plan", "one_of", ["team"]))
    request = a_request()
    assert flaggate.is_active("for_teams", request)
    assert [answer.active for answer in asked] == [False]
