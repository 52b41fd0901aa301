"""The database of the model check behaves as PostgreSQL does, as far as the model needs it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction

from flaggate.store.freshness import CONSISTENT_READ
from tests.store.replicas import Connection, Database
from tests.store.schedules import Violation

LOCK = 'UPDATE "flaggate_state" SET version = version'
BUMP = 'UPDATE "flaggate_state" SET version = version + 1'


@pytest.fixture
def database(django_db_blocker: Any) -> Iterator[Database]:
    backup = sqlite3.connect(":memory:")
    backup.execute('CREATE TABLE "flaggate_state" (version)')
    backup.execute('INSERT INTO "flaggate_state" VALUES (0)')
    backup.commit()
    database = Database(backup)
    with django_db_blocker.unblock():
        yield database
    database.close()
    backup.close()


@pytest.fixture
def mine(database: Database) -> Iterator[Connection]:
    """The connection that Django uses in this test."""
    before = connections["default"]
    connections["default"] = mine = Connection(database)
    yield mine
    connections["default"] = before


@pytest.fixture
def other(database: Database) -> Connection:
    return Connection(database)


def run(connection: Connection, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def version(connection: Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute('SELECT version FROM "flaggate_state"')
        return cursor.fetchone()[0]


def test_read_committed_sees_each_commit(mine: Connection, other: Connection) -> None:
    with transaction.atomic():
        assert version(mine) == 0
        run(other, BUMP)
        assert version(mine) == 1
    assert version(mine) == 1


def test_repeatable_read_sees_what_its_first_query_saw(mine: Connection, other: Connection) -> None:
    with transaction.atomic():
        run(mine, CONSISTENT_READ)
        run(other, BUMP)
        assert version(mine) == 1
        run(other, BUMP)
        assert version(mine) == 1
    assert version(mine) == 2


def test_what_is_not_committed_is_seen_by_its_own_connection_only(
    mine: Connection, other: Connection
) -> None:
    with transaction.atomic():
        run(mine, BUMP)
        assert (version(mine), version(other)) == (1, 0)
        transaction.set_rollback(True)
    assert (version(mine), version(other)) == (0, 0)


def test_what_is_undone_to_a_savepoint_is_not_committed(
    mine: Connection, other: Connection
) -> None:
    with transaction.atomic():
        run(mine, BUMP)
        with transaction.atomic():
            run(mine, BUMP)
            transaction.set_rollback(True)
    assert (version(mine), version(other)) == (1, 1)


def test_a_backup_takes_everything_back(
    database: Database, mine: Connection, other: Connection
) -> None:
    run(mine, BUMP)
    assert version(other) == 1
    database.restore()
    assert (version(mine), version(other)) == (0, 0)


def test_a_lost_connection_stays_lost_and_leaves_nothing(
    mine: Connection, other: Connection
) -> None:
    with pytest.raises(OperationalError), transaction.atomic():
        run(mine, BUMP)
        with pytest.raises(sqlite3.OperationalError):
            mine.connection._lose()
        version(mine)
    assert (version(mine), version(other)) == (0, 0)


def test_the_state_row_has_to_be_locked_first(mine: Connection) -> None:
    with pytest.raises(Violation, match="before the state row was locked"), transaction.atomic():
        run(mine, "DELETE FROM flaggate_flag")
