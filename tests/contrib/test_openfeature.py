"""OpenFeature: the published SDK asks this process's flags."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from queue import Queue
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, transaction
from django.test import override_settings
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationOptions, Reason
from openfeature.hook import Hook
from openfeature.provider import ProviderStatus
from openfeature.track import TrackingEventDetails
from openfeature.transaction_context import ContextVarsTransactionContextPropagator

from flaggate import changes, recording
from flaggate.api.ofrep.answers import ERRORS, REASONS
from flaggate.contrib.openfeature import FlaggateProvider, context_for
from flaggate.core import evaluation
from flaggate.models import Flag, Segment, state
from flaggate.store import store
from tests.fixtures import a_request, layouts, released, segment, targeted
from tests.fixtures import outcomes as outcomes

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST = 30  # seconds that an event may take to come through the SDK's threads


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Begin, and leave, as a process that has read and answered nothing yet."""
    store.__init__()
    recording.forget()
    with override_settings(FLAGGATE={"MAX_STALENESS": 0}):
        yield
    api.shutdown()
    store.__init__()
    recording.forget()


@pytest.fixture
def client() -> OpenFeatureClient:
    api.set_provider_and_wait(FlaggateProvider())
    return api.get_client()


def serving(value: Any) -> None:
    released("x", variants=[("a", value, 1)])


def about(key: str | None = None, **attributes: Any) -> EvaluationContext:
    return EvaluationContext(key, attributes)


# --- Values ---------------------------------------------------------------------------------

# What is asked for → values that answer it, what they arrive as, and the default that is not taken.
MATCHING = [
    ("boolean", True, True, False),
    ("boolean", False, False, True),
    ("string", "wide", "wide", ""),
    ("string", "", "", "default"),
    ("integer", 5, 5, 0),
    ("integer", 10**20, 10**20, 0),
    ("float", 0.5, 0.5, 0.0),
    ("float", 5, 5.0, 0.0),
    ("object", {"columns": [1, 2.0, None]}, {"columns": [1, 2.0, None]}, {}),
    ("object", [1, "2"], [1, "2"], []),
]
MISMATCHING = [
    ("boolean", 1, False),
    ("boolean", "true", False),
    ("string", 5, "default"),
    ("integer", True, 7),
    ("integer", 1.0, 7),
    ("integer", "5", 7),
    ("float", True, 7.0),
    ("float", "0.5", 7.0),
    ("object", "text", {}),
]


def both_ways(client: OpenFeatureClient, kind: str, *arguments: Any) -> Any:
    """Ask, and ask asynchronously: the answers are the same."""
    details = getattr(client, f"get_{kind}_details")(*arguments)
    asynchronous = getattr(client, f"get_{kind}_details_async")
    assert asyncio.run(asynchronous(*arguments)) == details
    return details


@pytest.mark.parametrize(("kind", "value", "expected", "default"), MATCHING)
def test_a_value_of_the_type_that_is_asked_for_is_served(client, kind, value, expected, default):
    serving(value)
    details = both_ways(client, kind, "x", default)
    assert details.value == expected
    assert type(details.value) is type(expected)
    assert (details.variant, details.reason, details.error_code) == ("a", Reason.STATIC, None)


@pytest.mark.parametrize(("kind", "value", "default"), MISMATCHING)
def test_a_value_of_another_type_is_a_mismatch_and_the_default_is_taken(
    client, kind, value, default
):
    serving(value)
    details = both_ways(client, kind, "x", default)
    assert details.value == default
    assert type(details.value) is type(default)
    assert (details.reason, details.error_code) == (Reason.ERROR, ErrorCode.TYPE_MISMATCH)
    assert repr(value) in details.error_message


@pytest.mark.parametrize(("percentage", "value", "variant"), [(100, True, "on"), (0, False, "off")])
def test_a_boolean_flag_has_the_variants_on_and_off(client, percentage, value, variant):
    released("x", percentage=percentage)
    details = both_ways(client, "boolean", "x", not value)
    assert (details.value, details.variant) == (value, variant)


def test_a_killed_flag_stays_dead_whatever_the_default(client):
    changes.create("x")
    details = client.get_boolean_details("x", True)
    assert (details.value, details.reason) == (False, Reason.DISABLED)


