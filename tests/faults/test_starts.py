"""A process that starts while there is no database: defaults, or the bootstrap file."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.databases import SharedDatabase

pytestmark = pytest.mark.database

NOWHERE = [
    "sqlite:////nowhere/at/all.sqlite3",
    "postgres://nobody@127.0.0.1:1/nothing?connect_timeout=2",
    "mysql://nobody@127.0.0.1:1/nothing?connect_timeout=2",
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
