"""The bar at the foot of each page: who you are, and why you get the checkout that you get."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from flaggate.core import evaluation
from flaggate.core.explanation import Explanation, PrerequisiteStep, RuleStep, ShareStep

ON_OFF = {True: "on", False: "off"}


@dataclass(frozen=True)
class Bar:
    visitor: str
    active: bool
    why: str
    steps: list[str]


def describe(visitor: str, explanation: Explanation) -> Bar:
    """Put an explanation into words."""
    active = explanation.evaluation.active
    return Bar(visitor, active, why(explanation), steps(explanation))


def why(explanation: Explanation) -> str:
    """Finish the sentence "… is on, because"."""
    answer = explanation.evaluation
    if answer.error == evaluation.FLAG_NOT_FOUND:
        return "no such flag has been created"
    if answer.reason == evaluation.DISABLED:
        return disabled(explanation)
    if answer.reason == evaluation.PREREQUISITE_FAILED:
        return "a flag that it requires is not active"
    deciding = explanation.rules[-1] if answer.rule else None
    share = deciding.share if deciding else explanation.share
    if share is None or answer.error:
        return f"the question can't be answered: {answer.error}"
    return released(share, audience(explanation, deciding))


def disabled(explanation: Explanation) -> str:
    flag = explanation.flag
    if flag is None or flag.archived:
        return "it is archived"
    if not flag.enabled:
        return "its switch is off"
    if flag.active_from and flag.active_from > timezone.now():
        return "its time has not come yet"
    return "its time is over"


def audience(explanation: Explanation, deciding: RuleStep | None) -> str:
    if deciding:
        return " and ".join(deciding.rule.segments)
    return "everyone else" if explanation.rules else "everyone"


def released(share: ShareStep, people: str) -> str:
    released = f"it is released to {percent(share.percentage)} of {people}"
    if share.bucket is None:
        return released
    comparison = "is below" if share.inside else "is not below"
    return f"{released}, and your bucket {share.bucket:,} {comparison} {share.threshold:,}"


def percent(percentage: Decimal) -> str:
    return f"{percentage.normalize():f}\N{NO-BREAK SPACE}%"


def steps(explanation: Explanation) -> list[str]:
    """List what was looked at, in order."""
    flag = explanation.flag
    if flag is None:
        return ["No flag has this key; unknown flags are off."]
    return [
        f"Switch: {ON_OFF[flag.enabled]}.",
        *(prerequisite(step) for step in explanation.prerequisites),
        *(rule(step) for step in explanation.rules),
        *own_share(explanation),
    ]


def own_share(explanation: Explanation) -> list[str]:
    if explanation.share is None:
        return []
    undecided = "No rule decided" if explanation.rules else "No rules"
    return [f"{undecided}: {released(explanation.share, audience(explanation, None))}."]


def prerequisite(step: PrerequisiteStep) -> str:
    return f"Requires {step.prerequisite.flag}: {'met' if step.met else 'not met'}."


def rule(step: RuleStep) -> str:
    if not step.rule.segments:
        return f"Rule {step.position}: names no segment, so it matches nobody."
    segments = " or ".join(step.rule.segments)
    return f"Rule {step.position}: you are {'in' if step.matched else 'not in'} {segments}."