def test_a_flag_without_a_value_to_give_leaves_it_to_the_caller(client):
    changes.create("x", variants=[("a", "wide", 1)])
    details = both_ways(client, "string", "x", "default")
    assert (details.value, details.variant) == ("default", None)
    assert (details.reason, details.error_code) == (Reason.DISABLED, None)


def test_an_object_is_the_callers_own(client):
    serving({"columns": [1]})
    client.get_object_value("x", {})["columns"].append(2)
    assert client.get_object_value("x", {}) == {"columns": [1]}


# --- Reasons, errors, metadata --------------------------------------------------------------


def test_every_reason_and_error_has_a_word_of_openfeature():
    reasons = {
        *("STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT", "DISABLED", "ERROR"),
        *("PREREQUISITE_FAILED", "OVERRIDE"),
    }
    errors = {"FLAG_NOT_FOUND", "PARSE_ERROR", "TARGETING_KEY_MISSING", "GENERAL"}
    ours = {value for name, value in vars(evaluation).items() if name == value}
    assert ours == reasons | errors | {"CONTEXT_NOT_LOADED"}
    assert {REASONS.get(each, each) for each in reasons} <= set(Reason)
    assert {ERRORS.get(each, each) for each in ours - reasons} <= set(ErrorCode)


def test_metadata_says_what_openfeature_has_no_word_for(client):
    changes.create("needed")
    requiring("x", "needed")
    details = client.get_boolean_details("x", True)
    assert (details.value, details.reason) == (False, Reason.DEFAULT)
    assert details.flag_metadata == {
        "active": False,
        "reason": "PREREQUISITE_FAILED",
        "version": store.current().version.number,
    }


def test_metadata_names_the_rule_that_decided(client):
    targeted("x", ("plan", "one_of", ["gold"]))
    details = client.get_boolean_details("x", False, about(plan="gold"))
    assert (details.reason, details.flag_metadata["rule"]) == (Reason.TARGETING_MATCH, 1)
    assert "rule" not in client.get_boolean_details("x", False).flag_metadata


@pytest.mark.parametrize("strict", [False, True])
def test_an_unknown_flag_is_not_found(client, strict, caplog):
    released("new_checkout")
    with override_settings(FLAGGATE={"STRICT": strict}):
        details = both_ways(client, "boolean", "new_chekout", True)
    assert (details.value, details.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)
    assert "openfeature" not in {each.name for each in caplog.records}


def test_a_share_of_nobody_lacks_a_targeting_key(client):
    released("x", percentage=50)
    details = both_ways(client, "boolean", "x", True)
    assert (details.value, details.error_code) == (True, ErrorCode.TARGETING_KEY_MISSING)
    assert details.error_message


def test_a_broken_flag_is_a_parse_error(client):
    released("x")
    Flag.objects.update(off_variant="gone")
    details = both_ways(client, "boolean", "x", True)
    assert (details.value, details.error_code) == (True, ErrorCode.PARSE_ERROR)
    assert "gone" in details.error_message


# --- About whom -----------------------------------------------------------------------------


def test_the_targeting_key_and_the_attributes_describe_the_subject(client):
    targeted("by_key", ("targeting_key", "one_of", ["42"]))
    targeted("by_date", ("since", "before", ["2026-01-01T00:00:00Z"]))
    subject = about("42", since=datetime(2025, 5, 4, tzinfo=UTC))
    assert both_ways(client, "boolean", "by_key", False, subject).value
    assert both_ways(client, "boolean", "by_date", False, subject).value
    assert not client.get_boolean_value("by_key", False, about("43"))


def test_nobody_is_a_subject_too(client):
    released("x")
    assert both_ways(client, "boolean", "x", False).value
    assert FlaggateProvider().resolve_boolean_details("x", False).value


@pytest.fixture
def ada() -> User:
    ada: User = User.objects.create_user("ada")
    ada.groups.add(Group.objects.create(name="beta"))
    return ada


def test_a_request_or_a_user_can_be_the_subject(client, ada):
    targeted("x", ("groups", "one_of", ["beta"]))
    assert both_ways(client, "boolean", "x", False, context_for(a_request(user=ada))).value
    assert both_ways(client, "boolean", "x", False, context_for(User.objects.get())).value
    assert not both_ways(client, "boolean", "x", False, context_for(a_request())).value


