"""A database of their own for tests in which several processes take part."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
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
    settings: str = "tests.settings"
    others: dict[str, str] = field(default_factory=dict)  # environment: further databases
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

    def manage(self, *arguments: str) -> None:
        """Run a management command in a process of its own; what it prints fails no test."""
        subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
        )

    def stop(self) -> None:
        """End the processes that still run."""
        for process in self.processes:
            process.kill()
            process.communicate()

    def run(self, script: str, *arguments: object) -> str:
        """Run a script to its end and return what it printed."""
        return finish(self.start(script, *arguments))

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": self.settings,
            **self.others,
        }


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process and return what it printed; its traceback fails the test."""
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return printed.strip()


@pytest.fixture
def shared_database(tmp_path: Path, migrated: Callable[[], str]) -> Iterator[SharedDatabase]:
    """An empty database of the server under test, migrated."""
    with fresh(tmp_path, template=migrated()) as url:
        database = SharedDatabase(url)
        if connection.vendor == "mysql":  # which copies no databases
            database.manage("migrate", "--verbosity=0")
        yield database
        database.stop()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Return the migrated database, made when first asked for, of which others are copies."""
    with ExitStack() as stack:

        @cache
        def template() -> str:
            if connection.vendor == "mysql":
                return ""
            made = fresh(tmp_path_factory.mktemp("template"))
            url = stack.enter_context(made)
            SharedDatabase(url).manage("migrate", "--verbosity=0")
            return str(made.file) if connection.vendor == "sqlite" else made.name

        yield template


class fresh:
    """An empty database, or a copy: a file for SQLite, one created and dropped on a server."""

    def __init__(self, folder: Path, template: str = "") -> None:
        self.name = f"flaggate_{uuid.uuid4().hex[:12]}"
        self.file = folder / f"{self.name}.sqlite3"
        self.template = template

    def __enter__(self) -> str:
        if connection.vendor == "sqlite":
            if self.template:
                shutil.copyfile(self.template, self.file)
            return f"sqlite:///{self.file}?timeout=60"
        copied = f" TEMPLATE {self.template}" if self.template else ""
        _on_server(f"CREATE DATABASE {self.name}{copied}")
        return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{self.name}"))

    def __exit__(self, *_: object) -> None:
        force = " WITH (FORCE)" if connection.vendor == "postgresql" else ""
        if connection.vendor != "sqlite":
            _on_server(f"DROP DATABASE {self.name}{force}")


def _on_server(sql: str) -> None:
    """Run a statement outside any transaction, on the server under test.

    By the driver, which pytest-django does not block: a module's fixtures run outside its tests.
    """
    server = connection.copy()
    server.settings_dict["NAME"] = urlsplit(os.environ["DATABASE_URL"]).path.lstrip("/")
    raw = server.get_new_connection(server.get_connection_params())
    if connection.vendor == "postgresql":
        raw.autocommit = True
    raw.cursor().execute(sql)
    raw.close()
