"""The answers of all flags for one subject."""

from __future__ import annotations

import logging
from copy import copy, deepcopy
from typing import TYPE_CHECKING, Any

from flaggate import conf, context, recording
from flaggate.core import evaluation
from flaggate.core.compiler import off
from flaggate.core.evaluation import (
    TARGETING_KEY,
    UNSET,
    Evaluation,
    EvaluationContext,
)
from flaggate.core.explanation import Explanation, explain, not_found
from flaggate.exceptions import ContextNotLoaded, UnknownFlag
from flaggate.flags.telling import MOST_TOLD, did_you_mean, first_time, shown
from flaggate.models.state import Written
from flaggate.overlay import Override
from flaggate.signals import outcome_tracked
from flaggate.store import store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from django.http import HttpRequest

    from flaggate.core.compiler import Evaluator
    from flaggate.core.snapshot import Snapshot

logger = logging.getLogger("flaggate")

_counts = recording.counts
_overrides = Override.active
_uncommitted = Written.alive
_NOBODY_YET: Any = object()


class Flags:
    """All flags for one subject: one snapshot and one moment, however often it is asked.

    Made by ``flags_for()``, and by the middleware as ``request.flags``. No method raises for any
    key or subject, unless ``FLAGGATE["STRICT"]`` is set. ``"key" in flags`` tells whether there is
    such a flag.
    """

    __slots__ = ("_context", "_request", "_user", "now", "snapshot", "visitor")

    def __init__(
        self,
        snapshot: Snapshot,
        subject: EvaluationContext | HttpRequest,
        now: datetime,
    ) -> None:
        self.snapshot = snapshot
        #: The moment for which questions are answered, an aware datetime.
        self.now = now
        self._user: Any = _NOBODY_YET
        self._request: HttpRequest | None = None
        self.visitor: context.Visitor | None = None
        if isinstance(subject, EvaluationContext):
            self._context = subject
        else:
            self._request = subject

    def is_active(self, key: str) -> bool:
        """Tell whether a flag is active for this subject."""
        return self.evaluate(key).active

    def variant(self, key: str) -> str | None:
        """Return the key of the variant that a flag serves, or None where it serves none.

        None for a boolean flag, and for one that is off and names no variant for that.
        """
        return self.evaluate(key).variant

    def value(self, key: str, default: Any = None) -> Any:
        """Return the value that a flag serves, or ``default`` where it has none to give.

        It has none if there is no such flag, or if it is multivariate, off, and names no variant
        for that. A boolean flag that is off gives False, whatever the default. A list or an object
        is the caller's own copy.
        """
        value = self.evaluate(key).value
        if isinstance(value, (dict, list)):
            return deepcopy(value)  # the answer is everybody's: nobody may change it for the others
        return default if value is UNSET else value

    def evaluate(self, key: str) -> Evaluation:
        """Return the answer of a flag, with its reason, and count it."""
        evaluators: Mapping[str, Evaluator] = self.snapshot.evaluators
        # Both are empty but in tests and in transactions that write flags.
        if _overrides or _uncommitted:
            forced = self._override(key)
            if forced is not None:
                return forced
            evaluators = self._latest().evaluators
        try:
            request = self._request
            if request is not None and getattr(request, "user", None) is not self._user:
                self._renew(request)
            answer = evaluators[key](self._context, evaluators)
        except Exception as error:
            return self._failed(key, error)
        _counts[answer] += 1
        return answer

    def all(self, *, client: bool = False) -> dict[str, Evaluation]:
        """Return the answers of all flags, by key, or of those that a browser may see.

        Archived flags are left out. Counts nothing.
        """
        snapshot = self._latest()
        keys = snapshot.client_keys if client else self._keys(snapshot)
        try:
            evaluators, subject = snapshot.evaluators, self.context
            answers = {key: evaluators[key](subject, evaluators) for key in keys}
        except Exception:
            answers = {key: self._one(snapshot, key) for key in keys}
        for override in _overrides:
            if override.key in answers or not client:
                answers[override.key] = override.answer(snapshot)
        return answers

    def explain(self, key: str) -> Explanation:
        """Return the long answer, with each rule and condition. Slow; counts nothing."""
        snapshot = self._latest()
        if key not in self:
            return Explanation(not_found(shown(key)))
        forced = self._override(key)
        if forced is not None:
            return Explanation(forced, snapshot.flags.get(key))
        try:
            return explain(snapshot, key, self.context)
        except Exception as error:
            return Explanation(self._failed(key, error), snapshot.flags.get(key))

    def track(
        self, name: str, value: float | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        """Tell the receivers of ``signals.outcome_tracked`` what this subject did. Stores nothing.

        ``value`` is what it was worth, such as an amount. A receiver that raises is logged.
        """
        outcome_tracked.send_robust(
            Flags, name=name, context=self.context, value=value, details=dict(details or {})
        )

    def __contains__(self, key: object) -> bool:
        """Tell whether a flag is defined."""
        if not isinstance(key, str):
            return False
        return key in self._latest() or any(each.key == key for each in _overrides)

    __iter__ = None

    @property
    def context(self) -> EvaluationContext:
        """What is known of the subject."""
        request = self._request
        if request is not None and getattr(request, "user", None) is not self._user:
            self._renew(request)
        return self._context

    def load(self) -> None:
        """Read all that a flag may ask of the subject, so that no question needs the database."""
        snapshot = self._latest()
        for name in snapshot.attributes:
            try:
                self._load(name)
            except Exception as error:
                if first_time(snapshot, f"attribute {name}"):
                    logger.exception("The attribute %r can't be read: %s", name, error)

    def about(self, subject: EvaluationContext) -> Flags:
        """Return the flags for another subject: of the same snapshot, at the same moment."""
        flags = copy(self)
        flags._context, flags._request = subject, None
        return flags

    def _load(self, name: str) -> None:
        known, visitor = self.context.attributes, self.visitor
        if visitor is None or name not in (TARGETING_KEY, context.VISITOR):
            known[name]
        elif name == context.VISITOR or not known["is_authenticated"]:
            visitor.peek()  # and no more: only a question makes a browser a visitor

    def _renew(self, request: HttpRequest) -> None:
        """Begin a context for the request's present user: DRF and ``login()`` change it midway."""
        self.visitor = self.visitor or context.Visitor(request)
        self._user = getattr(request, "user", None)
        self._context = context.of_request(request, self.visitor, self.now)

    def _latest(self) -> Snapshot:
        """Return the pinned snapshot, or what the open transaction itself has written."""
        if not _uncommitted:
            return self.snapshot
        return store.written() or self.snapshot

    def _keys(self, snapshot: Snapshot) -> Iterable[str]:
        left_out = snapshot.quarantined.keys() - snapshot.flags.keys()
        return [*snapshot.keys, *sorted(left_out)] if left_out else snapshot.keys

    def _override(self, key: str) -> Evaluation | None:
        for override in reversed(_overrides):
            if override.key == key:
                return override.answer(self._latest())
        return None

    def _one(self, snapshot: Snapshot, key: str) -> Evaluation:
        try:
            return snapshot.evaluate(key, self.context)
        except Exception as error:
            return self._failed(key, error)

    def _failed(self, key: str, error: Exception) -> Evaluation:
        snapshot = self._latest()
        if key not in self:
            return self._unknown(shown(key), snapshot)
        if conf.get().STRICT:
            raise error
        not_loaded = isinstance(error, ContextNotLoaded)
        code = evaluation.CONTEXT_NOT_LOADED if not_loaded else evaluation.GENERAL
        if first_time(snapshot, f"{code} {key}"):
            logger.error("The flag %r can't be evaluated: %s", key, error, exc_info=not not_loaded)
        return off(snapshot.flags[key], evaluation.ERROR, error=code, message=str(error))

    def _unknown(self, key: str, snapshot: Snapshot) -> Evaluation:
        # Without any flags, as when the database is gone, all keys are unknown: that is not news.
        known = snapshot.source != "defaults" and len(snapshot.told) < MOST_TOLD
        if known and first_time(snapshot, key):
            logger.warning("%s", did_you_mean(key, snapshot))
        if conf.get().STRICT:
            raise UnknownFlag(did_you_mean(key, snapshot)) from None
        return not_found(key)
