"""Tables that are missing, older or newer than the code."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

import flaggate
from flaggate import changes
from flaggate.models import Condition, Flag
from flaggate.store import status, store
from tests.databases import SharedDatabase, fresh
from tests.fixtures import released, targeted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

quote = connection.ops.quote_name


def look() -> bool:
    """Ask a question that looks at the database."""
    store._due = 0
    return flaggate.is_active("x", 42)


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@contextmanager
def renamed_table(name: str) -> Iterator[None]:
    """Take a table away."""
    execute(f"ALTER TABLE {name} RENAME TO elsewhere")
    try:
        yield
    finally:
        execute(f"ALTER TABLE elsewhere RENAME TO {name}")


@contextmanager
def renamed_column(table: str, name: str) -> Iterator[None]:
    """Take a column away, as before the migration that brings it."""
    execute(f"ALTER TABLE {table} RENAME COLUMN {quote(name)} TO elsewhere")
    try:
        yield
    finally:
        execute(f"ALTER TABLE {table} RENAME COLUMN elsewhere TO {quote(name)}")


# --- before the tables are there --------------------------------------------------------------


def test_commands_work_before_the_tables_are_there_and_so_does_a_migration_that_asks(
    tmp_path: Path,
) -> None:
    with fresh(tmp_path) as url:
        project = SharedDatabase(url, "tests.projects.asking")
        project.manage("check")
        project.manage("makemigrations", "--check", "--dry-run", "--verbosity=0")
        project.manage("collectstatic", "--dry-run", "--noinput", "--verbosity=0")
        project.manage("migrate", "--verbosity=0")
        printed = project.run(
            """
            from django.contrib.auth.models import User
            for user in User.objects.order_by("pk"):
                say(user.username)
            say(changes.create("x", enabled=True), flaggate.is_active("x"))
            """
        )
    assert printed.splitlines() == ["before", "answer: False", "x True"]


def test_djangos_test_runner_makes_its_database_in_a_project_that_asks_early(
    tmp_path: Path,
) -> None:
    with fresh(tmp_path) as url:
        project = SharedDatabase(url, "tests.projects.asking")
        project.manage("test", "tests.projects.asker", "--verbosity=0", "--noinput")


def test_a_table_that_goes_away_leaves_the_last_known_flags_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    released("x")
    assert look()
    with renamed_table("flaggate_state"):
        assert look()
        assert status().source == "last known good"
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]
    changes.disable("x")
    assert not look()


# --- code that is newer than the tables -------------------------------------------------------

COLUMNS = [
    (model._meta.db_table, name)
    for model, names in ((Flag, ("salt", "token", "archived_at")), (Condition, ("negate",)))
    for name in names
]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_column_that_is_not_there_yet_is_a_failing_load(table: str, column: str) -> None:
    targeted("x", ("targeting_key", "one_of", ["42"]))
    assert look()
    execute("UPDATE flaggate_state SET version = version + 1")
    with renamed_column(table, column):
        assert look()
        assert status().source == "last known good"
        assert column in status().error
    assert look()
    assert status().source == "database"


def test_a_process_that_starts_before_its_migration_has_defaults() -> None:
    released("x")
    with renamed_column("flaggate_flag", "salt"):
        store.__init__()
        assert not look()
        assert flaggate.value("limit", default=7) == 7
        assert status().source == "defaults"
    assert look()


def test_a_process_that_starts_before_its_migration_has_its_bootstrap_file(
    tmp_path: Path, settings: object
) -> None:
    released("x")
    path = tmp_path / "flags.json"
    call_command("flags", "export", "--bootstrap", str(path))
    settings.FLAGGATE = {"BOOTSTRAP": str(path)}
    with renamed_column("flaggate_flag", "salt"):
        store.__init__()
        assert look()
        assert status().source == "bootstrap"


def test_a_missing_column_does_not_break_the_transaction_it_is_asked_in() -> None:
    released("x")
    with renamed_column("flaggate_flag", "salt"):
        store.__init__()
        with transaction.atomic():
            assert not flaggate.is_active("x")
            execute("UPDATE flaggate_state SET version = version")


# --- code that is older than the tables -------------------------------------------------------

NEWER: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
    "a column": (
        lambda: execute("ALTER TABLE flaggate_flag ADD COLUMN newer integer NOT NULL DEFAULT 7"),
        lambda: execute("ALTER TABLE flaggate_flag DROP COLUMN newer"),
    ),
    "a table": (
        lambda: execute("CREATE TABLE flaggate_newer (id integer, flag_id integer)"),
        lambda: execute("DROP TABLE flaggate_newer"),
    ),
}


@pytest.mark.parametrize("what", NEWER)
def test_what_a_newer_release_added_to_the_tables_is_left_alone(what: str) -> None:
    released("x")
    migrate, take_back = NEWER[what]
    migrate()
    try:
        store.__init__()
        assert look()
        changes.disable("x")
        assert not look()
        changes.create("y", enabled=True)
        assert flaggate.is_active("y")
    finally:
        take_back()


def test_an_operator_of_a_newer_release_turns_off_its_own_flags_alone() -> None:
    targeted("newer", ("plan", "one_of", ["gold"]), percentage=100)
    released("x")
    execute("UPDATE flaggate_condition SET operator = 'sounds_like'")
    store.__init__()
    assert look()
    assert flaggate.evaluate("newer", 42).error == "PARSE_ERROR"
    assert list(status().quarantined) == ["newer"]


def test_a_failing_load_is_not_repeated_by_each_question() -> None:
    released("x")
    assert look()
    changes.create("other")
    with renamed_column("flaggate_flag", "salt"):
        look()
        with CaptureQueriesContext(connection) as captured:
            assert flaggate.is_active("x")
        assert len(captured) == 0
