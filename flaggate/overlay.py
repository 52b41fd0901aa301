"""Answers forced by tests, for everybody in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flaggate.core import evaluation
from flaggate.core.compiler import off
from flaggate.core.evaluation import UNSET, Evaluation

if TYPE_CHECKING:
    from flaggate.core.snapshot import Snapshot


class Override:
    """An answer forced by a test, for everybody; see ``flaggate.testing``."""

    # Process-wide and not a ContextVar: the thread of a live server must see it.
    active: list[Override] = []

    def __init__(self, key: str, active: bool, variant: str | None, value: object) -> None:
        self.key = key
        self.is_active = active
        self.variant = variant
        self.value = value

    def answer(self, snapshot: Snapshot) -> Evaluation:
        """Return the forced answer; what a variant, or off, is worth says the flag's definition."""
        flag = snapshot.flags.get(self.key)
        value, variant = self.value, self.variant
        if value is UNSET and variant is not None:
            values = {each.key: each.value for each in flag.variants} if flag else {}
            value = values.get(variant, variant)
        elif value is UNSET and self.is_active:
            value = True
        elif value is UNSET and flag is not None:
            answer = off(flag, evaluation.STATIC)
            value, variant = answer.value, answer.variant
        active = self.is_active and value is not False
        return Evaluation(self.key, value, active, variant, evaluation.STATIC)
