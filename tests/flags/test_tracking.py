"""Tracking: receivers hear what a subject did, and nothing of it is stored."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

import flaggate
from flaggate import recording
from flaggate.signals import outcome_tracked
from tests.fixtures import a_request, released
from tests.fixtures import outcomes as outcomes

pytestmark = pytest.mark.django_db


def test_an_outcome_is_told_with_its_value_and_details(outcomes):
    flaggate.track("purchase", "42", value=19.9, details={"currency": "EUR"})
    (sent,) = outcomes
    assert (sent["name"], sent["value"], sent["details"]) == ("purchase", 19.9, {"currency": "EUR"})


def test_an_outcome_without_a_value_has_none(outcomes):
    flaggate.track("signup")
    assert (outcomes[0]["value"], outcomes[0]["details"]) == (None, {})


def test_an_outcome_is_about_its_subject(outcomes):
    user = User.objects.create(username="ada")
    flaggate.track("purchase", a_request(user=user))
    attributes = outcomes[0]["context"].attributes
    assert (attributes["targeting_key"], attributes["username"]) == (str(user.pk), "ada")


def test_what_is_tracked_reads_nothing_of_its_own(outcomes, django_assert_num_queries):
    flags = flaggate.flags_for(a_request(user=User.objects.create(username="ada")))
    with django_assert_num_queries(0):
        flags.track("purchase")
    assert len(outcomes) == 1


def test_a_receiver_that_raises_spoils_nothing(outcomes, caplog):
    def broken(**_: Any) -> None:
        raise RuntimeError("no analytics today")

    outcome_tracked.connect(broken)
    try:
        flaggate.track("purchase", "42")
    finally:
        outcome_tracked.disconnect(broken)
    assert len(outcomes) == 1
    assert "no analytics today" in caplog.text


def test_tracking_counts_as_no_question(outcomes):
    released("new_checkout")
    before = recording.totals()
    flaggate.track("purchase", "42")
    assert recording.totals() == before


def test_what_is_no_subject_is_refused():
    with pytest.raises(TypeError):
        flaggate.track("purchase", object())
