"""What a deed would do to flags: it is done, looked at, and taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import prefetch_related_objects

from flaggate import changes, store
from flaggate.admin import quarantine
from flaggate.admin.estimating import Estimate, Untold, estimate
from flaggate.admin.refusals import words
from flaggate.admin.supposing import supposed
from flaggate.changes.differences import differences
from flaggate.exceptions import ChangeRefused
from flaggate.flags import pin
from flaggate.models import Flag, Revision, state, wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from flaggate.core.snapshot import Snapshot

FLAG = Revision.Subject.FLAG
READS = tuple(name for name in wording.READS if name != "rollout")  # that one is selected


@dataclass
class Outcome:
    """What a deed would do to one flag, in words."""

    flag: Flag
    now: str
    then: str = ""
    lines: list[str] = field(default_factory=list)
    dependents: str = ""

    def tell(self, then: Flag) -> None:
        """Say what the flag would be then: what is changed is mended by that, or off."""
        self.then = wording.state(then) if self.lines else self.now


@dataclass
class Rehearsal:
    """What a deed would do to all flags, or why it would be refused."""

    outcomes: list[Outcome]
    refusal: str = ""
    estimate: Estimate | None = None
    untold: str = ""

    @property
    def changes(self) -> bool:
        """Whether there is something to confirm."""
        return not self.refusal and any(outcome.lines for outcome in self.outcomes)

    @property
    def critical(self) -> list[Flag]:
        """The critical flags that would change; all of them where that can't be told."""
        outcomes = [each for each in self.outcomes if each.lines or self.refusal]
        return [each.flag for each in outcomes if each.flag.critical]


def rehearse(request: HttpRequest, flags: list[Flag], act: Callable[[list[str]], Any]) -> Rehearsal:
    """Do it, look at it, and take it back."""
    using = state.alias()
    prefetch_related_objects(flags, *READS)
    outcomes = {flag.pk: Outcome(flag, quarantine.state(request, flag)) for flag in flags}
    rehearsal = Rehearsal(list(outcomes.values()))
    try:
        with changes.rehearse(actor=request.user, source="admin") as opened:
            opened.touched(outcomes, ())  # one reading for all of them
            act([flag.key for flag in flags])
            for subject, pk, before, after in opened.check():
                if subject == FLAG and before and after:
                    outcomes[pk].lines = differences(before[2], after[2])
            for flag in Flag.objects.using(using).prefetch_related(*READS).filter(pk__in=outcomes):
                outcomes[flag.pk].tell(flag)
            then = store.read(using, flags=outcomes, segments=()) if len(flags) == 1 else None
    except ChangeRefused as refusal:
        rehearsal.refusal = words(refusal)
        return rehearsal
    if then and rehearsal.changes:
        try:
            rehearsal.estimate = _estimate(pin(request).snapshot, then, flags[0].key)
        except Untold as why_not:
            rehearsal.untold = str(why_not)
    return rehearsal


def _estimate(before: Snapshot, then: store.Definitions, key: str) -> Estimate | None:
    after = supposed(before, then)
    if not any(each.flags[key].enabled for each in (before, after) if key in each.flags):
        return None
    return estimate(before, after, key)
