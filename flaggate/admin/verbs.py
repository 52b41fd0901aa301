"""What can be done to flags without a form of their own: turn on and off, set the share, …"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from flaggate.admin.fields import PercentageField, PlanField
from flaggate.changes import rollouts, together
from flaggate.models import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flaggate.models import Flag

OFF = ("turn-off", "archive")  # whatever the flag was
PARTIAL = ("toggle_flag", "rollout_flag", "archive_flag", "revert_flag")


@dataclass(frozen=True, slots=True)
class Verb:
    """A deed: whom it is allowed, which flags it fits, what it asks for, and how it is done."""

    name: str  # in addresses
    label: Any
    permissions: tuple[str, ...]  # any of these, or that to change all of a flag
    fits: Callable[[Flag], bool]
    act: Callable[..., Any]  # takes keys, and what is asked for
    value: Callable[[Flag], forms.Field] | None = None
    while_off: tuple[str, ...] = ()  # all of these as well, because it turns the flag on

    def permitted(self, user: Any, flag: Flag | None = None) -> bool:
        """Whether a user may do this, to a flag or at all; writing looks at the very change."""
        if _has(user, "change_flag"):
            return True
        more = () if flag is None or flag.enabled else self.while_off
        return any(_has(user, name) for name in self.permissions) and all(
            _has(user, name) for name in more
        )


def _has(user: Any, permission: str) -> bool:
    held: bool = user.has_perm(f"flaggate.{permission}")
    return held


def verbs_for(user: Any, flag: Flag, broken: bool = False) -> Iterator[Verb]:
    """Find what a user may do to a flag as it is; to a broken one, only what leaves it off."""
    return (
        verb
        for verb in VERBS.values()
        if verb.permitted(user, flag) and verb.fits(flag) and not (broken and _refused(verb, flag))
    )


def _refused(verb: Verb, broken: Flag) -> bool:
    return not (verb.name in OFF or (verb.name == "restore" and not broken.enabled))


def _off(flag: Flag) -> bool:
    return not flag.archived and not flag.enabled


def _on(flag: Flag) -> bool:
    return not flag.archived and flag.enabled


def _rests(flag: Flag) -> bool:
    return not flag.archived and wording.rollout_of(flag) is None


def _moves(flag: Flag) -> bool:
    rollout = wording.rollout_of(flag)
    if rollout is None or rollout.paused_at is not None:
        return False
    return not wording.at_last_stage(flag, timezone.now())


def _paused(flag: Flag) -> bool:
    rollout = wording.rollout_of(flag)
    return rollout is not None and rollout.paused_at is not None


def _rolls_out(flag: Flag) -> bool:
    return wording.rollout_of(flag) is not None


def _share(flag: Flag) -> forms.Field:
    return PercentageField(
        label=_("Share"),
        help_text=_("Percent of everyone else, whom no rule catches: 0 to 100."),
        min_value=0,
        max_value=100,
        max_digits=6,
        decimal_places=3,
        initial=flag.percentage,
        widget=forms.NumberInput({"class": "flaggate-share"}),
    )


def _plan(flag: Flag) -> forms.Field:
    return PlanField(
        label=_("Stages"),
        help_text=_("Percent, and for how long: 5:1d,25:12h,100. The last one stays."),
        initial=list(flag.stages.all()) or PlanField.SUGGESTED,
        widget=forms.TextInput({"class": "vTextField", "spellcheck": "false"}),
    )


def _each(act: Callable[..., Flag]) -> Callable[..., None]:
    def act_on_all(keys: Iterable[str], *values: Any) -> None:
        for key in keys:
            act(key, *values)

    return act_on_all


_TOGGLE, _ROLLOUT, _ARCHIVE = ("toggle_flag",), ("rollout_flag",), ("archive_flag",)

VERBS = {
    verb.name: verb
    for verb in (
        Verb("turn-on", _("Turn on"), _TOGGLE, _off, together.enable),
        Verb("turn-off", _("Turn off"), _TOGGLE, _on, together.disable),
        Verb("share", _("Set the share"), _ROLLOUT, _rests, together.rollout, _share),
        Verb(
            "start", _("Start a rollout"), _ROLLOUT, _rests, _each(rollouts.start), _plan, _TOGGLE
        ),
        Verb("pause", _("Pause the rollout"), _ROLLOUT, _moves, _each(rollouts.pause)),
        Verb("resume", _("Resume the rollout"), _ROLLOUT, _paused, _each(rollouts.resume)),
        Verb("stop", _("Stop the rollout here"), _ROLLOUT, _rolls_out, _each(rollouts.stop)),
        Verb("complete", _("Complete the rollout"), _ROLLOUT, _rolls_out, _each(rollouts.complete)),
        Verb("archive", _("Archive"), _ARCHIVE, lambda flag: not flag.archived, together.archive),
        Verb("restore", _("Restore"), _ARCHIVE, lambda flag: flag.archived, together.restore),
        Verb("undo", _("Undo"), PARTIAL, lambda flag: False, together.undo),
    )
}
