"""Waiting for something to become true, and threads that end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

LONG = 30.0  # seconds after which something will not happen any more


def until(happened: Callable[[], object], seconds: float = LONG) -> None:
    """Wait until something has happened; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"did not happen within {seconds} s"
        time.sleep(0.01)


@contextmanager
def in_thread(call: Callable[[], Any]) -> Iterator[list[Any]]:
    """Run something in a thread beside the block; the list has its result when both have ended."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(call())
        finally:
            raw = connections["default"].connection
            connections.close_all()
            if connections["default"].vendor == "sqlite" and raw is not None:
                raw.close()  # Django leaves one to a database in memory open

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield results
    finally:
        thread.join(LONG)
        assert not thread.is_alive(), "the thread is stuck"
