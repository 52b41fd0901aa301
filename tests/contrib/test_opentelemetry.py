"""OpenTelemetry: an event in the span, in the words of the semantic conventions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.semconv._incubating.attributes import feature_flag_attributes as convention
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE

import flaggate
from flaggate import changes, flags
from flaggate.contrib.opentelemetry import instrument, uninstrument
from flaggate.core.evaluation import EvaluationContext
from tests.fixtures import a_request, layouts, released, targeted

pytestmark = pytest.mark.django_db


class Traces:
    """A tracer, and the events of the spans that it has ended."""

    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(**options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.span = self.provider.get_tracer("tests").start_as_current_span

    def events(self) -> list[dict[str, Any]]:
        """Return the attributes of all events about flags."""
        found = [event for span in self.exporter.get_finished_spans() for event in span.events]
        assert {event.name for event in found} <= {"feature_flag.evaluation"}
        return [dict(event.attributes or {}) for event in found]

    def event_of(self, key: str, subject: Any = "42") -> dict[str, Any]:
        """Ask within a span, and return the attributes of the only event."""
        with self.span("checkout"):
            flaggate.evaluate(key, subject)
        (event,) = self.events()
        return event


@pytest.fixture
def traces() -> Iterator[Traces]:
    traces = Traces()
    yield traces
    traces.provider.shutdown()


def test_a_question_is_an_event_of_the_span_it_is_asked_in(traces):
    instrument()
    released("new_checkout")
    version = flaggate.flags_for("42").snapshot.version
    assert traces.event_of("new_checkout") == {
        convention.FEATURE_FLAG_KEY: "new_checkout",
        convention.FEATURE_FLAG_PROVIDER_NAME: "flaggate",
        convention.FEATURE_FLAG_RESULT_VARIANT: "on",
        convention.FEATURE_FLAG_RESULT_REASON: "static",
        convention.FEATURE_FLAG_VERSION: str(version.number),
    }


@pytest.mark.parametrize(
    ("key", "variant", "reason"),
    [
        ("half_on", "on", "split"),
        ("killed", "off", "disabled"),
        ("price_layout", "compact", "static"),
        ("for_ada", "on", "targeting_match"),
        ("needs_killed", "off", "prerequisite_failed"),
    ],
)
def test_variant_and_reason_are_those_of_the_answer(traces, key, variant, reason):
    instrument()
    released("half_on", percentage=Decimal("99.999"))
    changes.create("killed")
    layouts("price_layout")
    targeted("for_ada", ("username", "one_of", ["ada"]))
    with changes.change():
        released("needs_killed").prerequisites.create(required=changes.create("other"))
    event = traces.event_of(key, EvaluationContext("42", {"username": "ada"}))
    assert event["feature_flag.result.variant"] == variant
    assert event["feature_flag.result.reason"] == reason


@pytest.mark.parametrize("reason", convention.FeatureFlagResultReasonValues)
def test_the_conventions_own_reasons_are_written_as_flaggate_writes_them(reason):
    assert reason.value == reason.name.lower()


def test_a_multivariate_flag_without_anything_to_serve_has_neither_variant_nor_value(traces):
    instrument(values=True)
    changes.create("limit", variants=[("low", 5, 1)])
    event = traces.event_of("limit")
    assert "feature_flag.result.variant" not in event
    assert "feature_flag.result.value" not in event


def test_values_only_where_asked_for(traces):
    instrument(values=True)
    layouts("price_layout")
    event = traces.event_of("price_layout")
    assert event[convention.FEATURE_FLAG_RESULT_VALUE] == '{"columns": 4}'


@pytest.mark.parametrize("value", ["compact", 5, 0.5, True])
def test_a_plain_value_stays_as_it_is(traces, value):
    instrument(values=True)
    released("limit", variants=[("one", value, 1)])
    assert traces.event_of("limit")["feature_flag.result.value"] == value


@pytest.mark.parametrize(("options", "told"), [({}, None), ({"context_id": True}, "42")])
def test_the_targeting_key_only_where_asked_for(traces, options, told):
    instrument(**options)
    released("half", percentage=50)
    assert traces.event_of("half").get(convention.FEATURE_FLAG_CONTEXT_ID) == told


def test_to_tell_the_targeting_key_makes_no_visitor_of_a_browser(traces):
    instrument(context_id=True)
    released("new_checkout")
    request = a_request()
    assert "feature_flag.context.id" not in traces.event_of("new_checkout", request)
    assert not request.flags.visitor.asked


def test_an_error_has_its_type_and_its_message(traces):
    instrument()
    event = traces.event_of("unknown")
    assert event["feature_flag.result.reason"] == "error"
    assert event[ERROR_TYPE] == "flag_not_found"
    assert event["error.message"] == "There is no flag 'unknown'."


def test_a_context_that_is_not_loaded_is_invalid_in_the_conventions_words(traces):
    def not_loaded(name: str) -> object:
        raise flaggate.exceptions.ContextNotLoaded(name)

    instrument()
    targeted("for_staff", ("is_staff", "one_of", [True]))
    event = traces.event_of("for_staff", EvaluationContext("42", resolve=not_loaded))
    assert event[ERROR_TYPE] == "invalid_context"


def test_outside_of_a_span_nothing_happens(traces):
    instrument()
    released("new_checkout")
    assert flaggate.is_active("new_checkout")
    assert not traces.events()


def test_a_span_that_is_not_sampled_has_no_events():
    traces = Traces(sampler=ALWAYS_OFF)
    instrument()
    with traces.span("checkout"):
        flaggate.is_active("new_checkout")
    assert not traces.events()
    traces.provider.shutdown()


def test_instrumenting_again_replaces_and_uninstrumenting_ends_it(traces):
    instrument(values=True)
    instrument()
    released("new_checkout")
    assert "feature_flag.result.value" not in traces.event_of("new_checkout")
    uninstrument()
    assert not flags.observers


def test_without_opentelemetry_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "flaggate.contrib.opentelemetry")
    with pytest.raises(ImproperlyConfigured, match=r"pip install 'flaggate\[opentelemetry\]'"):
        import flaggate.contrib.opentelemetry  # noqa: F401
