"""API keys: what machines show instead of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime


class ApiKey(models.Model):
    """A secret that a machine holds, and what it may do; of the secret only the digest is stored.

    Rows are kept after they expire or are revoked: they say who could do what, and when.
    """

    class Scope(models.TextChoices):
        EVALUATE_CLIENT = "evaluate:client", _("evaluate what browsers may see")
        EVALUATE_SERVER = "evaluate:server", _("evaluate all flags, for anybody")
        MANAGE_TOGGLE = "manage:toggle", _("turn flags on and off, and change their share")
        MANAGE_WRITE = "manage:write", _("write all of flags and segments")

    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=20, unique=True, editable=False)
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    # As that of a revision: users may live in another database.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        editable=False,
        related_name="+",
        verbose_name=_("created by"),
    )
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def usable(self, now: datetime) -> bool:
        """Tell whether it opens anything at a moment: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
