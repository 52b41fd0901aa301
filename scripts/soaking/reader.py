"""A process that asks for flags in several threads, and writes down what it saw.

python -m soaking.reader; says "ready", reads "baseline" and "stop", and answers with JSON.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import django

from soaking import BITS, VALUES

THREADS = 4
PAUSE = 0.004  # seconds between two requests of a thread
MOST_SHOWN = 5  # exceptions


@dataclass
class Seen:
    """What one process saw. Times are monotonic seconds, which all processes share."""

    max_staleness: float
    requests: int = 0
    exceptions: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    torn: int = 0
    steps_back: int = 0
    #: By generation: when the last request began that still got it.
    last_request: dict[int, float] = field(default_factory=dict)
    last_generations: list[int] = field(default_factory=list)
    loads: int = 0
    threads: tuple[int, int] = (0, 0)  # before the first request, and after the last
    descriptors: tuple[int, int] = (0, 0)
    memory: tuple[int, int] = (0, 0)  # bytes in RAM, after the warm-up and at the end

    def __post_init__(self) -> None:
        self.last_request = {int(key): value for key, value in self.last_request.items()}  # JSON's


class Reader:
    """The threads of one process."""

    def __init__(self) -> None:
        from flaggate import conf

        self.seen = Seen(conf.get().MAX_STALENESS or 0.0)
        self.stopping = threading.Event()
        self.lock = threading.Lock()

    def run(self) -> Seen:
        """Ask until the input says stop."""
        from django.db import connection

        from flaggate.store import store

        before = _threads(), _descriptors()
        self.request(0)
        connection.close()
        threads = [threading.Thread(target=self.ask) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        print("ready", flush=True)
        _wait_for("baseline")
        warm = _memory()
        _wait_for("stop")
        full = _memory()
        self.stopping.set()
        for thread in threads:
            thread.join()
        self.seen.threads = before[0], _threads()
        self.seen.descriptors = before[1], _descriptors()
        self.seen.memory = warm, full
        self.seen.loads = store.loads
        return self.seen

    def ask(self) -> None:
        """Ask for all flags, again and again."""
        from django.db import connection

        generation = 0
        while not self.stopping.wait(PAUSE):
            try:
                generation = self.request(generation)
            except Exception as error:
                self.seen.exceptions.append(repr(error))
        self.seen.last_generations.append(generation)
        connection.close()  # as Django does at the end of each of its own threads

    def request(self, before: int) -> int:
        """Ask once, and return the generation."""
        import flaggate

        started = time.monotonic()
        flags = flaggate.flags_for("somebody")
        answers = [flags.evaluate(key) for key in VALUES]
        spelt = sum(bit for key, bit in BITS.items() if flags.is_active(key))
        errors = [answer.error for answer in answers if answer.error]
        with self.lock:
            self.seen.requests += 1
            if errors:
                self.seen.errors += errors
                return before
            generations: set[Any] = {answer.value for answer in answers}
            generation: int = max(generations)
            self.seen.torn += len(generations) > 1 or spelt != generation % (1 << len(BITS))
            self.seen.steps_back += generation < before
            self.seen.last_request[generation] = started
        return generation


def _wait_for(word: str) -> None:
    if sys.stdin.readline().strip() != word:
        sys.exit(f"{word!r} was expected")


def _threads() -> int:
    return threading.active_count()


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def _memory() -> int:
    """Return what the process takes of the machine: no object can hide from that."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    django.setup()
    seen = Reader().run()
    seen.exceptions, seen.errors = seen.exceptions[:MOST_SHOWN], seen.errors[:MOST_SHOWN]
    print(json.dumps(asdict(seen)))
