"""Who is asked about: a user, an id, a context, a request; and who that is to conditions."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import SynchronousOnlyOperation
from django.utils.functional import SimpleLazyObject
from rest_framework.request import Request

import flaggate
from tests.fixtures import a_request, segment, targeted

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def targeting_key(subject: Any) -> str | None:
    return flaggate.flags_for(subject).context.targeting_key


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (None, None),
        ("42", "42"),
        (42, "42"),
        (0, "0"),
        (-1, "-1"),
        ("", None),
        ("\ud800", None),
        (10**4000, str(10**4000)),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (AnonymousUser(), None),
        (User(pk=42), "42"),
        (SimpleLazyObject(lambda: User(pk=42)), "42"),
        (SimpleLazyObject(AnonymousUser), None),
        (flaggate.EvaluationContext("42"), "42"),
        (flaggate.EvaluationContext(42), "42"),
        (flaggate.EvaluationContext(), None),
        (flaggate.EvaluationContext(attributes={"targeting_key": "42"}), "42"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_targeting_key_of_a_subject(subject, expected):
    assert targeting_key(subject) == expected
    assert flaggate.flags_for(subject).context.attributes["targeting_key"] == expected


def test_a_number_too_long_to_print_is_nobody():
    assert targeting_key(10**5000) is None


def test_members_are_found_by_id_user_and_request():
    flag = targeted("new_checkout")
    flag.rules.get().segments.set([segment("people", included=["42"])])
    for subject in ("42", 42, User(pk=42), a_request(user=User(pk=42))):
        assert flaggate.is_active("new_checkout", subject)
    for subject in ("43", None, User(pk=43), a_request()):
        assert not flaggate.is_active("new_checkout", subject)


def test_a_lazy_user_is_not_read_before_a_condition_asks():
    def read() -> User:
        reads.append(1)
        return User(pk=42, is_staff=True)

    reads: list[int] = []
    targeted("for_staff", ("is_staff", "one_of", [True]))
    flags = flaggate.flags_for(SimpleLazyObject(read))
    assert not reads
    assert flags.is_active("for_staff")
    assert len(reads) == 1


def test_the_request_of_the_rest_framework_stands_for_djangos_own():
    request = a_request()
    assert flaggate.flags_for(Request(request)) is flaggate.flags_for(request)


# --- Explicit contexts ---


def test_the_attributes_of_a_context_become_comparable():
    subject = flaggate.EvaluationContext(
        "42", {"since": date(2026, 5, 4), "company": uuid.UUID(int=7), "plan": "team"}
    )
    known = flaggate.flags_for(subject).context.attributes
    assert known["since"] == datetime(2026, 5, 4, tzinfo=UTC)
    assert known["company"] == str(uuid.UUID(int=7))
    assert known["plan"] == "team"
    assert known["unheard_of"] is None


def test_what_a_context_finds_by_itself_becomes_comparable_too_and_is_found_once():
    def resolve(name: str) -> object:
        asked.append(name)
        return date(2026, 5, 4)

    asked: list[str] = []
    known = flaggate.flags_for(flaggate.EvaluationContext("42", resolve=resolve)).context.attributes
    assert known["since"] == known["since"] == datetime(2026, 5, 4, tzinfo=UTC)
    assert asked == ["since"]


def test_a_context_brings_its_own_moment():
    assert flaggate.flags_for(flaggate.EvaluationContext(now=NOW)).context.now == NOW


def test_a_context_without_a_moment_gets_that_of_the_question():
    subject = flaggate.EvaluationContext("42")
    flags = flaggate.flags_for(subject)
    assert flags.context.now == flags.now
    assert flags.context.attributes["now"] == flags.now
    assert subject.now is None


def test_a_context_knows_no_built_in_attribute_that_it_was_not_given():
    targeted("for_staff", ("is_staff", "one_of", [False]))
    assert not flaggate.is_active("for_staff", flaggate.EvaluationContext("42"))


def test_a_context_that_can_not_look_in_an_event_loop_says_so():
    def resolve(name: str) -> object:
        raise SynchronousOnlyOperation

    targeted("for_team", ("plan", "one_of", ["team"]))
    subject = flaggate.EvaluationContext("42", resolve=resolve)
    assert flaggate.evaluate("for_team", subject).error == "CONTEXT_NOT_LOADED"
