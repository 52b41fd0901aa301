"""What ``Flags`` and the functions beside it answer, and that nothing makes them raise."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.test import override_settings
from django.utils.functional import SimpleLazyObject

import flaggate
from flaggate import changes, recording
from flaggate.core.definitions import Condition, Flag, Rule, Segment, Variant
from flaggate.core.evaluation import UNSET
from flaggate.core.snapshot import Snapshot
from flaggate.exceptions import UnknownFlag
from flaggate.flags import Flags
from flaggate.flags.telling import LONGEST_KEY, MOST_TOLD
from flaggate.models import Rule as RuleRow
from tests.fixtures import layouts, released, targeted

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
STRICT = override_settings(FLAGGATE={"STRICT": True})


def flags_of(*flags: Flag, **resolve: Any) -> Flags:
    """Answer from definitions, without a database."""
    known = {flag.key: flag for flag in flags}
    snapshot = Snapshot(known, {"payers": PAYERS}, source="database")
    return Flags(snapshot, flaggate.EvaluationContext("42", **resolve), NOW)


# --- The answers ---


def test_a_boolean_flag_that_is_on_is_active_and_its_value_is_true():
    released("new_checkout")
    flags = flaggate.flags_for("42")
    assert flags.is_active("new_checkout") is True
    assert flags.value("new_checkout") is True
    assert flags.variant("new_checkout") is None


def test_a_boolean_flag_that_is_off_is_false_whatever_default_is_given():
    changes.create("new_checkout")
    assert flaggate.is_active("new_checkout", "42") is False
    assert flaggate.value("new_checkout", "42", default="on") is False


def test_a_multivariate_flag_serves_the_value_of_its_variant():
    layouts("price_layout")
    flags = flaggate.flags_for("42")
    assert flags.variant("price_layout") == "compact"
    assert flags.value("price_layout", default=None) == {"columns": 4}
    assert flags.is_active("price_layout")


def test_a_multivariate_flag_that_is_off_gives_the_callers_default():
    changes.create("limit", variants=[("low", 5, 1)])
    assert flaggate.value("limit", "42", default=10) == 10
    assert flaggate.value("limit", "42") is None
    assert flaggate.variant("limit", "42") is None


def test_a_multivariate_flag_that_is_off_gives_its_off_variant_before_any_default():
    changes.create("limit", variants=[("low", 5, 1)], off_variant="low")
    assert flaggate.value("limit", "42", default=10) == 5
    assert flaggate.variant("limit", "42") == "low"
    assert not flaggate.is_active("limit", "42")


def test_an_evaluation_says_why_and_which_rule():
    targeted("new_checkout", ("targeting_key", "one_of", ["42"]))
    inside = flaggate.evaluate("new_checkout", "42")
    outside = flaggate.evaluate("new_checkout", "43")
    assert (inside.reason, inside.rule, bool(inside)) == ("TARGETING_MATCH", 1, True)
    assert (outside.reason, outside.rule, bool(outside)) == ("DEFAULT", None, False)


def test_the_functions_take_the_key_first_and_the_subject_second():
    targeted("new_checkout", ("targeting_key", "one_of", ["42"]))
    assert flaggate.is_active("new_checkout", "42")
    assert not flaggate.is_active("new_checkout")
    assert flaggate.evaluate("new_checkout", 42).value is True
    assert flaggate.value("new_checkout", 42) is True
    assert flaggate.variant("new_checkout", 42) is None


@pytest.mark.parametrize(
    "subject",
    [
        None,
        "42",
        42,
        0,
        uuid.UUID(int=42),
        AnonymousUser(),
        User(pk=42),
        SimpleLazyObject(lambda: User(pk=42)),
        flaggate.EvaluationContext("42"),
        HttpRequest(),
    ],
    ids=lambda subject: type(subject).__name__,
)
def test_every_subject_is_answered(subject):
    released("new_checkout")
    assert flaggate.is_active("new_checkout", subject)


@pytest.mark.parametrize("subject", [1.5, True, object(), b"42", [], {}, Decimal(1)])
def test_what_is_no_subject_is_refused_by_name(subject):
    with pytest.raises(TypeError, match=f"{type(subject).__name__} is no subject. Give a request"):
        flaggate.flags_for(subject)


def test_flags_of_one_subject_keep_one_snapshot_and_one_moment():
    released("new_checkout", active_until=datetime.now(UTC) + timedelta(days=1))
    flags = flaggate.flags_for("42")
    assert flags.context.now == flags.now
    assert flags.is_active("new_checkout")


def test_a_schedule_is_judged_at_the_moment_of_the_context():
    released("sale", active_from=NOW)
    before = flaggate.EvaluationContext("42", now=NOW - timedelta(seconds=1))
    after = flaggate.EvaluationContext("42", now=NOW)
    assert not flaggate.is_active("sale", before)
    assert flaggate.is_active("sale", after)


# --- All, explain, in ---


def test_all_has_every_flag_that_is_not_archived():
    released("new_checkout")
    released("old_news")
    changes.create("dark")
    changes.archive("old_news")
    answers = flaggate.flags_for("42").all()
    assert {key: answer.active for key, answer in answers.items()} == {
        "new_checkout": True,
        "dark": False,
    }


def test_all_for_a_client_has_only_what_a_browser_may_see():
    released("secret")
    released("public", client_visible=True)
    assert list(flaggate.flags_for("42").all(client=True)) == ["public"]


def test_explain_agrees_with_evaluate():
    targeted("new_checkout", ("targeting_key", "one_of", ["42"]))
    flags = flaggate.flags_for("42")
    explanation = flags.explain("new_checkout")
    assert explanation.evaluation.active
    assert explanation.rules[0].matched
    assert explanation.flag is flags.snapshot.flags["new_checkout"]


def test_in_tells_whether_a_flag_is_defined():
    changes.create("dark")
    flags = flaggate.flags_for("42")
    assert "dark" in flags
    assert "light" not in flags
    assert 5 not in flags
    assert ["dark"] not in flags


def test_flags_can_not_be_looped_over():
    with pytest.raises(TypeError, match="not iterable"):
        list(flaggate.flags_for("42"))


def test_looking_counts_nothing():
    released("new_checkout")
    flags = flaggate.flags_for("42")
    recording.counts.clear()
    flags.all()
    flags.explain("new_checkout")
    assert "new_checkout" in flags
    assert not recording.counts


@pytest.mark.parametrize("ask", ["is_active", "variant", "value", "evaluate"])
def test_asking_counts(ask):
    released("new_checkout")
    flags = flaggate.flags_for("42")
    recording.counts.clear()
    getattr(flags, ask)("new_checkout")
    assert [answer.flag for answer in recording.counts] == ["new_checkout"]


def test_a_prerequisite_is_not_counted():
    with changes.change():
        base, new = released("base"), released("new")
        new.prerequisites.create(required=base)
    flags = flaggate.flags_for("42")
    recording.counts.clear()
    assert flags.is_active("new")
    assert [answer.flag for answer in recording.counts] == ["new"]


# --- Unknown flags ---


def test_an_unknown_flag_is_off_and_gives_the_default():
    flags = flaggate.flags_for("42")
    answer = flags.evaluate("new_checkout")
    assert (answer.active, answer.value, answer.reason) == (False, UNSET, "ERROR")
    assert answer.error == "FLAG_NOT_FOUND"
    assert flags.is_active("new_checkout") is False
    assert flags.value("new_checkout", default=10) == 10
    assert flags.variant("new_checkout") is None
    assert flags.explain("new_checkout").evaluation.error == "FLAG_NOT_FOUND"


def test_an_unknown_flag_is_logged_once_for_a_snapshot_with_a_guess(caplog):
    released("new_checkout")
    flags = flaggate.flags_for("42")
    flags.is_active("new_chekout")
    flags.is_active("new_chekout")
    flaggate.flags_for("43").is_active("new_chekout")
    assert caplog.messages == [
        "There is no flag 'new_chekout'; it is off. Did you mean 'new_checkout'?"
    ]
    changes.create("another")
    flaggate.flags_for("42").is_active("new_chekout")
    assert len(caplog.messages) == 2


def test_an_unknown_flag_that_looks_like_none_is_logged_without_a_guess(caplog):
    flaggate.is_active("zzz", "42")
    assert caplog.messages == ["There is no flag 'zzz'; it is off."]


def test_only_so_many_unknown_flags_are_logged(caplog):
    flags = flags_of()
    for number in range(2 * MOST_TOLD):
        flags.is_active(f"unknown_{number}")
    assert len(caplog.messages) == MOST_TOLD
    assert len(flags.snapshot.told) == MOST_TOLD


def test_while_there_are_no_flags_at_all_an_unknown_one_is_no_news(caplog):
    flags = Flags(Snapshot({}), flaggate.EvaluationContext("42"), NOW)
    assert flags.evaluate("new_checkout").error == "FLAG_NOT_FOUND"
    assert not caplog.messages


def test_a_huge_key_takes_no_memory_in_the_log_and_in_the_answer(caplog):
    flags = flags_of()
    answer = flags.evaluate("x" * 1_000_000)
    assert answer.flag == "x" * LONGEST_KEY + "…"
    assert len(answer.message) < 200
    assert max(map(len, flags.snapshot.told)) <= LONGEST_KEY + 1
    assert len(caplog.messages[0]) < 200


def test_a_key_that_is_no_text_is_named_by_its_type(caplog):
    assert flags_of().evaluate(None).flag == "<NoneType>"
    assert caplog.messages == ["There is no flag '<NoneType>'; it is off."]


@pytest.mark.parametrize("key", ["new_chekout", None, [], "\ud800"])
@pytest.mark.parametrize("ask", ["is_active", "variant", "value", "evaluate"])
def test_under_the_strict_setting_an_unknown_flag_raises(ask, key):
    released("new_checkout")
    with STRICT, pytest.raises(UnknownFlag, match="There is no flag"):
        getattr(flaggate.flags_for("42"), ask)(key)


def test_the_strict_setting_is_off_by_default():
    assert flaggate.is_active("unknown", "42") is False


# --- What can't be answered ---


def broken(name: str) -> object:
    raise RuntimeError("the disk is on fire")


PAYERS = Segment("payers", conditions=(Condition("plan", "one_of", ("team",)),))
TARGETED = Flag("targeted", enabled=True, percentage=Decimal(0), rules=(Rule(("payers",)),))


def test_an_attribute_that_fails_turns_its_flag_off_and_is_logged_once(caplog):
    flags = flags_of(TARGETED, Flag("plain", enabled=True), resolve=broken)
    answer = flags.evaluate("targeted")
    flags.evaluate("targeted")
    assert (answer.active, answer.reason, answer.error) == (False, "ERROR", "GENERAL")
    assert answer.message == "the disk is on fire"
    assert caplog.messages == ["The flag 'targeted' can't be evaluated: the disk is on fire"]
    assert caplog.records[0].exc_info
    assert flags.is_active("plain")


def test_an_attribute_that_fails_costs_all_and_explain_one_answer_only():
    flags = flags_of(TARGETED, Flag("plain", enabled=True), resolve=broken)
    answers = flags.all()
    assert answers["plain"].active
    assert answers["targeted"].error == "GENERAL"
    assert flags.explain("targeted").evaluation.error == "GENERAL"


def test_under_the_strict_setting_an_attribute_that_fails_raises():
    flags = flags_of(TARGETED, resolve=broken)
    with STRICT, pytest.raises(RuntimeError, match="on fire"):
        flags.is_active("targeted")


def test_a_multivariate_flag_that_can_not_be_answered_gives_the_callers_default():
    flag = Flag(
        "limit",
        enabled=True,
        percentage=Decimal(0),
        rules=(Rule(("payers",)),),
        variants=(Variant("low", 5, 1),),
    )
    flags = flags_of(flag, resolve=broken)
    assert flags.value("limit", default=10) == 10


def test_a_flag_that_does_not_compile_is_off(caplog):
    flags = flags_of(Flag("lost", enabled=True, rules=(Rule(("no_segment",)),)))
    assert flags.evaluate("lost").error == "GENERAL"
    assert flags.all()["lost"].error == "GENERAL"
    assert len(caplog.messages) == 1


def dangling(key: str) -> None:
    """Let a flag's rule name a variant that does not exist, past the write path."""
    RuleRow.objects.filter(flag__key=key).update(variant="nowhere")


