"""A PostgreSQL of our own: in a temporary directory, on a free port, to be stopped and killed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

USER = "postgres"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # the server crashes, the machine does not
    "max_connections": "50",
}


class Cluster:
    """A server, and what can happen to it."""

    def __init__(self, binaries: Path, directory: Path) -> None:
        self.binaries = binaries
        self.data = directory / "data"
        self.log = directory / "log"
        self.port = _free_port()
        self.url = f"postgres://{USER}@127.0.0.1:{self.port}/postgres?connect_timeout=2"

    def create(self) -> None:
        """Make the data directory."""
        self._run("initdb", "--pgdata", self.data, "--auth=trust", "--username", USER, "--no-sync")

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        given = {**SETTINGS, "port": str(self.port)}
        options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        self._ctl("start", "--log", self.log, "--options", options)

    def crash(self) -> None:
        """Stop the server as if it had been killed: no goodbye to any connection."""
        self._ctl("stop", "--mode=immediate")

    def kill(self, most: int) -> int:
        """Kill some of the connections, drawn by lot, and return how many."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            killed = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                " ORDER BY random() LIMIT %s) AS victims",
                [most],
            ).fetchall()
        return len(killed)

    def _ctl(self, action: str, *arguments: str | Path) -> None:
        self._run("pg_ctl", action, "--wait", "--pgdata", self.data, *arguments)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self.binaries / program, *arguments]
        if _is_root():  # as whom PostgreSQL refuses to run
            command = ["runuser", "-u", USER, "--", *command]
        # Not captured: the server would keep the pipe open.
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL)


@contextmanager
def running(binaries: Path) -> Iterator[Cluster]:
    """Start a new cluster, and leave nothing of it."""
    with TemporaryDirectory(prefix="flaggate-soak-") as name:
        if _is_root():
            shutil.chown(name, USER)
        cluster = Cluster(binaries, Path(name))
        cluster.create()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.crash()


def find_binaries() -> Path | None:
    """Return where ``initdb`` is: Debian's package puts it on no PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve())
    return found[-1].parent if found else None


def _version(initdb: Path) -> float:
    return float(initdb.parents[1].name)


def _is_root() -> bool:
    return os.geteuid() == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
