"""Rows whose every write, on whatever way, reaches all processes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from django.db import models, router, transaction
from django.db.models import signals
from model_utils.models import TimeStampedModel

from flaggate.models import state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Aggregate = Literal["flags", "segments"]
T = TypeVar("T", bound="Tracked")


class TrackedQuerySet(models.QuerySet[Any]):
    """Touches what it updates or creates in bulk; ``delete()`` sends signals by itself."""

    @property
    def db(self) -> str:
        """The database that flags are written to, also for reads: a replica may lag behind."""
        queryset: Any = self
        instance = queryset._hints.get("instance")
        related = instance._state.db if instance is not None else None
        return queryset._db or related or state.alias()

    def update(self, **changes: Any) -> int:
        self.model.before_update(changes)
        with transaction.atomic(using=self.db, savepoint=False):
            state.begin(self.db)
            self._touch(set(self.values_list(self.model.part_of, flat=True).order_by()))
            return super().update(**changes)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        rows: Sequence[Any] = list(objs)
        with transaction.atomic(using=self.db, savepoint=False):
            self._touch({getattr(row, self.model.part_of) for row in rows} - {None})
            created = super().bulk_create(rows, *args, **options)
            if self.model.part_of == "pk":
                keys = self.model._base_manager.using(self.db).filter(
                    key__in=[row.key for row in rows]
                )
                state.created(
                    self.db, **{self.model.aggregate: set(keys.values_list("pk", flat=True))}
                )
            return created

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def _touch(self, keys: set[int]) -> None:
        state.touch(self.db, **{self.model.aggregate: keys})


class Tracked(models.Model):
    """A row of a flag or a segment.

    ``aggregate`` names the whole it belongs to, ``part_of`` the attribute with that whole's id.
    """

    aggregate: ClassVar[Aggregate]
    part_of: ClassVar[str]

    objects = TrackedQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"  # so that following a foreign key reads the same database

    def save(self, *args: Any, **options: Any) -> None:
        # The receiver of pre_save touches the state; both must commit together.
        using = options.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using, savepoint=False):
            super().save(*args, **options)

    save.alters_data = True  # type: ignore[attr-defined]

    @classmethod
    def before_update(cls, changes: dict[str, Any]) -> None:
        """Look at, or add to, what ``QuerySet.update()`` is about to write."""


class TrackedTimes(Tracked, TimeStampedModel):
    """A tracked row that knows when it was created and modified."""

    class Meta(TimeStampedModel.Meta):
        abstract = True


def touch_row(instance: Any, using: str, raw: bool = False, **_: Any) -> None:
    """Touch what a row belongs to; the receiver of pre_save and pre_delete."""
    key = getattr(instance, instance.part_of)
    state.touch(using, **{instance.aggregate: {key} - {None}})
    if instance.part_of == "pk" and key is not None and not raw:
        # The instance may have been read before others wrote: it must not bring its version back.
        stored = type(instance)._base_manager.using(using).filter(pk=key)
        now = stored.values_list("version", "token").first()
        instance.version, instance.token = now or (0, uuid.uuid4())


def note_created(instance: Any, created: bool, using: str, **_: Any) -> None:
    """Report a new flag or segment; the receiver of post_save."""
    if created:
        state.created(using, **{instance.aggregate: {instance.pk}})


def track(model: type[T]) -> type[T]:
    """Connect the receivers of a tracked model."""
    uid = f"flaggate.{model.__name__}"
    signals.pre_save.connect(touch_row, sender=model, dispatch_uid=uid)
    signals.pre_delete.connect(touch_row, sender=model, dispatch_uid=uid)
    if model.part_of == "pk":
        signals.post_save.connect(note_created, sender=model, dispatch_uid=uid)
    return model
