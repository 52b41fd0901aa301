"""The long answer: walk through a flag's definition and write down each step.

Thorough and slow. It interprets the definition and shares no decision with the compiler, so that
property tests can hold one against the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from flaggate.core import bucketing, evaluation, references, stages
from flaggate.core.evaluation import MEMBERSHIPS, TARGETING_KEY, UNSET, Evaluation
from flaggate.core.messages import Message
from flaggate.core.operators import matcher

if TYPE_CHECKING:
    from decimal import Decimal

    from flaggate.core.definitions import Condition, Flag, Prerequisite, Rule, Segment, Variant
    from flaggate.core.evaluation import EvaluationContext
    from flaggate.core.snapshot import Snapshot

LACKING = Message("the subject lacks this attribute")


@dataclass(frozen=True, slots=True)
class ConditionStep:
    """One condition: the subject's value, whether it is met, and why not where that is special."""

    condition: Condition
    value: object
    met: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class SegmentStep:
    """One segment: whether it contains the subject, by membership or by its conditions."""

    segment: str
    contains: bool
    member: str = ""  # "included", "excluded" or empty
    conditions: tuple[ConditionStep, ...] = ()


@dataclass(frozen=True, slots=True)
class ShareStep:
    """The hash against the percentage; bucket is None where nothing had to be hashed."""

    percentage: Decimal
    attribute: str
    unit: str | None
    bucket: int | None
    inside: bool

    @property
    def threshold(self) -> int:
        """The first bucket outside, 0 to 100,000."""
        return int(self.percentage * 1000)


@dataclass(frozen=True, slots=True)
class RuleStep:
    """One rule: its segments, and its share if it was the one that decided."""

    position: int
    rule: Rule
    segments: tuple[SegmentStep, ...]
    share: ShareStep | None = None

    @property
    def matched(self) -> bool:
        """Whether one of the rule's segments contains the subject."""
        return any(segment.contains for segment in self.segments)


@dataclass(frozen=True, slots=True)
class PrerequisiteStep:
    """One prerequisite: the other flag's answer, and whether it is what was required."""

    prerequisite: Prerequisite
    evaluation: Evaluation
    met: bool


@dataclass(slots=True)
class Explanation:
    """An evaluation, and every step that led to it."""

    #: The answer.
    evaluation: Evaluation
    #: The flag's definition; None if there is none.
    flag: Flag | None = None
    #: All of them, in order.
    prerequisites: list[PrerequisiteStep] = field(default_factory=list)
    #: Those that were looked at, in order; if one decided, it is the last.
    rules: list[RuleStep] = field(default_factory=list)
    #: How the flag's own percentage decided; None if a rule did.
    share: ShareStep | None = None
    #: Which stage of a running rollout holds, counted from 0; None if none does.
    stage: int | None = None
    #: What is wrong with the flag's rows, or empty.
    quarantined: str = ""
    #: What the subject would get without their personal override; None if they have none.
    overridden: Evaluation | None = None


def explain(snapshot: Snapshot, key: str, context: EvaluationContext) -> Explanation:
    """Explain one flag; an unknown key is answered with FLAG_NOT_FOUND."""
    quarantined = snapshot.quarantined.get(key)
    flag = snapshot.flags.get(key)
    if flag is not None:
        explanation = _Walk(snapshot, context).flag(flag)
    elif quarantined is not None:
        explanation = Explanation(
            Evaluation(
                key,
                UNSET if quarantined.multivariate else False,
                False,
                None,
                evaluation.ERROR,
                error=evaluation.PARSE_ERROR,
                message=quarantined.reason,
            )
        )
    else:
        explanation = Explanation(not_found(key))
    explanation.quarantined = quarantined.reason if quarantined else ""
    return explanation


def not_found(key: str) -> Evaluation:
    """Return the answer to a key that no flag has."""
    return Evaluation(
        key,
        UNSET,
        False,
        None,
        evaluation.ERROR,
        error=evaluation.FLAG_NOT_FOUND,
        message=Message("There is no flag %(key)r.", key=key),
    )