def test_what_is_no_subject_is_an_invalid_context(client, caplog):
    released("x")
    details = both_ways(client, "boolean", "x", False, context_for(object()))
    assert (details.value, details.error_code) == (False, ErrorCode.INVALID_CONTEXT)
    assert details.error_message.startswith("object is no subject.")
    assert caplog.records == []


def test_a_request_keeps_its_snapshot(client, ada):
    released("x")
    request = a_request(user=ada)
    assert client.get_boolean_value("x", False, context_for(request))
    changes.disable("x")
    assert client.get_boolean_value("x", False, context_for(request))
    assert not client.get_boolean_value("x", True)


def test_attributes_add_to_what_is_known_of_a_subject_and_win(client, ada):
    targeted("by_group", ("groups", "one_of", ["beta"]))
    targeted("by_plan", ("plan", "one_of", ["gold"]))
    targeted("by_name", ("username", "one_of", ["bea"]))
    added = context_for(a_request(user=ada)).merge(about(plan="gold", username="bea"))
    for key in ("by_group", "by_plan", "by_name"):
        assert both_ways(client, "boolean", key, False, added).value


def test_a_targeting_key_beside_a_subject_decides_buckets_and_members(client, ada):
    targeted("by_key", ("targeting_key", "one_of", ["42"]))
    released("by_member", percentage=0).rules.create(percentage=100).segments.add(
        segment("vip", included=["42"])
    )
    with changes.change():
        Segment.objects.filter(key="vip").update(on_demand=True)
    named = context_for(ada).merge(about("42"))
    for key in ("by_key", "by_member"):
        assert both_ways(client, "boolean", key, False, named).value
        assert not client.get_boolean_value(key, False, context_for(ada))


def test_the_context_of_a_transaction_can_be_a_request(client, ada):
    targeted("x", ("username", "one_of", ["ada"]))
    api.set_transaction_context_propagator(ContextVarsTransactionContextPropagator())
    api.set_transaction_context(context_for(a_request(user=ada)))
    assert client.get_boolean_value("x", False)
    api.set_transaction_context(EvaluationContext())
    assert not client.get_boolean_value("x", False)


# --- Hooks and counts -----------------------------------------------------------------------


