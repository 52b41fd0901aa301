"""Turn a flag's definition into one closure that answers it.

Everything that does not depend on the subject is done here, once: answers are prepared, seeds and
thresholds computed, constant parts folded away. What is left at decision time is dictionary
look-ups, one hash and one integer comparison.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import mmh3

from flaggate.core import bucketing, evaluation, references
from flaggate.core.evaluation import TARGETING_KEY, UNSET, Evaluation
from flaggate.core.membership import just_members, just_plain

if TYPE_CHECKING:
    from decimal import Decimal

    from flaggate.core.definitions import Flag, Rule, Segment, Variant
    from flaggate.core.evaluation import EvaluationContext
    from flaggate.core.members import Members
    from flaggate.core.membership import Test

    Evaluators: TypeAlias = Mapping[str, "Evaluator"]
    Evaluator: TypeAlias = Callable[[EvaluationContext, Evaluators], Evaluation]
    Outcome = Evaluation | Evaluator  # an answer that is the same for everybody, or one to find
    Segments = Mapping[str, Segment]

_hash = mmh3.hash


def off(
    flag: Flag,
    reason: str,
    *,
    rule: int | None = None,
    error: str | None = None,
    message: str = "",
) -> Evaluation:
    """Prepare the answer of a flag that is off: False, its off_variant, or UNSET."""
    variant = next((each for each in flag.variants if each.key == flag.off_variant), None)
    value = variant.value if variant else UNSET if flag.variants else False
    key = variant.key if variant else None
    return Evaluation(flag.key, value, False, key, reason, rule=rule, error=error, message=message)


def on(
    flag: Flag,
    variant: Variant | None,
    reason: str,
    *,
    rule: int | None = None,
    message: str = "",
) -> Evaluation:
    """Prepare the answer for those inside: True, or a variant, inactive if its value is false."""
    value, key = (variant.value, variant.key) if variant else (True, None)
    active = value is not False
    return Evaluation(flag.key, value, active, key, reason, rule=rule, message=message)


def compile_flag(
    flag: Flag, segments: Segments, test: Callable[[str], Test], *, unsound: bool
) -> Evaluator:
    """Compile a flag.

    ``test`` gives the compiled segment of a key; an *unsound* flag is one whose prerequisites run
    in a circle, too deep, or into too many steps.
    """
    if flag.archived or not flag.enabled:
        return _constant(off(flag, evaluation.DISABLED))
    evaluator = _targeting(flag, segments, test)
    if unsound:
        message = references.UNSOUND_PREREQUISITES
        evaluator = _constant(off(flag, evaluation.PREREQUISITE_FAILED, message=message))
    elif flag.prerequisites:
        evaluator = _prerequisites(flag, evaluator)
    if flag.active_from or flag.active_until:
        evaluator = _scheduled(flag, evaluator)
    return evaluator


def _evaluator(outcome: Outcome) -> Evaluator:
    return _constant(outcome) if isinstance(outcome, Evaluation) else outcome


def _constant(answer: Evaluation) -> Evaluator:
    def constant(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        return answer

    return constant


def _scheduled(flag: Flag, evaluator: Evaluator) -> Evaluator:
    start, end, outside = flag.active_from, flag.active_until, off(flag, evaluation.DISABLED)

    def scheduled(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        now = context.now
        if now is None or (start and now < start) or (end and now >= end):
            return outside
        return evaluator(context, evaluators)

    return scheduled


def _prerequisites(flag: Flag, evaluator: Evaluator) -> Evaluator:
    required = [(each.flag, each.variant) for each in flag.prerequisites]
    failed = off(flag, evaluation.PREREQUISITE_FAILED)

    def guarded(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        for key, variant in required:
            try:
                evaluator_of = evaluators[key]
            except KeyError:  # deleted behind our back
                return failed
            answer = evaluator_of(context, evaluators)
            if not answer.active or (variant and answer.variant != variant):
                return failed
        return evaluator(context, evaluators)

    return guarded


def _targeting(flag: Flag, segments: Segments, test: Callable[[str], Test]) -> Evaluator:
    reason = evaluation.DEFAULT if flag.rules else evaluation.STATIC
    otherwise = _evaluator(_share(flag, flag.percentage, "", reason, None))
    if flag.stages:
        otherwise = _staged(flag, otherwise, reason)
    audiences = [
        (segments[key], outcome)
        for position, rule in enumerate(flag.rules, start=1)
        for outcome in [_rule(flag, rule, position)]
        for key in rule.segments
    ]
    if not audiences:
        return otherwise
    (first, outcome), *others = audiences
    if just_members(first) and isinstance(outcome, Evaluation):
        return _people(first.included, outcome, _audiences(others, otherwise, test))
    return _audiences(audiences, otherwise, test)


def _rule(flag: Flag, rule: Rule, position: int) -> Outcome:
    return _share(flag, rule.percentage, rule.variant, evaluation.TARGETING_MATCH, position)


def _people(included: Members, answer: Evaluation, otherwise: Evaluator) -> Evaluator:
    # "Just these people", the rule that most flags begin with: half the calls of the general form.
    def people(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        if context.units[TARGETING_KEY] in included:
            return answer
        return otherwise(context, evaluators)

    return people


def _audiences(
    audiences: list[tuple[Segment, Outcome]], otherwise: Evaluator, test: Callable[[str], Test]
) -> Evaluator:
    served = [(segment, _evaluator(outcome)) for segment, outcome in audiences]
    walk = _walk([(test(segment.key), serve) for segment, serve in served], otherwise)
    if len(served) > 1 and all(just_plain(segment) for segment, _serve in served):
        return _listed(served, walk, otherwise)
    return walk


def _walk(tests: list[tuple[Test, Evaluator]], otherwise: Evaluator) -> Evaluator:
    if not tests:
        return otherwise
    if len(tests) == 1:
        return _single(*tests[0], otherwise)

    def walk(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        for contains, serve in tests:
            if contains(context):
                return serve(context, evaluators)
        return otherwise(context, evaluators)

    return walk


def _staged(flag: Flag, before: Evaluator, reason: str) -> Evaluator:
    starts = [stage.starts for stage in flag.stages]
    shares = [_evaluator(_share(flag, each.percentage, "", reason, None)) for each in flag.stages]
    shares.insert(0, before)

    def staged(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        now = context.now
        share = shares[bisect_right(starts, now)] if now is not None else before
        return share(context, evaluators)

    return staged


def _single(contains: Test, serve: Evaluator, otherwise: Evaluator) -> Evaluator:
    def single(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        return (serve if contains(context) else otherwise)(context, evaluators)

    return single


def _listed(
    served: list[tuple[Segment, Evaluator]], walk: Evaluator, otherwise: Evaluator
) -> Evaluator:
    # Rules that only compare plain values: one look-up for neighbours that ask for one attribute.
    tables = [
        (attribute, _table(neighbours))
        for attribute, neighbours in groupby(served, lambda each: each[0].conditions[0].attribute)
    ]

    def listed(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        attributes = context.attributes
        for attribute, table in tables:
            value = attributes[attribute]
            if type(value) is str or type(value) is bool:
                if value in table:
                    return table[value](context, evaluators)
            elif value is not None:
                return walk(context, evaluators)
        return otherwise(context, evaluators)

    return listed


def _table(served: Iterable[tuple[Segment, Evaluator]]) -> dict[object, Evaluator]:
    table: dict[object, Evaluator] = {}
    for segment, serve in served:
        for value in segment.conditions[0].values:
            table.setdefault(value, serve)  # the first rule decides
    return table


def _share(flag: Flag, percentage: Decimal, variant: str, reason: str, rule: int | None) -> Outcome:
    if percentage <= 0:
        return off(flag, reason, rule=rule)
    outcomes = _outcomes(flag, variant)
    if len(outcomes) > 1:
        return _weighted(flag, percentage, outcomes, rule)
    if percentage >= 100:
        return on(flag, outcomes[0], reason, rule=rule)
    return _percentage(flag, percentage, outcomes[0], rule)


def _outcomes(flag: Flag, variant: str) -> list[Variant | None]:
    if not flag.variants:
        return [None]
    if variant:
        return [each for each in flag.variants if each.key == variant]
    return [each for each in flag.variants if each.weight > 0]


def _percentage(
    flag: Flag, percentage: Decimal, variant: Variant | None, rule: int | None
) -> Evaluator:
    seed, threshold = bucketing.seed(flag.salt), bucketing.threshold(percentage)
    attribute = flag.bucket_by or TARGETING_KEY
    inside = on(flag, variant, evaluation.SPLIT, rule=rule)
    outside = off(flag, evaluation.SPLIT, rule=rule)
    without = _without_unit(flag, rule)

    def share(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        unit = context.units[attribute]
        if unit is None:
            return without
        return inside if _hash(unit, seed, False) < threshold else outside

    return share


def _weighted(
    flag: Flag, percentage: Decimal, variants: list[Variant | None], rule: int | None
) -> Evaluator:
    seed, threshold = bucketing.seed(flag.salt), bucketing.threshold(percentage)
    variant_seed = bucketing.variant_seed(flag.salt)
    thresholds = bucketing.variant_thresholds(each.weight for each in variants if each)
    attribute = flag.bucket_by or TARGETING_KEY
    answers = [on(flag, variant, evaluation.SPLIT, rule=rule) for variant in variants]
    outside = off(flag, evaluation.SPLIT, rule=rule)
    without = _without_unit(flag, rule)

    def weighted(context: EvaluationContext, evaluators: Evaluators) -> Evaluation:
        unit = context.units[attribute]
        if unit is None:
            return without
        if _hash(unit, seed, False) >= threshold:
            return outside
        return answers[bisect_right(thresholds, _hash(unit, variant_seed, False))]

    return weighted


def _without_unit(flag: Flag, rule: int | None) -> Evaluation:
    return off(flag, evaluation.ERROR, rule=rule, error=evaluation.TARGETING_KEY_MISSING)
