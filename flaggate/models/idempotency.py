"""Answers of the HTTP API, kept for a while so that a request sent twice changes things once."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class IdempotencyKey(models.Model):
    """A write that was done, under the name that its caller gave to the request."""

    name = models.CharField(
        _("name"), max_length=64, unique=True, help_text=_("The hash of the caller and the key.")
    )
    request = models.CharField(
        _("request"), max_length=64, help_text=_("The hash of all that was asked.")
    )
    status = models.PositiveSmallIntegerField(_("status"))
    headers = models.JSONField(_("headers"), default=dict)
    body = models.TextField(_("body"))
    created = models.DateTimeField(_("created"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")

    def __str__(self) -> str:
        return self.name
