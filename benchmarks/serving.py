"""Measure OFREP over a socket, against an empty view of Django REST framework in the same process.

One process of gunicorn with one thread serves all of it, over one connection that is kept open.
docs/reference/benchmarks.md says how to read it.

python benchmarks/serving.py [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from table import Row, duration, show, verdict

ROUNDS = 2000
WARM_UP = 200  # requests of each kind, so that every flag is compiled and every key is known
FLAGS = 200
ALL = "/ofrep/v1/evaluate/flags"
EMPTY = "an empty view of the framework"

BODY = json.dumps({"context": {"targetingKey": "42", "plan": "gold", "screen": 1200}})

# What is asked → the address, whether the ETag is sent, the status, and at most how many times
# the empty view.
REQUESTS = {
    EMPTY: ("/empty", False, 200, None),
    "one flag": (f"{ALL}/flag_2", False, 200, 1.5),
    f"{FLAGS} flags": (ALL, False, 200, 3),
    f"{FLAGS} flags, nothing new (304)": (ALL, True, 304, 1.2),
}


def main() -> None:
    """Serve, ask, and print."""
    parser = argparse.ArgumentParser(description="Measure OFREP over a socket.")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="requests of each kind (%(default)s)"
    )
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as directory:
        os.environ["SERVING_DATABASE"] = str(Path(directory) / "db.sqlite3")
        os.environ["DJANGO_SETTINGS_MODULE"] = "serving_settings"
        secret = set_up()
        with _served() as port:
            samples = _measure(HTTPConnection("127.0.0.1", port), secret, rounds)
    show(
        f"OFREP over a socket: the median of {rounds:,} requests each, one after the other",
        [_row(name, samples) for name in REQUESTS],
    )


def set_up() -> str:
    """Create the flags and a key, and return its secret."""
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    from database import replace
    from definitions import SEGMENTS, mixed
    from flaggate.api import keys
    from flaggate.models import Flag

    call_command("migrate", verbosity=0)
    replace(mixed(FLAGS), SEGMENTS)
    Flag.objects.update(client_visible=True)
    secret = keys.create("benchmark", ["evaluate:client"]).secret
    connections.close_all()
    return secret


@contextmanager
def _served() -> Iterator[int]:
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "django.core.wsgi:get_wsgi_application()"]
    options = ["--workers=1", "--worker-class=gthread", "--threads=1", "--keep-alive=60"]
    process = subprocess.Popen(
        [
            *gunicorn,
            *options,
            f"--bind=127.0.0.1:{port}",
            "--log-level=error",
            "--no-control-socket",
        ],
        cwd=Path(__file__).parent,
    )
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until a server answers."""
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("The server does not answer.")


def _measure(connection: HTTPConnection, secret: str, rounds: int) -> dict[str, list[float]]:
    """Ask for each in turn, so that a slow moment of the machine hits all of them alike."""
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    _seconds, etag = _ask(connection, ALL, headers, 200)
    samples: dict[str, list[float]] = {name: [] for name in REQUESTS}
    for number in range(WARM_UP + rounds):
        for name, (address, conditional, status, _limit) in REQUESTS.items():
            sent = {**headers, **({"If-None-Match": etag} if conditional else {})}
            if name == EMPTY:
                del sent["Authorization"]
            seconds, _etag = _ask(connection, address, sent, status)
            if number >= WARM_UP:
                samples[name].append(seconds)
    return samples


def _ask(
    connection: HTTPConnection, address: str, headers: dict[str, str], status: int
) -> tuple[float, str]:
    started = time.perf_counter()
    connection.request("POST", address, BODY, headers)
    response = connection.getresponse()
    response.read()
    seconds = time.perf_counter() - started
    assert response.status == status, (address, response.status)
    return seconds, response.headers.get("ETag", "")


def _row(name: str, samples: dict[str, list[float]]) -> Row:
    time_, floor = median(samples[name]), median(samples[EMPTY])
    limit = REQUESTS[name][3]
    if limit is None:
        return Row(name, duration(time_ * 1e9))
    ratio = time_ / floor
    shown = f"{ratio:.2f} × the empty view"
    return Row(name, duration(time_ * 1e9), shown, f"≤ {limit:g} ×", verdict(ratio, limit))


if __name__ == "__main__":
    main()
