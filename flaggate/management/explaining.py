"""``flags explain``: why a subject gets what it gets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation

from flaggate.core import evaluation
from flaggate.core.evaluation import UNSET
from flaggate.exceptions import UnknownFlag
from flaggate.flags import flags_for
from flaggate.management import explanations, keys, subjects, tables
from flaggate.management.answers import Answer
from flaggate.models import wording
from flaggate.store import store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaggate.core.definitions import Flag
    from flaggate.core.evaluation import Evaluation
    from flaggate.core.explanation import (
        ConditionStep,
        Explanation,
        PrerequisiteStep,
        RuleStep,
        SegmentStep,
        ShareStep,
    )
    from flaggate.management.answers import Options, Terminal

arguments = subjects.arguments

REASONS = {
    evaluation.STATIC: "the flag has no rules, and nothing had to be hashed",
    evaluation.DEFAULT: "no rule caught the subject, so the flag's own percentage decided",
    evaluation.TARGETING_MATCH: "rule {rule} caught the subject",
    evaluation.SPLIT: "the subject's hash decided",
    evaluation.DISABLED: "the flag is not on",
    evaluation.OVERRIDE: "this user forces it for themselves",
    evaluation.PREREQUISITE_FAILED: "another flag is not as this one requires",
}
RULE_AND_HASH = "rule {rule} caught the subject, and its hash decided"
ERRORS = {
    evaluation.TARGETING_KEY_MISSING: "the subject has nothing to hash",
    evaluation.PARSE_ERROR: "the stored rows of the flag are broken",
    evaluation.CONTEXT_NOT_LOADED: "an attribute of the subject can't be read here",
    evaluation.GENERAL: "the evaluation failed",
}


def run(options: Options, terminal: Terminal) -> Answer:
    """Explain one flag for one subject. Raises UnknownFlag."""
    subject, name = subjects.subject(options)
    flags = flags_for(subject)
    if options["key"] not in flags:
        if store.error:
            raise keys.Unreadable(keys.unusable(store.error))
        raise UnknownFlag(keys.unknown(options["key"]))
    # Commands speak no language, but a flag may ask for that of the project.
    with translation.override(settings.LANGUAGE_CODE):
        explanation = flags.explain(options["key"])
        document = explanations.document(explanation, flags.context)
    heading, *lines = map(tables.printable, text(explanation, name))
    return Answer(document, [terminal.style.MIGRATE_HEADING(heading), *lines])


def text(explanation: Explanation, subject: str = "this subject") -> Iterator[str]:
    """Write an explanation down in lines; ``subject`` names whom it is about."""
    answer, flag = explanation.evaluation, explanation.flag
    disabled = flag if answer.reason == evaluation.DISABLED else None
    why = _disabled(disabled) if disabled else _reason(answer)
    yield f"{answer.flag} is {'active' if answer.active else 'off'} for {subject}"
    yield from tables.pairs(
        [
            ("value", _value(answer)),
            ("reason", f"{answer.reason}: {why}"),
            ("broken", _broken(explanation)),
        ]
    )
    if explanation.prerequisites:
        yield from ("", "Prerequisites", *map(_prerequisite, explanation.prerequisites))
    if explanation.rules:
        yield from ("", "Rules")
        for step in explanation.rules:
            yield from _rule(step)
        yield from _not_asked(explanation)
    if explanation.share:
        stage = (
            "" if explanation.stage is None else f", stage {explanation.stage + 1} of the rollout"
        )
        yield from ("", ("Everyone else" if explanation.rules else "Everyone") + stage)
        yield f"  {_share(explanation.share)}"


def _broken(explanation: Explanation) -> str:
    if explanation.quarantined and explanation.flag is not None:
        return f"{explanation.quarantined} It is served as it was before."
    return explanation.quarantined


def _value(answer: Evaluation) -> str:
    if answer.value is UNSET:
        return "none; the caller's default"
    value = json.dumps(answer.value, ensure_ascii=False, default=str)
    if answer.variant is None:
        return value
    means_off = ", which reads as off" if answer.value is False else ""
    return f"{value} (variant {answer.variant}){means_off}"


def _reason(answer: Evaluation) -> str:
    if answer.reason == evaluation.ERROR:
        return ERRORS.get(answer.error or "", answer.message)
    if answer.reason == evaluation.SPLIT and answer.rule:
        return RULE_AND_HASH.format(rule=answer.rule)
    return answer.message or REASONS[answer.reason].format(rule=answer.rule)


def _disabled(flag: Flag) -> str:
    if flag.archived:
        return "the flag is archived"
    if not flag.enabled:
        return "the flag is off for everybody"
    times = (("from", flag.active_from), ("until", flag.active_until))
    limits = [f"{word} {wording.moment(when)}" for word, when in times if when]
    return f"the flag is on {' '.join(limits)} only"


def _prerequisite(step: PrerequisiteStep) -> str:
    required, answer = step.prerequisite, step.evaluation
    wanted = f"serves {required.variant}" if required.variant else "is active"
    found = "active" if answer.active else "off"
    served = f" and serves {answer.variant}" if answer.variant else ""
    return f"  {_met(step.met)}{required.flag} {wanted}; it is {found}{served}: {_reason(answer)}"


def _rule(step: RuleStep) -> Iterator[str]:
    share = wording.percent(step.rule.percentage)
    variant = f" ({step.rule.variant})" if step.rule.variant else ""
    segments = " or ".join(step.rule.segments) or "no segment"
    decides = "matches and decides" if step.matched else "does not match"
    yield f"  {step.position}. {share} of {segments}{variant}: {decides}"
    for segment in step.segments:
        yield from _segment(segment)
    if step.share:
        yield f"     {_share(step.share)}"


def _segment(step: SegmentStep) -> Iterator[str]:
    contains = "contains the subject" if step.contains else "does not contain the subject"
    why = f", by name: {step.member}" if step.member else ""
    nothing = "" if step.member or step.conditions else ", and has no conditions"
    yield f"     segment {step.segment} {contains}{why}{nothing}"
    for condition in step.conditions:
        yield f"       {_met(condition.met)}{_condition(condition)}"


def _condition(step: ConditionStep) -> str:
    condition = step.condition
    asked = wording.condition(
        condition.attribute,
        condition.operator,
        condition.values,
        negate=condition.negate,
        ignore_case=condition.ignore_case,
    )
    return f"{asked}; {step.note or _found(step)}"


def _found(step: ConditionStep) -> str:
    if step.condition.operator == "in_segment":
        return f"it is in {wording.listed(explanations.several(step.value)) or 'none'}"
    if step.value is None:
        return "it is missing"
    return f"it is {wording.listed(explanations.several(step.value)) or 'empty'}"


def _share(step: ShareStep) -> str:
    percentage = wording.percent(step.percentage)
    side = "inside" if step.inside else "outside"
    if step.bucket is not None:
        return (
            f"{percentage}: bucket {step.bucket:,} of 100,000, by {step.attribute} {step.unit}; "
            f"inside when below {step.threshold:,}: {side}"
        )
    if step.inside or step.percentage <= 0:
        return f"{percentage}: {'everybody' if step.inside else 'nobody'} is inside"
    return f"{percentage}: the subject has no {step.attribute} to hash, so it is outside"


def _not_asked(explanation: Explanation) -> Iterator[str]:
    total = len(explanation.flag.rules) if explanation.flag else 0
    if total > len(explanation.rules):
        yield f"  The rules after it ({total - len(explanation.rules)}) were not asked."


def _met(met: bool) -> str:
    return "met      " if met else "not met  "
