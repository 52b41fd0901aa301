"""`manage.py demo`, and the settings that the environment gives."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.example_project.shop import MANAGE, address, demo, environment, manage


def test_a_busy_port_gets_the_next_one(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with demo(database, port) as said:
            assert int(address(said).rpartition(":")[2]) > port


def test_it_prints_the_addresses_and_the_log_ins(shop: str, database: Path) -> None:
    with demo(database, 18100) as said:
        assert f"{address(said)}/admin/" in said
        assert "admin / admin" in said
        assert "olivia / olivia" in said


def test_without_debug_nobody_logs_in_by_a_button(database: Path) -> None:
    said = manage(
        database,
        "shell",
        "-c",
        "from django.test import Client; "
        "print(Client().post('/demo/log-in/', {'username': 'ada'}).status_code)",
        DEBUG="0",
        ALLOWED_HOSTS="testserver",
    )

    assert said.split()[-1] == "404"


def test_a_database_url_without_its_package_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['dj_database_url'] = None; import shop_site.settings",
        ],
        cwd=MANAGE.parent,
        env=environment(tmp_path / "db.sqlite3", DATABASE_URL="postgres://localhost/shop"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert "pip install dj-database-url" in done.stderr


def test_the_checks_find_nothing(database: Path) -> None:
    assert "no issues" in manage(database, "check", "--fail-level=INFO")


def test_no_migration_is_missing(database: Path) -> None:
    assert "No changes detected" in manage(database, "makemigrations", "--check", "--dry-run")
