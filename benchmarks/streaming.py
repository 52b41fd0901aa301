"""Hold many event streams open in one process, change a flag, and see when each hears of it.

One process of uvicorn serves them, and another makes the changes, so that the server has to find
them in the database. docs/reference/benchmarks.md says how to read it.

python benchmarks/streaming.py [--streams N] [--changes N]
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import serving
from table import Row, duration, show, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

STREAMS = 1000
CHANGES = 5
PATIENCE = 30  # seconds
SECOND = 1e9
MIB = 2**20

CHANGE = """
import django, sys, time
django.setup()
from flaggate import changes
for line in sys.stdin:
    act = {"on": changes.enable, "off": changes.disable}[line.strip()]
    act("flag_0")
    print(time.time(), flush=True)
"""


def main() -> None:
    """Serve, connect, change and print."""
    parser = argparse.ArgumentParser(description="Hold many event streams open.")
    parser.add_argument("--streams", type=int, default=STREAMS, help="%(default)s")
    parser.add_argument("--changes", type=int, default=CHANGES, help="%(default)s")
    arguments = parser.parse_args()
    with TemporaryDirectory() as directory:
        os.environ["SERVING_DATABASE"] = str(Path(directory) / "db.sqlite3")
        os.environ["DJANGO_SETTINGS_MODULE"] = "serving_settings"
        secret = serving.set_up()
        with _served() as (port, pid), _changing() as writer:
            rows = asyncio.run(_run(_address(port, secret), port, pid, writer, arguments))
    show(f"{arguments.streams:,} event streams in one process of uvicorn", rows)


@contextmanager
def _served() -> Iterator[tuple[int, int]]:
    port = serving.free_port()
    uvicorn = [sys.executable, "-m", "uvicorn", "django.core.asgi:get_asgi_application"]
    options = ["--factory", f"--port={port}", "--log-level=error", "--backlog=4096"]
    process = subprocess.Popen(
        [*uvicorn, *options, "--timeout-graceful-shutdown=1"], cwd=Path(__file__).parent
    )
    try:
        serving.wait_for(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _changing() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", CHANGE],
        cwd=Path(__file__).parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _address(port: int, secret: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    connection.request("POST", serving.ALL, '{"context": {}}', headers)
    url = json.loads(connection.getresponse().read())["eventStreams"][0]["url"]
    return "/" + str(url).split("/", 3)[3]


async def _run(
    address: str,
    port: int,
    pid: int,
    writer: subprocess.Popen[str],
    arguments: argparse.Namespace,
) -> list[Row]:
    before = _memory(pid)
    started = time.perf_counter()
    streams = [await _connect(address, port) for _ in range(arguments.streams)]
    connected = time.perf_counter() - started
    opened, threads = _memory(pid), _status(pid, "Threads")
    busy = await _busy(pid)
    delays: list[float] = []
    for number in range(arguments.changes):
        heard = [asyncio.create_task(_hear(stream)) for stream in streams]
        at = await asyncio.to_thread(_change, writer, "off" if number % 2 else "on")
        moments = await asyncio.wait_for(asyncio.gather(*heard), PATIENCE)
        delays += [moment - at for moment in moments]
    return [
        Row("to connect all of them, one after the other", duration(connected * SECOND)),
        *_delays(delays),
        Row("memory for each stream", f"{(opened - before) / arguments.streams / 1024:.0f} KiB"),
        Row("memory of the process", f"{opened / MIB:.0f} MiB"),
        Row("threads of the process", str(threads)),
        Row("connections to the database", str(_connections(pid))),
        Row("processor while nothing happens", f"{busy:.1%}"),
    ]


def _delays(delays: Sequence[float]) -> list[Row]:
    last = max(delays)
    return [
        Row("from the commit to the event, the median", duration(median(delays) * SECOND)),
        Row("  99 of 100 within", duration(quantiles(delays, n=100)[98] * SECOND)),
        Row("  the last", duration(last * SECOND), "", "≤ 2 s", verdict(last, 2)),
    ]


async def _connect(address: str, port: int) -> Stream:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    head = await asyncio.wait_for(reader.readuntil(b"retry: 2000\n\n"), PATIENCE)
    assert head.startswith(b"HTTP/1.1 200"), head
    return reader, writer


async def _hear(stream: Stream) -> float:
    await stream[0].readuntil(b"refetchEvaluation")
    return time.time()


def _change(writer: subprocess.Popen[str], how: str) -> float:
    assert writer.stdin
    assert writer.stdout
    writer.stdin.write(f"{how}\n")
    writer.stdin.flush()
    return float(writer.stdout.readline())


async def _busy(pid: int, seconds: float = 5) -> float:
    """Return the share of one processor that a process takes."""
    before = _ticks(pid)
    await asyncio.sleep(seconds)
    return (_ticks(pid) - before) / os.sysconf("SC_CLK_TCK") / seconds


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _connections(pid: int) -> int:
    """Count how often a process has the database's file open."""
    opened = [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
    return opened.count(os.environ["SERVING_DATABASE"])


def _memory(pid: int) -> int:
    return _status(pid, "VmRSS") * 1024


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
