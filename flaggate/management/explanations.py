"""Explanations as JSON documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaggate.core.evaluation import UNSET
from flaggate.models.documents import number

if TYPE_CHECKING:
    from flaggate.core.evaluation import Evaluation, EvaluationContext
    from flaggate.core.explanation import (
        ConditionStep,
        Explanation,
        PrerequisiteStep,
        RuleStep,
        SegmentStep,
        ShareStep,
    )
    from flaggate.models.documents import Document


LISTS = (list, tuple, set, frozenset)


def document(explanation: Explanation, context: EvaluationContext) -> Document:
    """Write an explanation down: the answer, and each step that led to it."""
    return {
        **answer(explanation.evaluation),
        "targeting_key": context.targeting_key,
        "broken": explanation.quarantined or None,
        "prerequisites": [_prerequisite(step) for step in explanation.prerequisites],
        "rules": [_rule(step) for step in explanation.rules],
        "share": _share(explanation.share),
        "stage": None if explanation.stage is None else explanation.stage + 1,
    }


def answer(evaluation: Evaluation) -> Document:
    """Write an evaluation down; a value that the caller's default replaces is null."""
    return {
        "flag": evaluation.flag,
        "active": evaluation.active,
        "value": None if evaluation.value is UNSET else evaluation.value,
        "variant": evaluation.variant,
        "reason": evaluation.reason,
        "rule": evaluation.rule,
        "error": evaluation.error,
        "message": evaluation.message,
    }


def several(value: object) -> list[Any]:
    """Return the elements of a subject's value: a list, or a single one."""
    return list(value) if isinstance(value, LISTS) else [value]


def _prerequisite(step: PrerequisiteStep) -> Document:
    return {
        "flag": step.prerequisite.flag,
        "variant": step.prerequisite.variant,
        "met": step.met,
        "answer": answer(step.evaluation),
    }


def _rule(step: RuleStep) -> Document:
    return {
        "position": step.position,
        "percentage": number(step.rule.percentage),
        "variant": step.rule.variant,
        "matched": step.matched,
        "segments": [_segment(segment) for segment in step.segments],
        "share": _share(step.share),
    }


def _segment(step: SegmentStep) -> Document:
    return {
        "segment": step.segment,
        "contains": step.contains,
        "member": step.member,
        "conditions": [_condition(condition) for condition in step.conditions],
    }


def _condition(step: ConditionStep) -> Document:
    return {
        "attribute": step.condition.attribute,
        "operator": step.condition.operator,
        "values": list(step.condition.values),
        "negate": step.condition.negate,
        "ignore_case": step.condition.ignore_case,
        "value": _plain(step.value),
        "met": step.met,
        "note": step.note,
    }


def _share(step: ShareStep | None) -> Document | None:
    if step is None:
        return None
    return {
        "percentage": number(step.percentage),
        "attribute": step.attribute,
        "unit": step.unit,
        "bucket": step.bucket,
        "threshold": step.threshold,
        "inside": step.inside,
    }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, LISTS) else value
