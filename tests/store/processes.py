"""Processes that write and read one flag, and the laws for what they are answered.

The flag says the same number twice, in rows of two tables, and each change writes a number of its
own: so an answer tells which commit it comes from, and whether it is whole.
"""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Callable, Hashable
from typing import Any

from django.db import DatabaseError, connections

from flaggate.core.snapshot import Snapshot
from flaggate.models import Flag, Variant
from flaggate.store.freshness import Store
from tests.store.replicas import READS, Connection, Database, Session
from tests.store.schedules import Actor, Step, Violation, step

LONG = 1.25  # seconds, more than MAX_STALENESS and a fifth
QUIET = "waits until all is quiet"
GIVES_UP = "gives up"
NUMBERS = "SELECT percentage, value FROM flaggate_flag JOIN flaggate_variant"

HALF = "half of a change was answered"
UNCOMMITTED = "what was never committed was answered"
OLD = "what had been committed before was not answered"
BACK = "a process went back to an older version"
TWO_LOADS = "two threads of a process loaded at the same time"
NOT_QUIET = "when all was quiet, one more look did not bring the last commit"
NOT_OWN = "a transaction did not read its own writes"

Script = Callable[["Process"], None]


class Model:
    """A database, the processes on it, and the numbers that were ever committed."""

    def __init__(self, backup: sqlite3.Connection) -> None:
        self.database = Database(backup)
        self.database.on_commit = self._note
        self.processes: list[Process] = []
        self.actors: list[Thread] = []
        self.history = [0]  # the last one is the current one
        self.may_tear = self.may_go_back = False  # what a scenario allows

    def state(self) -> Hashable:
        return self._stored(), tuple(process.memory() for process in self.processes)

    def seen(self, actor: Thread, coming: Step) -> Hashable:
        # Who reads the database has read the counters before, when it asked or took the lock.
        process = actor.process
        return self._stored(), process.loaded() if coming.name == READS else process.memory()

    def close(self) -> None:
        self.database.close()

    def restore(self) -> None:
        """Go back to the flags, and to the version, that were there before all changes."""
        self.database.restore()
        self.history.append(0)

    def quiet(self) -> bool:
        """Whether all that is left to do is one more look."""
        return all(actor.next is None or actor.next.name == QUIET for actor in self.actors)

    def _stored(self) -> Hashable:
        log = tuple((each.number, each.by) for each in self.database.log)
        return log, tuple(self.history), self.database.losses

    def _note(self, session: Session) -> None:
        self.history.append(int(session.execute(NUMBERS).fetchone()[1]))
        current_process().own = len(self.history) - 1


class Process:
    """A store, a clock, and threads that ask it or write.

    ``at_commit`` names what may happen to its connections when they have committed. A ``warm`` one
    has loaded the flags before the others begin.
    """

    def __init__(
        self, model: Model, *scripts: Script, at_commit: tuple[str, ...] = (), warm: bool = False
    ) -> None:
        self.model = model
        self.at_commit = at_commit
        self.warm = warm
        self.alone = len(scripts) == 1
        self.store = WatchedStore(self)
        self.now = 1000.0  # seconds
        self.own = self.owed = 0  # which of all commits is its last one, and the last it heard of
        self.version = 0  # of the last answer
        model.processes.append(self)
        for script in scripts:
            model.actors.append(Thread(f"{script.__name__} {len(model.actors)}", self, script))

    def ask(self, after: float = 0, broken: str = OLD) -> None:
        """Ask for the flag, some seconds later; check the answer."""
        step("asks", own=self.alone and not after)
        self.now += after
        looks = after > 0 and (self.alone or broken == NOT_QUIET)
        owed = len(self.model.history) - 1 if looks else self.owed
        failures = self.store.failures
        snapshot = self.store.current()
        if snapshot.version is not None:
            self._check(snapshot)
        if self.store.failures <= failures:
            self._check_fresh(snapshot, owed, broken)
        elif "server closed" not in self.store.error:
            raise Violation(self.store.error)

    def ask_inside(self, number: int) -> None:
        """Ask in the middle of a change of its own."""
        if numbers(self.store.current()) != (number, number):
            raise Violation(NOT_OWN)

    def committed(self) -> None:
        """Hear of a commit of this process."""
        if self.owed != self.own:
            step("hears of its commit", own=self.alone)
        self.store.committed()
        self.owed = self.own

    def memory(self) -> Hashable:
        """Return what threads of this process can know of each other."""
        store = self.store
        return (
            self.loaded(),
            self.own,
            self.owed,
            self.version,
            store.failures,
            store._due - self.now,
            store._commits - store._seen,
            store._lock.held,
        )

    def loaded(self) -> Hashable:
        """Return what this process holds of the database."""
        snapshot = self.store.snapshot
        return snapshot and (snapshot.version, numbers(snapshot)), repr(
            self.store.loaded.definitions
        )

    def _check_fresh(self, snapshot: Snapshot, owed: int, broken: str) -> None:
        if snapshot.version is None or numbers(snapshot)[1] not in self.model.history[owed:]:
            raise Violation(broken)
        if broken == NOT_QUIET and len(set(numbers(snapshot))) > 1:
            raise Violation(broken)

    def _check(self, snapshot: Snapshot) -> None:
        said, version = numbers(snapshot), snapshot.version.number
        if not set(said) <= set(self.model.history):
            raise Violation(UNCOMMITTED)
        if len(set(said)) > 1 and not self.model.may_tear:
            raise Violation(HALF)
        if version < self.version and not self.model.may_go_back:
            raise Violation(BACK)
        self.version = version


