"""What was changed: who, when, from where, why, before and after."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from flaggate.core.messages import Message
from flaggate.models.fields import KeyField

SEES_KEYS = ("view_apikey", "change_apikey")  # the permissions of which one is enough


class RevisionQuerySet(models.QuerySet["Revision"]):
    """Revisions, and who may read which."""

    def readable_by(self, actor: Any) -> RevisionQuerySet:
        """Leave out those of API keys where an actor may not see keys."""
        if any(actor.has_perm(f"flaggate.{name}") for name in SEES_KEYS):
            return self
        return self.exclude(subject=Revision.Subject.KEY)


class Revision(models.Model):
    """One recorded change of a flag, a segment or an API key as a whole."""

    class Subject(models.TextChoices):
        FLAG = "flag", _("flag")
        SEGMENT = "segment", _("segment")
        KEY = "key", _("API key")

    subject = models.CharField(_("subject"), max_length=10, choices=Subject.choices)
    key = KeyField(_("key"), max_length=120)
    version = models.PositiveIntegerField(_("version"))
    created = models.DateTimeField(_("created"), default=timezone.now, db_index=True)
    # Without a constraint: users may live in another database. DO_NOTHING, because Django would
    # look there for the revisions of a user who is deleted. The name is what is shown.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        verbose_name=_("actor"),
    )
    actor_name = models.CharField(_("actor name"), max_length=200, blank=True)
    source = models.CharField(
        _("source"), max_length=20, help_text=_("admin, command, api, rollout, code …")
    )
    comment = models.TextField(_("comment"), blank=True)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)

    objects = RevisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ("-pk",)
        indexes = (models.Index(fields=("subject", "key", "-id"), name="flaggate_revision_of"),)

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"


def named(subject: str, key: str) -> Message:
    """Name a flag or segment as refusals do: "flag new_checkout"."""
    if subject == "flag":
        return Message("flag %(key)s", key=key)
    return Message("segment %(key)s", key=key)


def signed(actor: Any) -> dict[str, Any]:
    """Return what a revision keeps of who made it: a user, an API key, or None for the system."""
    return {
        "actor_id": actor.pk if isinstance(actor, get_user_model()) else None,
        "actor_name": actor.get_username() if actor else "",
    }