def test_a_broken_flag_is_off_and_in_all_with_its_error_but_not_for_clients():
    released("healthy", client_visible=True)
    targeted("broken", ("plan", "one_of", ["team"]), client_visible=True)
    dangling("broken")
    flags = flaggate.flags_for("42")
    assert "broken" in flags
    assert flags.evaluate("broken").error == "PARSE_ERROR"
    assert flags.all()["broken"].error == "PARSE_ERROR"
    assert list(flags.all(client=True)) == ["healthy"]
    explanation = flags.explain("broken")
    assert explanation.evaluation.error == "PARSE_ERROR"
    assert "nowhere" in explanation.quarantined


@pytest.mark.django_db(transaction=True)
def test_a_broken_flag_is_answered_by_its_last_good_definition():
    targeted("broken", ("targeting_key", "one_of", ["42"]))
    assert flaggate.is_active("broken", "42")
    dangling("broken")
    flags = flaggate.flags_for("42")
    assert flags.is_active("broken")
    assert flags.all()["broken"].active
    explanation = flags.explain("broken")
    assert explanation.evaluation.active
    assert "nowhere" in explanation.quarantined


@pytest.mark.django_db
@pytest.mark.parametrize("served", [{"n": [1]}, [{"n": 1}]], ids=repr)
def test_a_value_belongs_to_who_asked_for_it(served):
    changes.create("layout", enabled=True, variants=[("only", served, 1)])
    flaggate.value("layout").clear()
    assert flaggate.value("layout") == served
