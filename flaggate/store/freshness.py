"""Which snapshot this process answers from, and when it looks for a newer one.

Evaluation never waits for a database: at most once per MAX_STALENESS one thread reads one row,
all others go on with what there is. See docs/explanation/propagation.md.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connections, transaction
from django.dispatch import Signal

from flaggate import conf
from flaggate.core.snapshot import EMPTY, Snapshot
from flaggate.models import state
from flaggate.store import bootstrap
from flaggate.store.loaded import Loaded

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


logger = logging.getLogger("flaggate")

FIRST_LOAD = 2.0  # seconds that a thread waits for the loader while there is no snapshot
LONGEST_BACKOFF = 2.0  # seconds between attempts while the database is gone
LOG_INTERVAL = 60.0  # seconds between two log records of the same failure
MOST_REPORTED = 20  # broken flags of one load that are logged

CONSISTENT_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
SERVED = {"database": "the last known flags", "bootstrap": "those of the bootstrap file"}
BEGIN_LOAD = {"postgresql": CONSISTENT_READ, "mysql": CONSISTENT_READ}


# Sent when a look at the database brought news: other flags, whoever changed them, or the first of
# several failures, or their end. Arguments: ``before`` and ``after``, which are snapshots, and
# ``error``, which is empty if all is well. What an open transaction has written is no news yet.
refreshed = Signal()


class Store:
    """The snapshot of this process, and the clock that keeps it fresh."""

    def __init__(self) -> None:
        self.loaded = Loaded()
        self.error = ""
        self.failures = 0
        self.loads = 0
        self.checked_at: datetime | None = None
        self.reset_lock()
        self._bootstrapped = False  # whether the file has been tried
        self._due = 0.0  # monotonic seconds; the next look at the state row
        self._commits = self._seen = 0  # made by this process, and how many the snapshot has
        self._logged_at = -LOG_INTERVAL

    @property
    def snapshot(self) -> Snapshot | None:
        """The flags that this process answers from; None while there are none yet."""
        return self.loaded.snapshot

    def reset_lock(self) -> None:
        """Forget who is loading; a forked child has no such thread."""
        self._lock = threading.Lock()

    def committed(self) -> None:
        """Look at the state row before the next answer: this process has just changed it."""
        self._commits += 1

    def forget(self) -> None:
        """Drop the snapshot, as if the process had just started."""
        self.loaded = Loaded()
        self._bootstrapped = False
        self._due = 0.0

    def due(self) -> bool:
        """Whether the next ``current()`` will look at the database. Costs 0.1 µs."""
        return (
            time.monotonic() >= self._due
            or self._commits != self._seen
            or bool(state.Written.alive)
        )

    def current(self) -> Snapshot:
        """Return the snapshot to answer from, after a look at the database if one is due."""
        own = self.written()
        if own is not None:
            return own
        if time.monotonic() >= self._due or self._commits != self._seen:
            self._refresh()
        return self.snapshot or self._unpublished() or EMPTY

    def written(self) -> Snapshot | None:
        """Return this transaction's own snapshot if it has written flags, otherwise None."""
        if not state.Written.alive or _in_event_loop():
            return None
        connection = connections[state.alias()]
        return self._local(connection) if state.uncommitted(connection) else None

    def _unpublished(self) -> Snapshot | None:
        """Load inside a transaction, where nothing may be published, for want of a snapshot."""
        if _in_event_loop():
            return None
        connection = connections[state.alias()]
        return self._local(connection) if connection.in_atomic_block else None

    def _local(self, connection: BaseDatabaseWrapper) -> Snapshot | None:
        known, writes = self.loaded, state.uncommitted(connection)
        kept: Snapshot | None
        kept_writes, kept = getattr(connection, "flaggate_snapshot", (None, None))
        if conf.get().MAX_STALENESS is None and kept_writes == writes:
            return kept
        try:
            # A savepoint: where the tables are missing, PostgreSQL's transaction must survive.
            with transaction.atomic(using=connection.alias):
                version = state.read(connection.alias)
                if kept is None or kept_writes != writes or kept.version != version:
                    # Of what is published, and never of what was rolled back since.
                    found = known.read(connection.alias, version)
                    kept = known.followed_by(found, version).snapshot
        except Exception as error:
            self._report(error)
            return None
        connection.flaggate_snapshot = (writes, kept)  # type: ignore[attr-defined]
        return kept

    def _refresh(self) -> None:
        urgent = (
            self.snapshot is None
            or self._commits != self._seen
            or conf.get().MAX_STALENESS == 0  # every request looks, also beside another one
        )
        if not self._lock.acquire(timeout=FIRST_LOAD if urgent else 0):
            return
        try:
            if time.monotonic() >= self._due or self._commits != self._seen:
                self._look()
        finally:
            self._lock.release()

    def _look(self) -> None:
        if _in_event_loop():
            return
        connection = connections[state.alias()]
        if connection.in_atomic_block:
            return
        commits, before, failing = self._commits, self.snapshot, bool(self.failures)
        try:
            if not self._follow(connection):
                return
        except Exception as error:
            if before is None:
                self.loaded = Loaded(self._bootstrap())
            self._failed(error, commits)
        else:
            self._succeeded(commits)
        if self.snapshot is not before or bool(self.failures) is not failing:
            refreshed.send_robust(
                Store, before=before or EMPTY, after=self.snapshot or EMPTY, error=self.error
            )

    def _follow(self, connection: BaseDatabaseWrapper) -> bool:
        """Load what is new, if something is; return whether the database could be asked.

        A connection that this thread has kept may have died while nobody looked: no news of the
        database, so a new one is tried at once. If each thread's dead connection counted as a
        failure, the pauses would add up to seconds behind a database that answers.
        """
        kept = connection.connection is not None
        try:
            return self._load_what_is_new(connection)
        except Exception:
            connection.close_if_unusable_or_obsolete()
            if not kept or connection.connection is not None:
                raise
            return self._load_what_is_new(connection)

    def _load_what_is_new(self, connection: BaseDatabaseWrapper) -> bool:
        if not connection.get_autocommit():  # this may connect, and fail
            return False
        version = state.read(connection.alias)
        if self.snapshot is None or version != self.snapshot.version:
            self._load(connection)
            self.loads += 1
        return True

    def _load(self, connection: BaseDatabaseWrapper) -> None:
        """Read in one consistent transaction, the state row first."""
        known = self.loaded
        with _deferred(connection), transaction.atomic(using=connection.alias):
            if begin := BEGIN_LOAD.get(connection.vendor):
                with connection.cursor() as cursor:
                    cursor.execute(begin)
            version = state.read(connection.alias)
            found = known.read(connection.alias, version)
        loaded = known.followed_by(found, version)
        self._report_broken(loaded.snapshot or EMPTY)
        self.loaded = loaded

    def _bootstrap(self) -> Snapshot | None:
        """Read the flags that the last deployment left in a file."""
        path = conf.get().BOOTSTRAP
        if path is None or self._bootstrapped:
            return None
        self._bootstrapped = True
        try:
            return bootstrap.read(Path(path))
        except (OSError, ValueError) as error:
            logger.error("The bootstrap file can't be read: %s", error)
            return None

    def _succeeded(self, commits: int) -> None:
        interval = conf.get().MAX_STALENESS
        self._seen = commits
        self._due = math.inf if interval is None else time.monotonic() + interval * _jitter()
        self.checked_at = datetime.now(UTC)
        if self.failures:
            logger.info("Flags can be read again, after %d failed attempts.", self.failures)
        self.failures, self.error = 0, ""

    def _failed(self, error: Exception, commits: int) -> None:
        self.failures += 1
        pause = min(LONGEST_BACKOFF, 0.1 * 2 ** min(self.failures, 10))
        self._seen = commits
        self._due = time.monotonic() + pause * _jitter()
        self._report(error)

    def _report_broken(self, snapshot: Snapshot) -> None:
        """Log the flags that are in quarantine now and were not, or for another reason."""
        known = self.snapshot.quarantined if self.snapshot else {}
        for key, why in list(snapshot.quarantined.items())[:MOST_REPORTED]:
            if key not in known or known[key].reason != why.reason:
                served = "its last good definition is served" if why.last_good else "it is off"
                logger.error("The flag %r is broken, so %s: %s", key, served, why.reason)

    def _report(self, error: Exception) -> None:
        self.error = f"{type(error).__name__}: {error}"
        if _no_table(error) or time.monotonic() - self._logged_at < LOG_INTERVAL:
            return
        self._logged_at = time.monotonic()
        served = SERVED[self.snapshot.source] if self.snapshot else "defaults"
        logger.error("Flags can't be read, so %s are served: %s", served, self.error)


@contextmanager
def _deferred(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let a load read beside a writer, also where SQLite's transactions begin IMMEDIATE."""
    if (mode := getattr(connection, "transaction_mode", None)) is None:
        yield
        return
    connection.transaction_mode = None  # type: ignore[attr-defined]
    try:
        yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _jitter() -> float:
    # So that processes do not all look at once; it keeps no secret.
    return random.uniform(0.8, 1.2)  # noqa: S311  # nosec B311


def _no_table(error: Exception) -> bool:
    """Whether the tables do not exist yet, as in ``migrate``: a normal state, not worth a word."""
    return (
        getattr(error.__cause__, "sqlstate", None) == "42P01"  # PostgreSQL
        or error.args[:1] == (1146,)  # MariaDB, MySQL
        or "no such table" in str(error)  # SQLite
    )


store = Store()
os.register_at_fork(after_in_child=store.reset_lock)
