"""The steps of an explanation in words, the same in admin and on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

from flaggate.core import evaluation
from flaggate.core.evaluation import UNSET
from flaggate.management import explanations
from flaggate.models import conditions, wording
from flaggate.models.messages import translated

if TYPE_CHECKING:
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

REASONS = {
    evaluation.STATIC: gettext_noop("the flag has no rules, and nothing had to be hashed"),
    evaluation.DEFAULT: gettext_noop(
        "no rule caught the subject, so the flag's own percentage decided"
    ),
    evaluation.TARGETING_MATCH: gettext_noop("rule %(rule)s caught the subject"),
    evaluation.SPLIT: gettext_noop("the subject's hash decided"),
    evaluation.DISABLED: gettext_noop("the flag is not on"),
    evaluation.OVERRIDE: gettext_noop("this user forces it for themselves"),
    evaluation.PREREQUISITE_FAILED: gettext_noop("another flag is not as this one requires"),
}
RULE_AND_HASH = gettext_noop("rule %(rule)s caught the subject, and its hash decided")
MEMBERS = (gettext_noop("included"), gettext_noop("excluded"))
ERRORS = {
    evaluation.TARGETING_KEY_MISSING: gettext_noop("the subject has nothing to hash"),
    evaluation.PARSE_ERROR: gettext_noop("the stored rows of the flag are broken"),
    evaluation.CONTEXT_NOT_LOADED: gettext_noop("an attribute of the subject can't be read here"),
    evaluation.GENERAL: gettext_noop("the evaluation failed"),
}


def value(answer: Evaluation) -> str:
    """Say what is served: its value, and the variant that it is of."""
    if answer.value is UNSET:
        return _("none; the caller's default")
    written = json.dumps(answer.value, ensure_ascii=False, default=str)
    if answer.variant is None:
        return written
    said = _("%(value)s (variant %(variant)s)") % {"value": written, "variant": answer.variant}
    return _("%(value)s, which reads as off") % {"value": said} if answer.value is False else said


def why(explanation: Explanation) -> str:
    """Say what decided."""
    flag = explanation.flag
    if flag and explanation.evaluation.reason == evaluation.DISABLED:
        return _disabled(flag)
    return reason(explanation.evaluation)


def reason(answer: Evaluation) -> str:
    """Say what decided, as far as the answer alone tells."""
    if answer.reason == evaluation.ERROR:
        error = ERRORS.get(answer.error or "")
        return _(error) if error else str(translated(answer.message))
    if answer.reason == evaluation.SPLIT and answer.rule:
        return _(RULE_AND_HASH) % {"rule": answer.rule}
    return translated(answer.message) or _(REASONS[answer.reason]) % {"rule": answer.rule}


def broken(explanation: Explanation) -> str:
    """Say why the flag's rows can't be served, and what is served; empty where they can be."""
    found: str = translated(explanation.quarantined)
    if found and explanation.flag is not None:
        return _("%(reason)s It is served as it was before.") % {"reason": found}
    return found


def prerequisite(step: PrerequisiteStep) -> str:
    """Say what another flag had to be, and what it was."""
    required, answer = step.prerequisite, step.evaluation
    wanted = _("serves %s") % required.variant if required.variant else _("is active")
    found = pgettext("answer", "active") if answer.active else _("off")
    if answer.variant:
        found = _("%(state)s and serves %(variant)s") % {"state": found, "variant": answer.variant}
    return _("%(flag)s %(wanted)s; it is %(found)s: %(reason)s") % {
        "flag": required.flag,
        "wanted": wanted,
        "found": found,
        "reason": reason(answer),
    }


def rule(step: RuleStep) -> str:
    """Say for whom a rule is, and whether it matched."""
    share = wording.percent(step.rule.percentage)
    variant = f" ({step.rule.variant})" if step.rule.variant else ""
    segments = _(" or ").join(step.rule.segments) or _("no segment")
    decides = _("matches and decides") if step.matched else _("does not match")
    audience = _("%(share)s of %(audience)s") % {"share": share, "audience": segments}
    return f"{audience}{variant}: {decides}"


def segment(step: SegmentStep) -> str:
    """Say whether a segment contains the subject."""
    said = (
        _("segment %s contains the subject")
        if step.contains
        else _("segment %s does not contain the subject")
    ) % step.segment
    if step.member:
        return _("%(said)s, by name: %(list)s") % {"said": said, "list": _(step.member)}
    return said if step.conditions else _("%(said)s, and has no conditions") % {"said": said}


def condition(step: ConditionStep) -> str:
    """Say what a condition asks for, and what it found."""
    asked = conditions.words(
        step.condition.attribute,
        step.condition.operator,
        step.condition.values,
        negate=step.condition.negate,
        ignore_case=step.condition.ignore_case,
    )
    return f"{asked}; {translated(step.note) or _found(step)}"


def share(step: ShareStep) -> str:
    """Say on which side of a percentage the subject is, and why."""
    percentage = wording.percent(step.percentage)
    if step.bucket is not None:
        return _(
            "%(percentage)s: bucket %(bucket)s of 100,000, by %(attribute)s %(unit)s; "
            "inside when below %(threshold)s: %(side)s"
        ) % {
            "percentage": percentage,
            "bucket": wording.figure(step.bucket),
            "attribute": step.attribute,
            "unit": step.unit,
            "threshold": wording.figure(step.threshold),
            "side": _("inside") if step.inside else _("outside"),
        }
    if step.inside:
        return _("%s: everybody is inside") % percentage
    if step.percentage <= 0:
        return _("%s: nobody is inside") % percentage
    words = {"percentage": percentage, "attribute": step.attribute}
    return _("%(percentage)s: the subject has no %(attribute)s to hash, so it is outside") % words


def everyone(explanation: Explanation) -> str:
    """Name whom the flag's own share is for: everyone, or those whom no rule caught."""
    whom = _("Everyone else") if explanation.rules else _("Everyone")
    if explanation.stage is None:
        return whom
    words = {"whom": whom, "stage": explanation.stage + 1}
    return _("%(whom)s, stage %(stage)d of the rollout") % words


def not_asked(explanation: Explanation) -> str:
    """Say how many rules stand after the one that decided; empty where there are none."""
    total = len(explanation.flag.rules) if explanation.flag else 0
    left = total - len(explanation.rules)
    if not explanation.rules or left <= 0:
        return ""
    words = ngettext(
        "The rules after it (%d) were not asked.", "The rules after it (%d) were not asked.", left
    )
    return words % left


def _disabled(flag: Flag) -> str:
    if flag.archived:
        return _("the flag is archived")
    if not flag.enabled:
        return _("the flag is off for everybody")
    times = ((_("from %s"), flag.active_from), (_("until %s"), flag.active_until))
    limits = [words % wording.moment(moment) for words, moment in times if moment]
    return _("the flag is on %s only") % " ".join(limits)


def _found(step: ConditionStep) -> str:
    several = explanations.several(step.value)
    if step.condition.operator == "in_segment":
        return _("it is in %s") % (conditions.listed(several) or _("none"))
    if step.value is None:
        return _("it is missing")
    return _("it is %s") % (conditions.listed(several) or _("empty"))
