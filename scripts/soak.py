"""Ask for flags in several processes while everything happens to them; `make soak` calls it.

Three processes of four threads ask, one changes 20 flags together and takes every fifth change
back. The database is a PostgreSQL of its own, whose connections are killed and which is stopped
and started on the way; where there is no `initdb`, a file of SQLite, and then neither is shown.
Prints a table of figures, and fails where one is not as promised. Linux only.

python scripts/soak.py [--seconds N] [--sqlite]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from soaking import cluster, verdict
from soaking.reader import THREADS, Seen
from soaking.writer import Written

SCRIPTS = Path(__file__).resolve().parent
READERS = [1.0, 1.0, 0.2]  # the MAX_STALENESS of each
WARM_UP = 0.2  # the share of the time after which memory may not grow any more
SETTLED = 2.0  # seconds that readers go on after the last change
LONGEST_OUTAGE = 10.0  # seconds

Trouble = Callable[[float], list[verdict.Outage]]


def main() -> None:
    """Run one soak."""
    parser = argparse.ArgumentParser(description="Soak flaggate.")
    parser.add_argument("--seconds", type=float, default=60, help="how long (%(default)s)")
    parser.add_argument("--sqlite", action="store_true", help="on a file of SQLite")
    given = parser.parse_args()
    binaries = None if given.sqlite else cluster.find_binaries()
    if binaries is None:
        print("Not shown on SQLite: killed connections, and an outage of the database.")
        with TemporaryDirectory() as directory:
            soak = Soak(f"sqlite:///{directory}/db.sqlite3", given.seconds)
            report("SQLite", soak.run(no_trouble))
        return
    with cluster.running(binaries) as server:
        report("PostgreSQL", Soak(server.url, given.seconds).run(partial(trouble, server)))


def no_trouble(seconds: float) -> list[verdict.Outage]:
    """Leave the database alone."""
    return []


def trouble(server: cluster.Cluster, seconds: float) -> list[verdict.Outage]:
    """Kill connections all the time, all of them at once, and the server in the middle."""
    began = time.monotonic()
    kill_until(server, began + seconds * 0.2)
    server.kill(1000)
    kill_until(server, began + seconds * 0.4)
    down = time.monotonic()
    server.crash()
    time.sleep(min(LONGEST_OUTAGE, seconds * 0.2))
    server.start()
    up = time.monotonic()
    time.sleep(verdict.AFTER_OUTAGE)  # to be killed as well would be another fault
    kill_until(server, began + seconds)
    return [(down, up)]


def kill_until(server: cluster.Cluster, end: float) -> None:
    """Kill a connection every half second."""
    while time.monotonic() < end:
        server.kill(1)
        time.sleep(0.5)


class Soak:
    """Readers and a writer on one database."""

    def __init__(self, url: str, seconds: float) -> None:
        self.seconds = seconds
        self.environment = {
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "soaking.settings",
        }

    def run(self, trouble: Trouble) -> list[verdict.Figure]:
        """Let everybody work while there is trouble, and return the figures."""
        self._do("django", "migrate", "--verbosity=0")
        self._do("soaking.writer", "create")
        with ExitStack() as started:
            readers = [started.enter_context(self._worker("reader", each)) for each in READERS]
            writer = started.enter_context(self._worker("writer"))
            for worker in (*readers, writer):
                worker.wait()
            began = time.monotonic()
            time.sleep(self.seconds * WARM_UP)
            for reader in readers:
                reader.say("baseline")
            outages = trouble(self.seconds * (1 - WARM_UP))
            time.sleep(max(0.0, began + self.seconds - time.monotonic()))
            lasted = time.monotonic() - began
            written = Written(**writer.end())
            time.sleep(SETTLED)
            seen = [Seen(**reader.end()) for reader in readers]
        return list(verdict.figures(seen, written, outages, lasted))

    def _do(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, *arguments]
        subprocess.run(command, cwd=SCRIPTS, env=self.environment, check=True)

    def _worker(self, name: str, max_staleness: float = 1.0) -> Worker:
        environment = {**self.environment, "SOAK_MAX_STALENESS": str(max_staleness)}
        return Worker(f"soaking.{name}", environment)


class Worker:
    """A reader's or the writer's process; talked to by lines."""

    def __init__(self, module: str, environment: dict[str, str]) -> None:
        self.module = module
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=SCRIPTS,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Wait until it has begun."""
        if not self.process.stdout or self.process.stdout.readline() != "ready\n":
            sys.exit(f"FAILED: {self.module} did not begin")

    def say(self, word: str) -> None:
        """Send a line."""
        print(word, file=self.process.stdin, flush=True)

    def end(self) -> dict[str, Any]:
        """Tell it to stop, and return what it has to say."""
        said, _ = self.process.communicate("stop\n", timeout=60)
        if self.process.returncode:
            sys.exit(f"FAILED: {self.module} broke off")
        answer: dict[str, Any] = json.loads(said)
        return answer

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def report(database: str, figures: list[verdict.Figure]) -> None:
    """Print the table, and fail where a figure is not as promised."""
    print(f"\nA soak on {database}: {len(READERS)} processes of {THREADS} threads\n")
    print(*figures, sep="\n")
    if failed := [figure.name for figure in figures if not figure.holds]:
        sys.exit(f"\nFAILED: {'; '.join(failed)}")


if __name__ == "__main__":
    main()
