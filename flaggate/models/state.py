"""The one row that says which state of all flags is the current one.

Every write locks this row first and then, in the same transaction, writes its rows and gives the
row a new version and token. Readers compare the row with what they have. See
docs/explanation/propagation.md before changing any step: the order is what keeps a reader from
seeing a half-made change, and writers from a deadlock.
"""

from __future__ import annotations

import uuid
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from django.db import connections, models, router, transaction
from django.db.models import F
from django.dispatch import Signal

from flaggate.core.snapshot import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.backends.base.base import BaseDatabaseWrapper

# Sent, with ``using``, after a commit made by this very process.
committed = Signal()


class State(models.Model):
    """One row: the epoch of this database's flags, their version, and the token of the last write.

    The token tells apart two histories that reached the same version, as after a restore.
    """

    epoch = models.UUIDField(default=uuid.uuid4)
    version = models.PositiveBigIntegerField(default=0)
    token = models.UUIDField(default=uuid.uuid4)

    ID = 1

    class Meta:
        verbose_name = "state"
        verbose_name_plural = "state"

    def __str__(self) -> str:
        return f"version {self.version} of {self.epoch}"


class Observer(Protocol):
    """Who is told which flags and segments are about to be written, and which are new."""

    def touched(self, flags: Iterable[int], segments: Iterable[int]) -> None: ...

    def created(self, flags: Iterable[int], segments: Iterable[int]) -> None: ...


class Written:
    """The mark of an uncommitted flag write, kept among a transaction's on-commit callbacks.

    There it lives exactly as long as the write: a rolled back transaction or savepoint drops it.
    """

    __slots__ = ("serial", "using", "writes")
    # Written marks alive in any thread; empty in the steady state, so that asking costs nothing.
    alive: ClassVar[set[int]] = set()
    serials: ClassVar[count[int]] = count()

    def __init__(self, using: str) -> None:
        self.using = using
        self.serial = next(Written.serials)
        self.writes = 1
        Written.alive.add(id(self))

    def __del__(self) -> None:
        Written.alive.discard(id(self))

    def __call__(self) -> None:
        committed.send_robust(State, using=self.using)


def alias() -> str:
    """Return the database that flags are written to, and read from."""
    return router.db_for_write(State)


def lock(using: str) -> None:
    """Wait for all other writers; to be called first thing in a transaction.

    A write that changes nothing, because SQLite ignores SELECT … FOR UPDATE. The row is made where
    it is missing (a truncated table).
    """
    states = State.objects.using(using)
    if not states.filter(pk=State.ID).update(version=F("version")):
        states.get_or_create(pk=State.ID)
        states.filter(pk=State.ID).update(version=F("version"))
    mark(using)


def begin(using: str) -> None:
    """Lock before anything is read, unless an open ``change()`` has done so.

    On SQLite a transaction that has read can't wait for another one that writes: it fails at once.
    """
    if observer(using) is None:
        lock(using)


def bump(using: str) -> None:
    """Give the state a new version and token, in the transaction of the rows it stands for."""
    State.objects.using(using).filter(pk=State.ID).update(
        version=F("version") + 1, token=uuid.uuid4()
    )


def renew(using: str) -> None:
    """Begin a new epoch where there is no state row: a new, flushed or truncated database."""
    State.objects.using(using).get_or_create(pk=State.ID)
    transaction.on_commit(Written(using), using=using)


def read(using: str) -> Version | None:
    """Read the state row; None where it is missing. Raises DatabaseError."""
    row = (
        State.objects.using(using)
        .filter(pk=State.ID)
        .values_list("epoch", "version", "token")
        .first()
    )
    return Version(str(row[0]), row[1], str(row[2])) if row else None


def mark(using: str) -> None:
    """Note that the open transaction writes flags."""
    connection = connections[using]
    for entry in reversed(connection.run_on_commit):
        if isinstance(entry[1], Written) and entry[0] == set(connection.savepoint_ids):
            entry[1].writes += 1
            return
    transaction.on_commit(Written(using), using=using)


def uncommitted(connection: BaseDatabaseWrapper) -> tuple[Any, ...]:
    """Return what identifies the flag writes of an open transaction; empty where there is none."""
    if not Written.alive:
        return ()
    return tuple(
        (entry[1].serial, entry[1].writes)
        for entry in connection.run_on_commit
        if isinstance(entry[1], Written)
    )


def observer(using: str) -> Observer | None:
    """Return the ``change()`` that is open on this thread's connection."""
    found: Observer | None = getattr(connections[using], "flaggate_observer", None)
    return found


def observe(using: str, observer: Observer | None) -> None:
    """Set, or with None remove, the ``change()`` that is open on this thread's connection."""
    connections[using].flaggate_observer = observer  # type: ignore[attr-defined]


def touch(using: str, flags: Iterable[int] = (), segments: Iterable[int] = ()) -> None:
    """Prepare the write of flags and segments (by primary key), inside its transaction.

    Inside ``change()`` that is told; a plain ORM write bumps the state and the versions itself, and
    leaves no revision.
    """
    open_change = observer(using)
    if open_change is not None:
        mark(using)
        open_change.touched(flags, segments)
        return
    lock(using)
    bump(using)
    for model, keys in (("Flag", flags), ("Segment", segments)):
        bump_versions(model, using, keys)


def created(using: str, flags: Iterable[int] = (), segments: Iterable[int] = ()) -> None:
    """Tell an open ``change()`` of flags and segments that have just been inserted."""
    open_change = observer(using)
    if open_change is not None:
        open_change.created(flags, segments)


def bump_versions(model: str, using: str, keys: Iterable[int]) -> None:
    """Count one more version of flags or segments, and give them a new token."""
    from django.apps import apps

    objects = apps.get_model("flaggate", model)._base_manager.using(using)
    models.QuerySet.update(
        objects.filter(pk__in=list(keys)), version=F("version") + 1, token=uuid.uuid4()
    )
