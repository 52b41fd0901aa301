"""A database of their own for tests in which several processes take part."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent

PRELUDE = """
import django, os, sys, time
django.setup()
import flaggate
from flaggate import changes
from flaggate.models import *
from flaggate.store import store

def say(*words):
    print(*words, flush=True)

def hear():
    return sys.stdin.readline().strip()
"""


@dataclass
class SharedDatabase:
    """A migrated database, and the processes that were started on it."""

    url: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, script: str, *arguments: object) -> subprocess.Popen[str]:
        """Run a script in a process with Django set up; talk to it by lines."""
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + textwrap.dedent(script), *map(str, arguments)],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self, script: str, *arguments: object) -> str:
        """Run a script to its end and return what it printed."""
        return finish(self.start(script, *arguments))

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process and return what it printed; its traceback fails the test."""
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return printed.strip()


@pytest.fixture
def shared_database(tmp_path: Path, django_db_blocker: Any) -> Iterator[SharedDatabase]:
    """An empty database of the server under test, migrated."""
    with django_db_blocker.unblock(), _fresh(tmp_path) as url:
        database = SharedDatabase(url)
        subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--verbosity=0"],
            cwd=ROOT,
            env=database.environment,
            check=True,
        )
        yield database
        for process in database.processes:
            process.kill()
            process.communicate()


class _fresh:
    """An empty database: a file for SQLite, one created and dropped on a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"flaggate_{uuid.uuid4().hex[:12]}"

    def __enter__(self) -> str:
        if connection.vendor == "sqlite":
            return f"sqlite:///{self.folder / 'flags.sqlite3'}?timeout=60"
        _on_server(f"CREATE DATABASE {self.name}")
        return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{self.name}"))

    def __exit__(self, *_: object) -> None:
        force = " WITH (FORCE)" if connection.vendor == "postgresql" else ""
        if connection.vendor != "sqlite":
            _on_server(f"DROP DATABASE {self.name}{force}")


def _on_server(sql: str) -> None:
    """Run a statement outside any transaction, on the server under test."""
    server = connection.copy()
    server.settings_dict["NAME"] = urlsplit(os.environ["DATABASE_URL"]).path.lstrip("/")
    with server.cursor() as cursor:
        cursor.execute(sql)
    server.close()
