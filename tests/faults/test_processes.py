"""Processes that are forked, frozen or preloaded, and many that look at the same time."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import pytest

from tests.databases import ROOT, SharedDatabase
from tests.faults.waiting import LONG, until

pytestmark = pytest.mark.database

ANSWERER = """
    say("ready")
    while hear() == "ask":
        say(flaggate.is_active("x"), store.loads, store.failures)
"""


def ask(process: subprocess.Popen[str]) -> str:
    process.stdin.write("ask\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def answerer(database: SharedDatabase) -> subprocess.Popen[str]:
    process = database.start(ANSWERER)
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_frozen_process_follows_when_it_thaws(shared_database: SharedDatabase) -> None:
    shared_database.run('changes.create("x", enabled=True)')
    process = answerer(shared_database)
    assert ask(process).startswith("True")
    process.send_signal(signal.SIGSTOP)
    shared_database.run('changes.disable("x")')
    process.send_signal(signal.SIGCONT)
    until(lambda: ask(process).startswith("False"), seconds=LONG)


def test_each_of_many_processes_loads_once_for_each_change(
    shared_database: SharedDatabase,
) -> None:
    shared_database.run('changes.create("x")')
    processes = [answerer(shared_database) for _ in range(4)]
    assert {ask(process) for process in processes} == {"False 1 0"}
    for command, expected in (("enable", "True 2 0"), ("disable", "False 3 0")):
        shared_database.run(f'changes.{command}("x")')
        until(lambda expected=expected: {ask(process) for process in processes} == {expected})


def test_a_child_forked_while_another_thread_loads_answers_and_loads_by_itself(
    shared_database: SharedDatabase,
) -> None:
    printed = shared_database.run(
        """
        import threading
        from django.db import connections
        changes.create("x", enabled=True)
        flaggate.is_active("x")
        connections.close_all()
        entered, go_on = threading.Event(), threading.Event()
        look = store._look

        def slowly():
            entered.set()
            go_on.wait(30)
            look()

        store._look = slowly
        store._due = 0
        thread = threading.Thread(target=flaggate.is_active, args=("x",))
        thread.start()
        entered.wait(30)
        pid = os.fork()
        if pid == 0:
            store._look = look
            store._due = 0
            go_on.set()
            say("child", flaggate.is_active("x"), store.failures)
            changes.disable("x")
            say("child", flaggate.is_active("x"), store.failures)
            os._exit(0)
        os.waitpid(pid, 0)
        go_on.set()
        thread.join()
        store._due = 0
        say("parent", flaggate.is_active("x"), store.failures)
        """
    )
    assert printed.splitlines() == ["child True 0", "child False 0", "parent False 0"]


# --- gunicorn ---------------------------------------------------------------------------------


@contextmanager
def gunicorn(database: SharedDatabase, *arguments: str, **environment: str) -> Iterator[Any]:
    """Serve tests/projects/wsgi.py; what is given asks for its page."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(
            [*command, "--workers=2", "--no-control-socket", *arguments, "tests.projects.wsgi"],
            cwd=ROOT,
            env={**database.environment, **environment},
            pass_fds=[listener.fileno()],
            stderr=subprocess.PIPE,
        )
        database.processes.append(process)
        port = listener.getsockname()[1]

        def get(_: object = None) -> dict[str, Any]:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=LONG) as page:
                found: dict[str, Any] = json.load(page)
            return found

        try:
            yield get
        finally:
            process.terminate()
            process.communicate(timeout=LONG)


@pytest.mark.parametrize("asked", ["", "1"], ids=["asked later", "asked before the fork"])
def test_preloaded_workers_follow_a_change(shared_database: SharedDatabase, asked: str) -> None:
    shared_database.settings = "tests.projects.served"
    shared_database.run('changes.create("x", enabled=True)')
    with gunicorn(shared_database, "--preload", ASK_BEFORE_FORK=asked) as get:
        assert get()["active"]
        shared_database.run('changes.disable("x")')
        seen: dict[int, bool] = {}

        def both_follow() -> bool:
            answer = get()
            assert answer["failures"] == 0
            seen[answer["process"]] = answer["active"]
            return len(seen) == 2 and not any(seen.values())

        until(both_follow)


def test_gevent_workers_follow_a_change_and_none_waits_for_another(
    shared_database: SharedDatabase,
) -> None:
    shared_database.settings = "tests.projects.served"
    shared_database.run('changes.create("x", enabled=True)')
    with (
        gunicorn(shared_database, "--worker-class=gevent", "--workers=1") as get,
        ThreadPoolExecutor(16) as pool,
    ):
        first = list(pool.map(get, range(64)))
        assert {answer["active"] for answer in first} == {True}
        assert {answer["failures"] for answer in first} == {0}
        assert max(answer["loads"] for answer in first) == 1
        shared_database.run('changes.disable("x")')
        until(lambda: not get()["active"])
        later = list(pool.map(get, range(64)))
        assert {(answer["active"], answer["loads"]) for answer in later} == {(False, 2)}
