"""A database of several versions in memory, each of whose statements waits for its turn.

What is committed is a list of transactions. Each connection is a SQLite database of its own, which
repeats that list as far as a transaction may see it: up to now at each statement in READ COMMITTED,
the default; up to its first query in REPEATABLE READ. So Django's own SQLite backend compiles and
runs every statement, and only who sees what, and who waits for whom, is decided here.

A transaction that writes has to lock the state row first, and then holds it until its end. So no
other commit can come between its statements, and no other order of these is worth a try.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import connections
from django.db.backends.sqlite3 import base

from tests.store.schedules import Death, Violation, step

LOST = "loses the connection"
DIES = "dies when it has committed"
READS = "reads"
UNLOCKED = "rows were written before the state row was locked"
STATE = '"flaggate_state"'
WRITES = frozenset({"INSERT", "UPDATE", "DELETE"})
SAVEPOINTS = frozenset({"SAVEPOINT", "RELEASE", "ROLLBACK"})

Statement = tuple[str, Any]


class Transaction(NamedTuple):
    """A committed transaction: its number among all commits, whose it is, and its statements."""

    number: int
    by: str
    statements: tuple[Statement, ...]


class Database:
    """The committed transactions, and who holds the lock of the state row."""

    def __init__(self, backup: sqlite3.Connection | None = None) -> None:
        self.backup = backup
        self.log: list[Transaction] = []
        self.commits = 0
        self.owner: Session | None = None
        self.sessions: list[Session] = []
        self.losses = 0  # connections that may still be lost at a step that others could notice …
        self.lost_anywhere = False  # … and at any other
        self.on_commit: Callable[[Session], None] = lambda session: None

    def commit(self, session: Session, statements: list[Statement]) -> None:
        """Make what a session has written visible to all."""
        self.commits += 1
        by = threading.current_thread().name
        self.log = [*self.log, Transaction(self.commits, by, tuple(statements))]
        session.seen = self.log
        self.on_commit(session)

    def restore(self) -> None:
        """Bring back the backup, and lose all commits."""
        step("restores the backup", ready=lambda: self.owner is None)
        self.log = []

    def close(self) -> None:
        for session in self.sessions:
            session.close()


class Session(sqlite3.Connection):
    """A connection of the driver: a replica of the database, and how much of its log it holds."""

    repeatable = False  # whether this transaction sees one version only …
    fixed = False  # … and has begun to read it

    def begin(self, database: Database, at_commit: tuple[str, ...]) -> None:
        self.database = database
        self.at_commit = at_commit
        self.lost = False
        self.seen: list[Transaction] = []
        self._end()
        database.sessions.append(self)
        self._bring_back()

    def before(self, sql: str) -> str:
        """Wait for the turn of a statement, show it what it may see, and return what to run."""
        self._check()
        verb = _verb(sql)
        if verb == "BEGIN":
            self.seen_before = self.seen
        if verb in WRITES and not self.owns:
            self._lock(sql)
        elif verb == "SELECT" and not self.owns and not self.fixed:
            self._step(READS)
            self._catch_up()
            self.fixed = self.repeatable
        else:
            self._step("works", own=True)
        if "REPEATABLE READ" not in sql:
            return sql
        self.repeatable = True
        return "SELECT 1"

    def after(self, sql: str, parameters: Any) -> None:
        """Note for the other replicas what was written."""
        if _verb(sql) in WRITES | SAVEPOINTS:
            self.written.append((sql, parameters or ()))
        if self.owns and not self.in_transaction:
            self._publish()

    def commit(self) -> None:
        self._check()
        if not self.owns:
            self._step("ends its reading", own=True)
            super().commit()
            self._end()
            return
        outcome = step("commits", *self.at_commit)
        super().commit()
        self._publish()
        if outcome == DIES:
            raise Death
        if outcome == LOST:
            self._lose()

    def rollback(self) -> None:
        self._check()
        step("rolls back", own=not self.owns)
        self._undo()

    @property
    def owns(self) -> bool:
        """Whether this connection holds the lock of the state row."""
        return self.database.owner is self

    def _lock(self, sql: str) -> None:
        if self.repeatable:
            raise Violation("a load writes")
        if STATE not in sql:
            raise Violation(UNLOCKED)
        self._step("locks the state row", ready=lambda: self.database.owner is None)
        self.database.owner = self
        self._catch_up()

    def _step(self, name: str, **how: Any) -> None:
        fragile = self.database.losses and (self.database.lost_anywhere or not how.get("own"))
        if step(name, *[LOST] * bool(fragile), **how) == LOST:
            self.database.losses -= 1
            self._lose()

    def _lose(self) -> None:
        self._undo()
        self.lost = True
        self._check()

    def _check(self) -> None:
        if self.lost:
            raise sqlite3.OperationalError("server closed the connection")

    def _catch_up(self) -> None:
        if self.seen != self.database.log[: len(self.seen)]:
            self._bring_back()
        for transaction in self.database.log[len(self.seen) :]:
            for sql, parameters in transaction.statements:
                self.execute(sql, parameters).fetchall()
        self.seen = self.database.log

    def _bring_back(self) -> None:
        began = self.in_transaction
        super().rollback()
        if self.database.backup is not None:
            self.database.backup.backup(self)
        self.seen = self.seen_before = []
        if began:
            self.execute("BEGIN")

    def _publish(self) -> None:
        self.database.commit(self, self.written)
        self._end()

    def _undo(self) -> None:
        super().rollback()
        self.seen = self.seen_before
        self._end()

    def _end(self) -> None:
        self.written: list[Statement] = []
        self.repeatable = self.fixed = False
        self.seen_before = self.seen
        if self.owns:
            self.database.owner = None


class Cursor(base.SQLiteCursorWrapper):
    """A cursor that lets its session decide when a statement runs."""

    connection: Session

    def execute(self, query: str, params: Any = None) -> Any:
        query = self.connection.before(query)
        found = super().execute(query, params)
        self.connection.after(self.convert_query(query), params)
        return found


class Connection(base.DatabaseWrapper):
    """Django's connection to such a database."""

    connection: Session

    def __init__(self, database: Database, at_commit: tuple[str, ...] = ()) -> None:
        settings = {**connections.settings["default"], "NAME": "versions", "OPTIONS": {}}
        super().__init__(settings, "default")
        self.database = database
        self.at_commit = at_commit

    def get_new_connection(self, conn_params: Any) -> Session:
        session: Session = sqlite3.connect(
            ":memory:",
            factory=Session,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES,
            check_same_thread=False,
        )
        session.begin(self.database, self.at_commit)
        return session

    def create_cursor(self, name: Any = None) -> Cursor:
        return self.connection.cursor(factory=Cursor)

    def is_usable(self) -> bool:
        return not self.connection.lost


def _verb(sql: str) -> str:
    return sql.split(None, 1)[0]