class Thread(Actor):
    """A thread of a process, with a connection of its own."""

    def __init__(self, name: str, process: Process, does: Script) -> None:
        super().__init__(name, self._work)
        self.process = process
        self.does = does
        self.rests = self.tokens = 0

    def _work(self) -> None:
        process = self.process
        connections["default"] = Connection(process.model.database, process.at_commit)
        if process.warm:
            self.free = True
            process.store.current()
            self.free = False
        self.does(process)
        self.rest()

    def rest(self) -> None:
        """Forget all but the place in the script: nothing else counts between two questions."""
        self.rests += 1
        self.lived[:] = [self.rests]

    def token(self) -> uuid.UUID:
        """Return a new token, the same whenever this thread does the same."""
        self.tokens += 1
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name} {self.tokens}")


class WatchedStore(Store):
    """A store whose lock is granted by the schedule, and which notices two loads at a time."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.loading = False
        super().__init__()

    def reset_lock(self) -> None:
        self._lock: Any = TurnLock(self.process)

    def _load(self, connection: Any) -> None:
        if self.loading:
            raise Violation(TWO_LOADS)
        self.loading = True
        try:
            super()._load(connection)
        finally:
            self.loading = False


class TurnLock:
    """A lock for which threads wait on the schedule, and not in their process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.held = False

    def acquire(self, timeout: float) -> bool:
        free = not timeout
        step("takes the lock", ready=lambda: free or not self.held, own=self.process.alone)
        taken = not self.held
        self.held = True
        return taken

    def release(self) -> None:
        self.held = False


class GivenUp(Exception):
    """What a change raises that is rolled back."""


def writer(
    number: int, opened: Callable[[], Any], *, asks: bool = False, may_give_up: bool = True
) -> Script:
    """Write a number to both rows, and commit; or roll back."""

    def writes(process: Process) -> None:
        try:
            with opened():
                Flag.objects.filter(key="x").update(percentage=number)
                Variant.objects.filter(key="v").update(value=number)
                if asks:
                    process.ask_inside(number)
                if may_give_up and step("thinks again", GIVES_UP, own=True) == GIVES_UP:
                    raise GivenUp
        except (GivenUp, DatabaseError):
            return
        current_thread().rest()
        if asks:
            process.ask()

    return writes


def reader(*pauses: float) -> Script:
    """Ask after each of some pauses, in seconds, and once more when all is quiet."""

    def reads(process: Process) -> None:
        for pause in pauses:
            process.ask(pause)
            current_thread().rest()
        step(QUIET, ready=process.model.quiet)
        process.ask(LONG, broken=NOT_QUIET)

    return reads


def restorer(rewrites: Script) -> Script:
    """Bring back the backup, and write again."""

    def restores(process: Process) -> None:
        process.model.restore()
        rewrites(process)

    return restores


def current_thread() -> Thread:
    """Return the thread that this runs in."""
    thread: Any = threading.current_thread()
    return thread


def current_process() -> Process:
    """Return the process that this thread belongs to."""
    return current_thread().process


def numbers(snapshot: Snapshot) -> tuple[int, int]:
    """Return what the flag says, twice."""
    flag: Any = snapshot.flags["x"]
    return int(flag.percentage), flag.variants[0].value
