"""Flags, and what belongs to one: variants, rules, prerequisites."""

from __future__ import annotations

import secrets
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, router
from django.db.models import F, signals
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from flaggate.core import validation
from flaggate.core.messages import Message
from flaggate.exceptions import ChangeRefused
from flaggate.models.fields import KeyField
from flaggate.models.segments import Segment
from flaggate.models.state import touch
from flaggate.models.tracked import Tracked, TrackedTimes, track

if TYPE_CHECKING:
    from collections.abc import Collection

valid_key = RegexValidator(
    rf"\A{validation.KEY.pattern}\Z",
    _("Use letters, digits, “.”, “_” and “-”, first a letter or digit, at most 100 characters."),
)


def new_salt() -> str:
    """Return the random text that decides who is in which bucket of one flag."""
    return secrets.token_hex(8)


class Percentage(models.DecimalField):  # type: ignore[type-arg]
    """Percent, 0 to 100, with three decimals."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("max_digits", 6)
        options.setdefault("decimal_places", 3)
        options.setdefault("validators", [MinValueValidator(0), MaxValueValidator(100)])
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.DecimalField", args, options


@track
class Flag(TrackedTimes):
    """A feature that is released apart from its deployment."""

    class Kind(models.TextChoices):
        RELEASE = "release", _("release")
        EXPERIMENT = "experiment", _("experiment")
        OPERATIONAL = "operational", _("operational")
        PERMISSION = "permission", _("permission")

    aggregate = "flags"
    part_of = "pk"

    key = KeyField(
        _("key"),
        max_length=100,
        unique=True,
        validators=[valid_key],
        help_text=_("The name used in code, best in snake_case. It can never be changed."),
    )
    description = models.TextField(_("description"), blank=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.RELEASE)
    enabled = models.BooleanField(
        _("enabled"),
        default=False,
        help_text=_("The master switch: off beats everything else."),
    )
    percentage = Percentage(
        _("percentage"),
        default=Decimal(100),
        help_text=_("The share of everyone else, whom no rule caught: 0 to 100 %."),
    )
    bucket_by = models.CharField(
        _("bucket by"),
        max_length=validation.MAX_NAME,
        blank=True,
        help_text=_(
            "The attribute that is hashed: empty for the targeting key, “visitor” so that a "
            "browser keeps its answer through login, or any other, such as an organisation's id."
        ),
    )
    salt = models.CharField(_("salt"), max_length=100, default=new_salt, editable=False)
    off_variant = KeyField(
        _("off variant"),
        max_length=100,
        blank=True,
        help_text=_("The variant for those outside; empty for the caller's default."),
    )
    active_from = models.DateTimeField(_("active from"), null=True, blank=True)
    active_until = models.DateTimeField(_("active until"), null=True, blank=True)
    client_visible = models.BooleanField(
        _("client visible"),
        default=False,
        help_text=_("Browsers and apps may see this flag."),
    )
    critical = models.BooleanField(
        _("critical"), default=False, help_text=_("Changes ask for the typed key.")
    )
    owner = models.CharField(_("owner"), max_length=200, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    permanent = models.BooleanField(
        _("permanent"), default=False, help_text=_("Meant to stay, not to be removed.")
    )
    expires_on = models.DateField(
        _("expires on"),
        null=True,
        blank=True,
        help_text=_("A reminder to remove the flag; it never changes an answer."),
    )
    overridable = models.BooleanField(
        _("overridable"),
        default=True,
        help_text=_("People with that permission may force its answer for themselves."),
    )
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True, editable=False)
    first_enabled_at = models.DateTimeField(
        _("first enabled at"), null=True, blank=True, editable=False
    )
    version = models.PositiveIntegerField(_("version"), default=0, editable=False)
    token = models.UUIDField(_("token"), default=uuid.uuid4, editable=False)

    class Meta:
        verbose_name = _("flag")
        verbose_name_plural = _("flags")
        ordering = ("key",)
        # Each allows one kind of change to those who may not change all of a flag.
        permissions = (
            ("toggle_flag", "Can turn flags on and off"),
            ("rollout_flag", "Can change the percentage and the rollout of flags"),
            ("archive_flag", "Can archive and restore flags"),
            ("revert_flag", "Can revert flags"),
            ("evaluate_flag", "Can see what flags answer for others"),
            ("override_flag", "Can override flags for themselves"),
        )

    def __str__(self) -> str:
        return self.key

    def save(self, *args: Any, **options: Any) -> None:
        self._guard_key(options.get("using") or router.db_for_write(Flag, instance=self))
        if self.enabled and self.first_enabled_at is None:
            self.first_enabled_at = timezone.now()
            if (fields := options.get("update_fields")) is not None:
                options["update_fields"] = {*fields, "first_enabled_at"}
        super().save(*args, **options)

    save.alters_data = True  # type: ignore[attr-defined]

    def _guard_key(self, using: str) -> None:
        stored = Flag.objects.using(using).filter(pk=self.pk).values_list("key", flat=True).first()
        if stored is not None and stored != self.key:
            raise ChangeRefused(
                Message(
                    "key: %(old)r can't become %(new)r: code asks for the old one. "
                    "Create a new flag instead.",
                    old=stored,
                    new=self.key,
                )
            )
        if stored is None and Tombstone.objects.using(using).filter(key=self.key).exists():
            raise ChangeRefused(
                Message(
                    "key: %(key)r belonged to a flag that was deleted, and old code may still "
                    "ask for it. Choose another key.",
                    key=self.key,
                )
            )

    @classmethod
    def before_update(cls, changes: dict[str, Any]) -> None:
        if "key" in changes:
            raise ChangeRefused(
                Message("key: a flag's key never changes. Create a new flag instead.")
            )
        if changes.get("enabled"):
            changes.setdefault("first_enabled_at", Coalesce(F("first_enabled_at"), Now()))

    @property
    def archived(self) -> bool:
        """Whether the flag is retired: off, hidden by default, and restorable."""
        return self.archived_at is not None


@track
class Variant(Tracked):
    """One outcome of a multivariate flag."""

    aggregate = "flags"
    part_of = "flag_id"

    flag = models.ForeignKey(Flag, models.CASCADE, related_name="variants", verbose_name=_("flag"))
    key = KeyField(_("key"), max_length=100, validators=[valid_key])
    value = models.JSONField(
        _("value"),
        blank=True,  # an empty text, list or object is a value, too
        help_text=_("JSON: “compact” in quotes, 10, 10.0, true, or an object."),
    )
    weight = models.PositiveIntegerField(
        _("weight"),
        default=1,
        validators=[MaxValueValidator(validation.MAX_WEIGHT)],
        help_text=_("Its part of the sum of all weights; not used where a rule names a variant."),
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ("order", "key")
        constraints = (
            models.UniqueConstraint(fields=("flag", "key"), name="flaggate_variant_key"),
        )

    def __str__(self) -> str:
        return self.key

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        super().clean_fields(exclude)
        if self.value is None and "value" not in (exclude or ()):
            raise ValidationError({"value": _("Null is no value. Give a text, a number, …")})


@track
class Rule(Tracked):
    """Of the subjects in any of these segments, this share gets this variant."""

    aggregate = "flags"
    part_of = "flag_id"

    flag = models.ForeignKey(Flag, models.CASCADE, related_name="rules", verbose_name=_("flag"))
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    segments = models.ManyToManyField(
        Segment,
        related_name="rules",
        verbose_name=_("segments"),
        help_text=_("Any of these. A rule without segments matches nobody."),
    )
    percentage = Percentage(_("percentage"), default=Decimal(100))
    variant = KeyField(
        _("variant"),
        max_length=100,
        blank=True,
        help_text=_("The key of the variant to serve; empty to split by weights."),
    )

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ("order", "pk")

    def __str__(self) -> str:
        return f"{self.flag_id}: {self.order}"


@track
class Prerequisite(Tracked):
    """Another flag that must be active, or serve a given variant, first."""

    aggregate = "flags"
    part_of = "flag_id"

    flag = models.ForeignKey(
        Flag, models.CASCADE, related_name="prerequisites", verbose_name=_("flag")
    )
    required = models.ForeignKey(
        Flag, models.PROTECT, related_name="required_by", verbose_name=_("required flag")
    )
    variant = KeyField(
        _("variant"),
        max_length=100,
        blank=True,
        help_text=_("The variant it must serve; empty where being active is enough."),
    )

    class Meta:
        verbose_name = _("prerequisite")
        verbose_name_plural = _("prerequisites")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("flag", "required"), name="flaggate_prerequisite_once"),
        )

    def __str__(self) -> str:
        return f"{self.flag_id} → {self.required_id}"


class Tombstone(models.Model):
    """The key of a deleted flag that was once enabled: old code may still ask for it."""

    key = KeyField(_("key"), max_length=100, unique=True)
    deleted_at = models.DateTimeField(_("deleted at"), default=timezone.now)

    class Meta:
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")

    def __str__(self) -> str:
        return self.key


def _rule_segments_changed(
    instance: Rule | Segment, action: str, using: str, pk_set: set[int] | None, **_: Any
) -> None:
    if not action.startswith("pre_"):
        return
    if isinstance(instance, Rule):
        touch(using, flags={instance.flag_id})
        return
    rules = Rule.objects.using(using)
    rules = rules.filter(segments=instance) if pk_set is None else rules.filter(pk__in=pk_set)
    touch(using, flags=set(rules.values_list("flag_id", flat=True)))


def _bury(instance: Flag, using: str, **_: Any) -> None:
    if instance.first_enabled_at or instance.enabled:
        Tombstone.objects.using(using).get_or_create(key=instance.key)


signals.m2m_changed.connect(
    _rule_segments_changed, sender=Rule.segments.through, dispatch_uid="flaggate.rule_segments"
)
signals.pre_delete.connect(_bury, sender=Flag, dispatch_uid="flaggate.tombstone")
