"""Flags of people who force some of them for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flaggate.context import overrides
from flaggate.core.evaluation import OVERRIDER
from flaggate.flags.observed import ObservedFlags
from flaggate.store import store

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from flaggate.core.evaluation import Evaluation
    from flaggate.core.snapshot import Snapshot


class PersonalFlags(ObservedFlags):
    """The flags of a request that carries overrides; what their owner asks is not counted."""

    __slots__ = ("_choices", "_owner")

    def __init__(
        self, request: HttpRequest, now: datetime, owner: str, choices: overrides.Choices
    ) -> None:
        self._owner, self._choices = owner, choices
        super().__init__(store.current().personal(owner, choices), request, now)

    def evaluate(self, key: str) -> Evaluation:
        """Return the answer of a flag, with its reason, and tell the observers."""
        if not self._is_owner():
            return super().evaluate(key)
        forced = self._override(key)
        answer = self._one(self._latest(), key) if forced is None else forced
        self._tell(answer)
        return answer

    def _is_owner(self) -> bool:
        try:
            overrider = self.context.attributes[OVERRIDER]
        except Exception:
            return True  # the answers that depend on it say what is wrong
        if overrider != self._owner:
            overrides.complain("it is that of another user, or of one who may not")
            return False
        return True

    def _latest(self) -> Snapshot:
        latest = super()._latest()
        if latest is self.snapshot:
            return latest
        return latest.personal(self._owner, self._choices)
