"""Bodies of 100 MB over a socket: refused at once, and never taken into memory."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.example_project.shop import manage, serving

PATIENCE = 60  # seconds; less than reading 100 MB as JSON takes would be enough
BLOCK = b" " * 65_536
BLOCKS = 100_000_000 // len(BLOCK) + 1
ROOM = 40  # MiB: a project takes 2.5 MB for one request, and what Python makes of it

PREPARE = """
import json
from flaggate import changes
from flaggate.api import keys
changes.create("x", client_visible=True)
scopes = ["evaluate:client", "manage:write"]
print(json.dumps({scope: keys.create(scope.replace(":", " "), [scope]).secret for scope in scopes}))
"""

# What is asked → with which key, and the status that refuses 100 MB whose length is said.
ADDRESSES = {
    "/ofrep/v1/evaluate/flags": ("evaluate:client", 400),
    "/ofrep/v1/evaluate/flags/x": ("evaluate:client", 400),
    "/flaggate/v1/usage": ("evaluate:client", 400),
    "/api/flags/v1/flags/": ("manage:write", 413),
    "/api/flags/v1/flags/x/enable/": ("manage:write", 413),
    "/api/flags/v1/segments/": ("manage:write", 413),
    "/api/flags/v1/keys/": ("manage:write", 403),
}
WHOLE, CHUNKED = f"Content-Length: {len(BLOCK) * BLOCKS}", "Transfer-Encoding: chunked"


@dataclass(frozen=True)
class Server:
    """A shop that a real server serves: its port, the process that answers, and keys."""

    port: int
    pid: int
    secrets: dict[str, str]

    def post(self, address: str, body: Iterator[bytes], length: str) -> tuple[int, str]:
        """Send a request, and return the status and the body of the answer."""
        secret = self.secrets[ADDRESSES[address][0]]
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(
                f"POST {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                f"Authorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
                f"{length}\r\n\r\n".encode()
            )
            with suppress(ConnectionError):  # the answer has come, and nobody listens any more
                for piece in body:
                    connection.sendall(piece)
            head, _, text = _all(connection).partition(b"\r\n\r\n")
        return int(head.split()[1]), text.decode()

    def one(self, address: str, body: bytes) -> tuple[int, str]:
        return self.post(address, iter([body]), f"Content-Length: {len(body)}")

    def memory(self, name: str) -> int:
        """Return what the process holds, or has held at the most, in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024


def _all(connection: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            received += piece
    return received


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def whole() -> Iterator[bytes]:
    return (BLOCK for _ in range(BLOCKS))


def chunked() -> Iterator[bytes]:
    yield from map(chunk, whole())
    yield b"0\r\n\r\n"


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    database = tmp_path_factory.mktemp("shop") / "db.sqlite3"
    manage(database, "migrate", "--verbosity=0")
    secrets = json.loads(manage(database, "shell", "--verbosity=0", "-c", PREPARE))
    with serving(database, request.param) as (port, process):
        served = Server(port, process.pid, secrets)
        for address in ADDRESSES:  # so that everything is imported
            served.one(address, b"{}")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        workers = children.read_text().split() if children.exists() else []
        yield Server(port, int(workers[0]) if workers else process.pid, secrets)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("framing", ["whole", "chunked"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_100_mb_are_refused_and_take_no_memory(server, address, framing):
    before = server.memory("VmRSS")
    body, length = (whole(), WHOLE) if framing == "whole" else (chunked(), CHUNKED)
    status, _text = server.post(address, body, length)
    assert 400 <= status < 500
    if framing == "whole":
        assert status == ADDRESSES[address][1]
    most = server.memory("VmHWM")
    print(f"{address}, {framing}: {status}; {before} MiB before, at most {most} MiB until now")
    assert most - before < ROOM


@pytest.mark.parametrize("address", ["/api/flags/v1/flags/", "/api/flags/v1/flags/x/enable/"])
def test_a_change_that_comes_in_chunks_is_refused_and_not_half_done(server, address):
    """Django would pass it on without its body: enabled, and the comment lost."""
    body = [chunk(b'{"comment": "Why"}'), b"0\r\n\r\n"]
    status, text = server.post(address, iter(body), CHUNKED)
    assert (status, "Content-Length" in text) == (411, True)


def test_a_question_that_comes_in_chunks_is_answered_or_told_why(server):
    body = [chunk(b'{"context": '), chunk(b"{}}"), b"0\r\n\r\n"]
    status, text = server.post("/ofrep/v1/evaluate/flags", iter(body), CHUNKED)
    assert status == 200 or (status, "Content-Length" in text) == (400, True)
