"""Flags whose questions are watched, as by a debug toolbar."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flaggate.flags.answers import Flags
from flaggate.flags.telling import first_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from flaggate.core.evaluation import Evaluation

logger = logging.getLogger("flaggate")

#: Functions that are told of each question asked in order to act, with its answer and the flags
#: that gave it. To be filled while Django starts: flags that are made before know nothing of it.
observers: list[Callable[[Evaluation, Flags], None]] = []


# A class of its own, because an ``if`` would cost every decision of those who observe nothing.
class ObservedFlags(Flags):
    """Flags that tell ``observers`` of each question; made only while there are any."""

    __slots__ = ()

    def evaluate(self, key: str) -> Evaluation:
        """Return the answer of a flag, with its reason; count it, and tell the observers."""
        answer = super().evaluate(key)
        self._tell(answer)
        return answer

    def _tell(self, answer: Evaluation) -> None:
        for observe in observers:
            try:
                observe(answer, self)
            except Exception:
                if first_time(self.snapshot, f"observer {observe!r}"):
                    logger.exception("An observer of flags failed: %r", observe)
