"""An explanation as a tree to be shown: each step with whether it was met, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from flaggate.core import bucketing
from flaggate.management import steps as words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaggate.core.explanation import Explanation, RuleStep, SegmentStep, ShareStep

    Section = tuple[str, list["Step"]]


@dataclass(frozen=True, slots=True)
class Step:
    """One step; ``met`` is None where it was not asked, ``share`` where a bucket can be drawn."""

    met: bool | None
    words: str
    steps: tuple[Step, ...] = ()
    share: ShareStep | None = None

    @property
    def buckets(self) -> int:
        """How many buckets there are: the length of the drawing."""
        return bucketing.BUCKETS


def sections(explanation: Explanation) -> Iterator[Section]:
    """Lay an explanation out: prerequisites, rules, everyone else."""
    if explanation.prerequisites:
        yield (
            _("Prerequisites"),
            [Step(each.met, words.prerequisite(each)) for each in explanation.prerequisites],
        )
    if explanation.rules:
        rules = [_rule(each) for each in explanation.rules]
        rest = words.not_asked(explanation)
        yield _("Rules"), [*rules, Step(None, rest)] if rest else rules
    if explanation.share:
        yield words.everyone(explanation), [_share(explanation.share)]


def _rule(step: RuleStep) -> Step:
    below = tuple(_segment(each) for each in step.segments)
    if step.share:
        below = (*below, _share(step.share))
    return Step(step.matched, f"{step.position}. {words.rule(step)}", below)


def _segment(step: SegmentStep) -> Step:
    conditions = tuple(Step(each.met, words.condition(each)) for each in step.conditions)
    return Step(step.contains, words.segment(step), conditions)


def _share(step: ShareStep) -> Step:
    return Step(step.inside, words.share(step), share=step if step.bucket is not None else None)