class _Walk:
    def __init__(self, snapshot: Snapshot, context: EvaluationContext) -> None:
        self.snapshot = snapshot
        self.context = context

    def flag(self, flag: Flag) -> Explanation:
        explanation = self._walk(flag)
        override = self.snapshot.overrides.get(flag.key)
        if override and override.applies(explanation.evaluation, self.context):
            explanation.overridden, explanation.evaluation = (
                explanation.evaluation,
                override.answer,
            )
        return explanation

    def _walk(self, flag: Flag) -> Explanation:
        explanation = Explanation(_answer(flag, None, evaluation.DISABLED), flag)
        if flag.archived or not flag.enabled or not self._within(flag):
            return explanation
        if flag.key in self.snapshot.unsound:
            message = references.UNSOUND_PREREQUISITES
            explanation.evaluation = _answer(
                flag, None, evaluation.PREREQUISITE_FAILED, message=message
            )
            return explanation
        explanation.prerequisites = [self._prerequisite(each) for each in flag.prerequisites]
        if not all(step.met for step in explanation.prerequisites):
            explanation.evaluation = _answer(flag, None, evaluation.PREREQUISITE_FAILED)
            return explanation
        for position, rule in enumerate(flag.rules, start=1):
            segments = tuple(self._segment(key) for key in rule.segments)
            step = RuleStep(position, rule, segments)
            if step.matched:
                share, explanation.evaluation = self._serve(
                    flag, rule.percentage, rule.variant, evaluation.TARGETING_MATCH, position
                )
                explanation.rules.append(RuleStep(position, rule, segments, share))
                return explanation
            explanation.rules.append(step)
        reason = evaluation.DEFAULT if flag.rules else evaluation.STATIC
        explanation.stage = stages.position(flag.stages, self.context.now)
        percentage = flag.percentage
        if explanation.stage is not None:
            percentage = flag.stages[explanation.stage].percentage
        explanation.share, explanation.evaluation = self._serve(flag, percentage, "", reason, None)
        return explanation

    def _within(self, flag: Flag) -> bool:
        if flag.active_from is None and flag.active_until is None:
            return True
        now = self.context.now
        if now is None:
            return False
        started = flag.active_from is None or flag.active_from <= now
        ended = flag.active_until is not None and flag.active_until <= now
        return started and not ended

    def _prerequisite(self, prerequisite: Prerequisite) -> PrerequisiteStep:
        answer = explain(self.snapshot, prerequisite.flag, self.context).evaluation
        met = answer.active and prerequisite.variant in ("", answer.variant)
        return PrerequisiteStep(prerequisite, answer, met)

    def _segment(self, key: str) -> SegmentStep:
        segment = self.snapshot.segments[key]
        included = self._member(segment)
        if included is not None:
            return SegmentStep(key, included, "included" if included else "excluded")
        steps = tuple(self._condition(condition) for condition in segment.conditions)
        quantifier = all if segment.match_all else any
        contains = bool(steps) and quantifier(step.met for step in steps)
        return SegmentStep(key, contains, "", steps)

    def _member(self, segment: Segment) -> bool | None:
        unit = self.context.units[TARGETING_KEY]
        if segment.on_demand:
            known: Any = self.context.attributes[MEMBERSHIPS] if unit else None
            return known.get(segment.key) if known else None
        if unit in segment.excluded:
            return False
        return True if unit in segment.included else None

    def _condition(self, condition: Condition) -> ConditionStep:
        if condition.operator == "in_segment":
            inside = [str(key) for key in condition.values if self._segment(str(key)).contains]
            return ConditionStep(condition, inside, bool(inside) != condition.negate)
        value = self.context.attributes[condition.attribute]
        if condition.operator == "exists":
            return ConditionStep(condition, value, (value is not None) != condition.negate)
        if value is None:
            return ConditionStep(condition, value, False, LACKING)
        matches = matcher(condition.operator, condition.values, ignore_case=condition.ignore_case)(
            value
        )
        return ConditionStep(condition, value, matches != condition.negate)

    def _serve(
        self, flag: Flag, percentage: Decimal, variant: str, reason: str, rule: int | None
    ) -> tuple[ShareStep, Evaluation]:
        attribute = flag.bucket_by or TARGETING_KEY
        if percentage <= 0:
            step = ShareStep(percentage, attribute, None, None, False)
            return step, _answer(flag, None, reason, rule)
        choices = _choices(flag, variant)
        if percentage >= 100 and len(choices) == 1:
            step = ShareStep(percentage, attribute, None, None, True)
            return step, _answer(flag, choices[0], reason, rule)
        unit = self.context.units[attribute]
        if unit is None:
            error = evaluation.TARGETING_KEY_MISSING
            step = ShareStep(percentage, attribute, None, None, False)
            return step, _answer(flag, None, evaluation.ERROR, rule, error)
        bucket = bucketing.bucket(bucketing.hashed(unit, bucketing.seed(flag.salt)))
        inside = bucket < percentage * 1000
        step = ShareStep(percentage, attribute, unit.decode(), bucket, inside)
        served = _weighted(flag, choices, unit) if inside else None
        return step, _answer(flag, served, evaluation.SPLIT, rule)


def _choices(flag: Flag, variant: str) -> list[Variant | bool]:
    if not flag.variants:
        return [True]
    if variant:
        return [each for each in flag.variants if each.key == variant]
    return [each for each in flag.variants if each.weight > 0]


def _weighted(flag: Flag, choices: list[Variant | bool], unit: bytes) -> Variant | bool:
    weights = [1 if isinstance(choice, bool) else choice.weight for choice in choices]
    if len(choices) == 1:
        return choices[0]
    hashed = bucketing.hashed(unit, bucketing.variant_seed(flag.salt))
    point = (hashed * sum(weights)) >> 32
    ends = zip(choices, accumulate(weights), strict=True)
    return next(choice for choice, end in ends if point < end)


def _answer(
    flag: Flag,
    served: Variant | bool | None,
    reason: str,
    rule: int | None = None,
    error: str | None = None,
    message: str = "",
) -> Evaluation:
    """Say what was served: a variant, True, or (None) what the flag gives when it is off."""
    active = served is not None
    if served is None and flag.off_variant:
        served = next(each for each in flag.variants if each.key == flag.off_variant)
    value: Any
    if served is None:
        value, variant = (UNSET if flag.variants else False), None
    elif isinstance(served, bool):
        value, variant = served, None
    else:
        value, variant = served.value, served.key
    active = active and value is not False
    return Evaluation(
        flag.key, value, active, variant, reason, rule=rule, error=error, message=message
    )
