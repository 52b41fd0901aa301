"""``flags explain``: why a subject gets what it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation

from flaggate.exceptions import UnknownFlag
from flaggate.flags import flags_for
from flaggate.management import explanations, keys, steps, subjects, tables
from flaggate.management.answers import Answer
from flaggate.store import store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaggate.core.explanation import Explanation, RuleStep
    from flaggate.management.answers import Options, Terminal

arguments = subjects.arguments


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
    answer = explanation.evaluation
    yield f"{answer.flag} is {'active' if answer.active else 'off'} for {subject}"
    yield from tables.pairs(
        [
            ("value", steps.value(answer)),
            ("reason", f"{answer.reason}: {steps.why(explanation)}"),
            ("broken", steps.broken(explanation)),
        ]
    )
    if explanation.prerequisites:
        yield from ("", "Prerequisites")
        for prerequisite in explanation.prerequisites:
            yield f"  {_met(prerequisite.met)}{steps.prerequisite(prerequisite)}"
    if explanation.rules:
        yield from ("", "Rules")
        for rule in explanation.rules:
            yield from _rule(rule)
    if rest := steps.not_asked(explanation):
        yield f"  {rest}"
    if explanation.share:
        yield from ("", steps.everyone(explanation), f"  {steps.share(explanation.share)}")


def _rule(step: RuleStep) -> Iterator[str]:
    yield f"  {step.position}. {steps.rule(step)}"
    for segment in step.segments:
        yield f"     {steps.segment(segment)}"
        for condition in segment.conditions:
            yield f"       {_met(condition.met)}{steps.condition(condition)}"
    if step.share:
        yield f"     {steps.share(step.share)}"


def _met(met: bool) -> str:
    return "met      " if met else "not met  "
