"""Segments, their conditions and their members."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.validators import RegexValidator
from django.db import models, router
from django.db.models import ProtectedError, signals
from django.utils.translation import gettext_lazy as _

from flaggate.core import validation
from flaggate.core.messages import Message, joined
from flaggate.core.operators import OPERATORS
from flaggate.exceptions import ChangeRefused
from flaggate.models.fields import KeyField
from flaggate.models.revisions import named
from flaggate.models.tracked import Tracked, TrackedTimes, track


@track
class Segment(TrackedTimes):
    """A named, reusable audience. One that is in use can't be deleted, by any route."""

    class Match(models.TextChoices):
        ALL = "all", _("all conditions")
        ANY = "any", _("any condition")

    aggregate = "segments"
    part_of = "pk"

    key = KeyField(
        _("key"),
        max_length=validation.MAX_SEGMENT_KEY,
        unique=True,
        validators=[
            RegexValidator(
                rf"\A{validation.KEY.pattern}\Z",
                _("Use letters, digits, “.”, “_” and “-”, first a letter or digit."),
            )
        ],
    )
    name = models.CharField(_("name"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    match = models.CharField(_("match"), max_length=3, choices=Match.choices, default=Match.ALL)
    on_demand = models.BooleanField(
        _("on demand"),
        default=False,
        help_text=_(
            "Look members up in the database when a request needs them, instead of keeping all of "
            "them in memory: for millions of members."
        ),
    )
    version = models.PositiveIntegerField(_("version"), default=0, editable=False)
    token = models.UUIDField(_("token"), default=uuid.uuid4, editable=False)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ("key",)
        permissions = (
            ("import_members", "Can add and remove members of segments"),
            ("revert_segment", "Can revert segments"),
        )

    def __str__(self) -> str:
        return self.name or self.key

    def save(self, *args: Any, **options: Any) -> None:
        using = options.get("using") or router.db_for_write(Segment, instance=self)
        stored = Segment.objects.using(using).filter(pk=self.pk).values_list("key", flat=True)
        if (key := stored.first()) is not None and key != self.key:
            self.before_update({"key": self.key})
        super().save(*args, **options)

    save.alters_data = True  # type: ignore[attr-defined]

    @classmethod
    def before_update(cls, changes: dict[str, Any]) -> None:
        if "key" in changes:
            raise ChangeRefused(
                Message(
                    "key: a segment's key never changes: conditions of other segments name it. "
                    "Change its name, or create a new segment."
                )
            )


@track
class Condition(Tracked):
    """An attribute, an operator, and values of which one must match."""

    aggregate = "segments"
    part_of = "segment_id"

    segment = models.ForeignKey(
        Segment, models.CASCADE, related_name="conditions", verbose_name=_("segment")
    )
    attribute = models.CharField(
        _("attribute"),
        max_length=validation.MAX_NAME,
        blank=True,
        help_text=_("Such as email, groups or is_staff; empty for “in segment”."),
    )
    operator = models.CharField(
        _("operator"),
        max_length=20,
        choices=[(name, _(operator.label)) for name, operator in OPERATORS.items()],
    )
    values = models.JSONField(
        _("values"), default=list, blank=True, help_text=_("One that matches is enough.")
    )
    negate = models.BooleanField(_("negate"), default=False)
    ignore_case = models.BooleanField(_("ignore case"), default=False)

    class Meta:
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        ordering = ("pk",)

    def __str__(self) -> str:
        negation = "not " if self.negate else ""
        return f"{self.attribute} {negation}{self.operator} {self.values}"


@track
class SegmentMember(Tracked):
    """A targeting key that is in a segment, or out of it, whatever its conditions say."""

    aggregate = "segments"
    part_of = "segment_id"

    segment = models.ForeignKey(
        Segment, models.CASCADE, related_name="members", verbose_name=_("segment")
    )
    targeting_key = KeyField(_("targeting key"), max_length=200)
    excluded = models.BooleanField(
        _("excluded"), default=False, help_text=_("Out, whatever else says in.")
    )

    class Meta:
        verbose_name = _("segment member")
        verbose_name_plural = _("segment members")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("segment", "targeting_key", "excluded"), name="flaggate_segment_member"
            ),
        )

    def __str__(self) -> str:
        return self.targeting_key


class SegmentInUse(ProtectedError):
    """A segment that flags or other segments use can't be deleted."""


def users_of(segment: Segment, using: str) -> list[Message]:
    """Return what uses a segment: the keys of flags and of other segments."""
    flags = segment.rules.using(using).values_list("flag__key", flat=True)
    nesting = Condition.objects.using(using).filter(operator="in_segment")
    segments = [
        key
        for key, values in nesting.values_list("segment__key", "values")
        if isinstance(values, list) and segment.key in values
    ]
    return [
        *(named("flag", key) for key in sorted(set(flags))),
        *(named("segment", key) for key in segments),
    ]


def _refuse_while_used(instance: Segment, using: str, **_: Any) -> None:
    if users := users_of(instance, using):
        raise SegmentInUse(
            Message(
                "The segment %(key)r can't be deleted: it is used by %(users)s. "
                "Remove it there first.",
                key=instance.key,
                users=joined(users, ", "),
            ),
            {instance},
        )


signals.pre_delete.connect(
    _refuse_while_used, sender=Segment, dispatch_uid="flaggate.segment_in_use"
)
