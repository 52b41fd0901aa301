"""What was asked: counts of evaluations."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from flaggate.models.fields import KeyField


class Usage(models.Model):
    """How often a flag answered with a variant within one hour.

    A boolean flag's answers are counted as ``on`` and ``off``. No foreign key: counting must not
    wait for a write of the flag, nor vanish with it.
    """

    flag = KeyField(_("flag"), max_length=100)
    variant = KeyField(_("variant"), max_length=100, blank=True)
    hour = models.DateTimeField(_("hour"))
    count = models.PositiveBigIntegerField(_("count"), default=0)

    class Meta:
        verbose_name = _("usage")
        verbose_name_plural = _("usage")
        ordering = ("-hour", "flag", "variant")
        constraints = (
            models.UniqueConstraint(fields=("flag", "variant", "hour"), name="flaggate_usage_once"),
        )
        indexes = (models.Index(fields=("flag", "-hour"), name="flaggate_usage_last"),)

    def __str__(self) -> str:
        return f"{self.flag} {self.variant} {self.hour:%Y-%m-%d %H}: {self.count}"