class Gold(Hook):
    """Adds an attribute, and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def before(self, hook_context, hints):
        return about(plan="gold")

    def after(self, hook_context, details, hints):
        self.told.append((details.value, hook_context.provider_metadata.name))

    def error(self, hook_context, exception, hints):
        self.told.append(type(exception).__name__)


def test_hooks_change_the_context_and_hear_of_answers_and_errors(client):
    targeted("x", ("plan", "one_of", ["gold"]))
    hook = Gold()
    options = FlagEvaluationOptions(hooks=[hook])
    client.get_boolean_value("x", False, flag_evaluation_options=options)
    client.get_string_value("x", "", flag_evaluation_options=options)
    assert hook.told == [(True, "flaggate"), "TypeMismatchError"]


def test_questions_are_counted(client):
    layouts("x")
    client.get_object_value("x", {})
    asyncio.run(client.get_object_value_async("x", {}))
    assert recording.totals() == {("x", "compact"): 2}


# --- Events ---------------------------------------------------------------------------------


@pytest.fixture
def told() -> Iterator[list[tuple[str, Any]]]:
    """What a provider emits, in order, before the SDK hands it to threads of its own."""
    store.current()
    told: list[tuple[str, Any]] = []
    provider = FlaggateProvider()
    provider.attach(lambda _, event, details: told.append((event.name, details)))
    provider.initialize(EvaluationContext())
    yield told
    provider.shutdown()


def look() -> None:
    """Look at the database, even if that is not due yet after a failure."""
    store._due = 0.0
    store.current()


def changed(told: list[tuple[str, Any]]) -> list[list[str]]:
    assert {name for name, _ in told} <= {"PROVIDER_CONFIGURATION_CHANGED"}
    return [details.flags_changed for _, details in told]


def requiring(key: str, required: str) -> None:
    with changes.change():
        released(key).prerequisites.create(required=Flag.objects.get(key=required))


def test_a_change_is_told_with_the_flags_that_it_concerns(told):
    released("x")
    look()
    released("y")
    changes.disable("x")
    look()
    look()
    assert changed(told) == [["x"], ["x", "y"]]


def test_a_change_by_another_process_is_told_when_it_is_seen(told):
    released("x")
    store._seen = store._commits  # as if this process had not made the commit itself
    look()
    assert changed(told) == [["x"]]


def test_a_flag_changes_with_its_segment_and_with_the_flag_that_it_requires(told):
    targeted("required", ("plan", "one_of", ["gold"]))
    requiring("requiring", "required")
    requiring("in_turn", "requiring")
    released("other")
    look()
    changes.members.add("required.audience", ["42"])
    look()
    assert changed(told)[1:] == [["in_turn", "required", "requiring"]]


def test_what_changes_no_answer_is_not_told(told):
    segment("of_no_flag")
    look()
    assert told == []


def test_a_change_that_is_rolled_back_is_not_told(told):
    with transaction.atomic():
        released("x")
        store.current()
        transaction.set_rollback(True)
    look()
    assert told == []


def gone(using: str) -> None:
    raise OperationalError("server closed the connection")


def test_a_provider_is_stale_while_the_database_is_gone(told, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(state, "read", gone)
        for _ in range(3):
            look()
        ((name, details),) = told
        assert name == "PROVIDER_STALE"
        assert details.message == "OperationalError: server closed the connection"
    look()
    assert [name for name, _ in told] == ["PROVIDER_STALE", "PROVIDER_READY"]


def test_a_provider_that_is_shut_down_tells_nothing(told):
    provider = FlaggateProvider()
    provider.attach(lambda *_: told.append(("by the other", None)))
    provider.initialize(EvaluationContext())
    provider.shutdown()
    released("x")
    look()
    assert changed(told) == [["x"]]


def test_the_first_flags_of_a_process_are_no_change(told):
    released("x")
    store.forget()
    look()
    assert told == []


def test_flags_that_come_after_an_outage_at_the_start_are_a_change(told, monkeypatch):
    released("x")
    store.forget()
    with monkeypatch.context() as patched:
        patched.setattr(state, "read", gone)
        look()
    look()
    assert [name for name, _ in told] == [
        "PROVIDER_STALE",
        "PROVIDER_READY",
        "PROVIDER_CONFIGURATION_CHANGED",
    ]


def test_the_handlers_of_the_sdk_hear_of_a_change(client):
    store.current()
    heard: Queue[EventDetails] = Queue()
    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard.put)
    released("x")
    assert client.get_boolean_value("x", False)
    details = heard.get(timeout=LONGEST)
    assert (details.provider_name, details.flags_changed) == ("flaggate", ["x"])


def test_setting_a_provider_makes_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        api.set_provider_and_wait(FlaggateProvider())
    assert api.get_client().get_provider_status() == ProviderStatus.READY


# --- Without the SDK ------------------------------------------------------------------------


def test_without_the_sdk_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "openfeature.evaluation_context", None)
    monkeypatch.delitem(sys.modules, "flaggate.contrib.openfeature")
    with pytest.raises(ImproperlyConfigured, match=r"pip install 'flaggate\[openfeature\]'"):
        import flaggate.contrib.openfeature  # noqa: F401


# --- Tracking -------------------------------------------------------------------------------


def test_what_the_sdk_tracks_is_told_with_its_value_and_details(client, outcomes):
    details = TrackingEventDetails(19.9, {"currency": "EUR"})
    client.track("purchase", about("42", plan="pro"), details)
    (sent,) = outcomes
    assert (sent["name"], sent["value"], sent["details"]) == ("purchase", 19.9, {"currency": "EUR"})
    assert sent["context"].attributes["plan"] == "pro"


def test_what_the_sdk_tracks_of_a_request_is_about_its_user(client, outcomes):
    ada = User.objects.create(username="ada")
    client.track("purchase", context_for(a_request(user=ada)))
    assert outcomes[0]["context"].attributes["targeting_key"] == str(ada.pk)
    assert (outcomes[0]["value"], outcomes[0]["details"]) == (None, {})
