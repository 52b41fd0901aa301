"""OpenTelemetry: each question about a flag is an event of the span in which it was asked.

Names and values are those of OpenTelemetry's semantic conventions for feature flags.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

from flaggate import flags, recording
from flaggate.core import evaluation
from flaggate.core.evaluation import TARGETING_KEY, UNSET

try:
    from opentelemetry import trace
except ImportError as error:
    raise ImproperlyConfigured(
        "flaggate.contrib.opentelemetry needs OpenTelemetry's API. "
        "Install it: pip install 'flaggate[opentelemetry]'"
    ) from error

if TYPE_CHECKING:
    from flaggate.core.evaluation import Evaluation

EVENT = "feature_flag.evaluation"
PROVIDER = "flaggate"

# The conventions' own words for what OpenFeature's error codes do not have.
ERROR_TYPES = {evaluation.CONTEXT_NOT_LOADED: "invalid_context"}


class Observer:
    """Adds the events; ``instrument()`` makes one."""

    def __init__(self, *, values: bool, context_id: bool) -> None:
        self.values = values
        self.context_id = context_id

    def __call__(self, answer: Evaluation, asked: flags.Flags) -> None:
        """Add an event to the current span, if that is recorded."""
        span = trace.get_current_span()
        if span.is_recording():
            span.add_event(EVENT, self._attributes(answer, asked))

    def _attributes(self, answer: Evaluation, asked: flags.Flags) -> dict[str, Any]:
        version = asked.snapshot.version
        attributes: dict[str, Any] = {
            "feature_flag.key": answer.flag,
            "feature_flag.provider.name": PROVIDER,
            "feature_flag.result.reason": answer.reason.lower(),
            "feature_flag.result.variant": recording.variant_of(answer) or None,
            "feature_flag.version": str(version.number) if version else None,
        }
        if answer.error:
            attributes["error.type"] = ERROR_TYPES.get(answer.error, answer.error.lower())
            attributes["error.message"] = answer.message or None
        if self.values and answer.value is not UNSET:
            attributes["feature_flag.result.value"] = _value(answer.value)
        if self.context_id:
            # Only if a flag has read it: to read it here could make a visitor of a browser.
            attributes["feature_flag.context.id"] = asked.context.attributes.get(TARGETING_KEY)
        return {name: value for name, value in attributes.items() if value is not None}


def instrument(*, values: bool = False, context_id: bool = False) -> None:
    """Add an event to the current span for each question, from now on.

    To be called while Django starts, as in an ``AppConfig.ready()``. ``values`` adds what a flag
    serves. ``context_id`` adds the subject's targeting key, if a flag has read it: personal data.
    """
    uninstrument()
    flags.observers.append(Observer(values=values, context_id=context_id))


def uninstrument() -> None:
    """Add no more events."""
    flags.observers[:] = [each for each in flags.observers if not isinstance(each, Observer)]


def _value(value: object) -> object:
    """Return a value as an attribute takes it; objects and lists as their JSON."""
    return value if isinstance(value, (str, bool, int, float)) else json.dumps(value)
