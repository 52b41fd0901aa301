"""Progressive rollouts: a share that rises by itself, stage by stage."""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from flaggate.core import stages as core
from flaggate.models.flags import Flag, Percentage
from flaggate.models.tracked import Tracked, track


@track
class Stage(Tracked):
    """A share, and how long it holds; the last one holds until the rollout is completed."""

    aggregate = "flags"
    part_of = "flag_id"

    flag = models.ForeignKey(Flag, models.CASCADE, related_name="stages", verbose_name=_("flag"))
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    percentage = Percentage(_("percentage"))
    holds = models.DurationField(
        _("holds"),
        null=True,
        blank=True,
        validators=[MinValueValidator(timedelta(seconds=1))],
        help_text=_("How long, as in “2 00:00:00” for two days; empty on the last stage."),
    )

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ("order", "pk")

    def __str__(self) -> str:
        return f"{self.percentage} %"


@track
class Rollout(Tracked):
    """That a flag's stages run, in place of its percentage.

    Which stage holds follows from ``started_at`` and now; resuming after a pause moves
    ``started_at`` on by as long as the pause was.
    """

    aggregate = "flags"
    part_of = "flag_id"

    flag = models.OneToOneField(
        Flag, models.CASCADE, related_name="rollout", verbose_name=_("flag")
    )
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)

    class Meta:
        verbose_name = _("rollout")
        verbose_name_plural = _("rollouts")

    def __str__(self) -> str:
        return f"{self.flag_id}: {self.started_at:%Y-%m-%d %H:%M}"


def schedule_of(rollout: Rollout) -> tuple[core.Stage, ...]:
    """Return the stages of a rollout with the moments from which they hold."""
    stages = rollout.flag.stages.order_by("order", "pk")
    return core.schedule(
        rollout.started_at,
        rollout.paused_at,
        [(stage.percentage, stage.holds) for stage in stages],
    )
