"""Somebody holds a lock on the tables: whoever looks waits, the others go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

import flaggate
from flaggate import changes
from flaggate.store import status, store
from tests.databases import SharedDatabase
from tests.faults.waiting import in_thread, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def look() -> bool:
    """Ask a question that looks at the database."""
    store._due = 0
    return flaggate.is_active("x", 42)


if connection.vendor == "sqlite":
    # Another process locks a whole file; a database in memory has no other processes.
    def test_a_file_that_another_process_locks_leaves_the_last_known_flags(
        shared_database: SharedDatabase,
    ) -> None:
        shared_database.url = shared_database.url.replace("timeout=60", "timeout=1")
        printed = shared_database.run(
            """
            import sqlite3
            from django.db import connection
            changes.create("x", enabled=True)
            say(flaggate.is_active("x"))
            other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            store._due = 0
            say(flaggate.is_active("x"), flaggate.status().source)
            other.execute("UPDATE flaggate_flag SET enabled = 0")
            other.execute("UPDATE flaggate_state SET version = version + 1")
            other.execute("COMMIT")
            store._due = 0
            say(flaggate.is_active("x"), flaggate.status().source)
            """
        )
        assert printed.splitlines() == ["True", "True last known good", "False database"]

else:
    LOCK = {
        "postgresql": (
            "BEGIN; LOCK TABLE flaggate_state, flaggate_flag IN ACCESS EXCLUSIVE MODE",
            "COMMIT",
        ),
        "mysql": ("LOCK TABLES flaggate_state WRITE, flaggate_flag WRITE", "UNLOCK TABLES"),
    }
    LOCK_TIMEOUT = {
        "postgresql": {"options": "-c lock_timeout=300"},  # milliseconds
        "mysql": {"init_command": "SET lock_wait_timeout = 1"},  # seconds
    }

    @contextmanager
    def locked_tables() -> Iterator[Callable[[], None]]:
        """Lock the tables for all others; the lock goes with the block, or when it is called."""
        other = connection.copy()
        lock, unlock = LOCK[connection.vendor]
        with other.cursor() as cursor:
            cursor.execute(lock)
            try:
                yield lambda: cursor.execute(unlock)
            finally:
                cursor.execute(unlock)
        other.close()

    def waits_for_a_lock() -> bool:
        seen = {
            "postgresql": (
                "SELECT 1 FROM pg_stat_activity "
                "WHERE wait_event_type = 'Lock' AND datname = current_database()"
            ),
            "mysql": (
                "SELECT 1 FROM information_schema.processlist "
                "WHERE state LIKE 'Waiting for table%%' AND db = DATABASE()"
            ),
        }
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute(seen[connection.vendor])
            found = cursor.fetchone()
        other.close()
        return found is not None

    def test_locked_tables_hold_one_thread_and_no_other() -> None:
        changes.create("x", enabled=True)
        assert look()
        with locked_tables() as unlock, in_thread(look) as answers:
            until(waits_for_a_lock)
            assert [look() for _ in range(1000)] == [True] * 1000
            assert not answers
            unlock()
        assert answers == [True]
        assert status().source == "database"

    def test_with_a_lock_timeout_locked_tables_are_given_up(options: Callable[..., None]) -> None:
        options(**LOCK_TIMEOUT[connection.vendor])
        changes.create("x", enabled=True)
        assert look()
        with locked_tables():
            assert look()
            assert status().source == "last known good"
        assert look()
        assert status().source == "database"


def test_a_writer_that_waits_for_its_commit_holds_no_reader() -> None:
    changes.create("x", enabled=True)
    assert look()
    written, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with changes.change():
            changes.disable("x")
            written.set()
            assert go_on.wait(30)

    with in_thread(write):
        assert written.wait(30)
        try:
            assert [look() for _ in range(100)] == [True] * 100
        finally:
            go_on.set()
    assert not look()
