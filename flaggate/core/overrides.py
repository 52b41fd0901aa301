"""A flag's answer that one person has forced for themselves, to test in production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flaggate.core import evaluation
from flaggate.core.compiler import off, on
from flaggate.core.evaluation import OVERRIDER
from flaggate.core.messages import Message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flaggate.core.compiler import Evaluator, Evaluators
    from flaggate.core.definitions import Flag
    from flaggate.core.evaluation import Evaluation, EvaluationContext

# Off beats everything else, and the code behind a flag may need what its prerequisites bring.
STRONGER = frozenset({evaluation.DISABLED, evaluation.PREREQUISITE_FAILED})


@dataclass(frozen=True, slots=True)
class PersonalOverride:
    """Whose it is, until when, and the answer that it forces."""

    user: str
    until: datetime
    answer: Evaluation

    def applies(self, found: Evaluation, context: EvaluationContext) -> bool:
        """Tell whether the answer takes the place of the one that was found."""
        if found.reason in STRONGER or context.now is None or context.now >= self.until:
            return False
        return context.attributes[OVERRIDER] == self.user


class PersonalEvaluators(dict[str, "Evaluator"]):
    """The closures of a snapshot as one person meets them: prerequisites see overrides, too."""

    __slots__ = ("_others",)

    def __init__(self, others: Evaluators, overrides: Mapping[str, PersonalOverride]) -> None:
        self._others = others
        for key, override in overrides.items():
            self[key] = _overridden(others[key], override)

    def __missing__(self, key: str) -> Evaluator:
        return self._others[key]


def force(flag: Flag, user: str, choice: object, until: datetime) -> PersonalOverride | None:
    """Prepare what a user forces: on (True) or off (False), or the variant of a key.

    None where the flag forbids it, or has no such outcome.
    """
    if not flag.overridable:
        return None
    message = Message("Overridden until %(moment)s UTC.", moment=f"{until:%Y-%m-%d %H:%M}")
    answer = None
    if choice is False:
        answer = off(flag, evaluation.OVERRIDE, message=message)
    elif choice is True and not flag.variants:
        answer = on(flag, None, evaluation.OVERRIDE, message=message)
    elif variant := next((each for each in flag.variants if each.key == choice), None):
        answer = on(flag, variant, evaluation.OVERRIDE, message=message)
    return PersonalOverride(user, until, answer) if answer is not None else None


def _overridden(evaluator: Evaluator, override: PersonalOverride) -> Evaluator:
    def overridden(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        found = evaluator(context, evaluators)
        return override.answer if override.applies(found, context) else found

    return overridden
