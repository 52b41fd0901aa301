"""A running rollout as a line of stages: done, now, next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from flaggate.admin.showing import bar
from flaggate.models import wording
from flaggate.templatetags.flaggate_moments import when

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.utils.functional import Promise
    from django.utils.safestring import SafeString

    from flaggate.models import Flag, Stage

SIGNS = {"done": "✓", "now": "▶", "next": "○"}
WORDS = {"done": _("done"), "now": _("now"), "next": _("next")}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage on the line; ``begins`` is None where a pause keeps it from being known."""

    name: str
    stage: Stage
    begins: datetime | None

    @property
    def sign(self) -> str:
        """A sign beside the word, for the eye."""
        return SIGNS[self.name]

    @property
    def word(self) -> str | Promise:
        """Done, now or next."""
        return WORDS[self.name]

    @property
    def share(self) -> SafeString:
        """The share, as a bar and a number."""
        return bar(self.stage.percentage)

    @property
    def moment(self) -> SafeString | str:
        """From when the stage holds."""
        return when(self.begins) if self.begins else ""

    @property
    def holds(self) -> str:
        """For how long it holds; empty for ever."""
        return wording.duration(self.stage.holds) if self.stage.holds else ""


def timeline(flag: Flag, now: datetime) -> Iterator[Step]:
    """Lay out the stages of a flag's rollout; nothing where none runs."""
    rollout, held = wording.rollout_of(flag), wording.stage(flag, now)
    if rollout is None:
        return
    begins = rollout.started_at
    for position, stage in enumerate(flag.stages.all()):
        known = held is None or position <= held or rollout.paused_at is None
        yield Step(_name(position, held), stage, begins if known else None)
        if stage.holds is None:
            return
        begins += stage.holds


def _name(position: int, held: int | None) -> str:
    if held is None or position > held:
        return "next"
    return "now" if position == held else "done"
