"""What a process answers when the database fails it, with a real process and a real server."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from django.db import connection

from tests.databases import SharedDatabase

pytestmark = pytest.mark.database

NOWHERE = [
    "sqlite:////nowhere/at/all.sqlite3",
    "postgres://nobody@127.0.0.1:1/nothing?connect_timeout=2",
]

ASK = """
    import threading
    answers = []
    def ask():
        answers.append(flaggate.is_active("x", 42))
        answers.append(flaggate.value("limit", 42, default=7))
    ask()
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    say(*answers)
    say(flaggate.status().source)
"""


@pytest.mark.parametrize("url", NOWHERE)
def test_a_process_that_finds_no_database_answers_with_defaults(url: str) -> None:
    assert SharedDatabase(url).run(ASK).splitlines() == ["False 7 False 7", "defaults"]


@pytest.mark.parametrize("url", NOWHERE)
def test_a_process_that_finds_no_database_starts_from_its_bootstrap_file(
    shared_database: SharedDatabase, tmp_path: Path, url: str
) -> None:
    path = tmp_path / "flags.json"
    shared_database.run(
        """
        from django.core.management import call_command
        changes.create("x", enabled=True)
        changes.create("limit", enabled=True, variants=[("ten", 10, 1)])
        call_command("flags", "export", "--bootstrap", sys.argv[1])
        """,
        path,
    )
    use = f"from django.conf import settings\nsettings.FLAGGATE = {{'BOOTSTRAP': {str(path)!r}}}\n"
    printed = SharedDatabase(url).run(use + textwrap.dedent(ASK))
    assert printed.splitlines() == ["True 10 True 10", "bootstrap"]


def test_answers_go_on_while_tables_are_gone_and_follow_when_they_are_back(
    shared_database: SharedDatabase,
) -> None:
    printed = shared_database.run(
        """
        from django.db import connection
        changes.create("x", enabled=True)
        say(flaggate.is_active("x"))
        def rename(old, new):
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")
        rename("flaggate_state", "elsewhere")
        store._due = 0
        say(flaggate.is_active("x"), flaggate.status().source)
        rename("elsewhere", "flaggate_state")
        changes.disable("x")
        say(flaggate.is_active("x"), flaggate.status().source)
        """
    )
    assert printed.splitlines() == ["True", "True last known good", "False database"]


if connection.vendor == "postgresql":  # SQLite has no backends that could be killed

    def test_a_killed_backend_costs_no_answer_and_no_time(
        shared_database: SharedDatabase,
    ) -> None:
        printed = shared_database.run(
            """
            from django.db import connection
            changes.create("x", enabled=True)
            say(flaggate.is_active("x"))
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid = cursor.fetchone()[0]
            other = connection.copy()
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
                cursor.execute("UPDATE flaggate_flag SET enabled = false")
                cursor.execute("UPDATE flaggate_state SET version = version + 1")
            store._due = 0
            say(flaggate.is_active("x"), store.failures)
            """
        )
        assert printed.splitlines() == ["True", "False 0"]
