"""A process that changes all flags together, and writes down what it committed.

python -m soaking.writer; says "ready", reads "stop", and answers with JSON.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from itertools import count

import django

from soaking import BITS, VALUES

PAUSE = 0.01  # seconds between two changes
ROLLED_BACK = 0.2  # the share of changes that are
RECORDED = 10  # every tenth change leaves revisions


class Undone(Exception):
    """Raised inside a change, so that nothing may be left of it."""


@dataclass
class Written:
    """What became of each generation. Times are monotonic seconds."""

    committed: list[tuple[int, float]] = field(default_factory=list)
    rolled_back: list[int] = field(default_factory=list)
    failed: int = 0


class Writer:
    """The only one who changes flags."""

    def __init__(self) -> None:
        self.written = Written()
        self.stopping = threading.Event()

    def run(self) -> Written:
        """Write one generation after the other until the input says stop."""
        threading.Thread(target=self._hear_stop, daemon=True).start()
        print("ready", flush=True)
        for generation in count(1):
            if self.stopping.wait(PAUSE):
                break
            self.write(generation)
        return self.written

    def write(self, generation: int) -> None:
        """Change all flags to a generation, or take that back."""
        from django.db import Error, connection

        try:
            self.change(generation, undo=random.random() < ROLLED_BACK)  # noqa: S311 - by lot
        except Undone:
            self.written.rolled_back.append(generation)
        except Error:
            # Whether a commit was carried out is not known to whom the server did not answer.
            self.written.failed += 1
            connection.close()
            self._settle(generation)
        else:
            self.written.committed.append((generation, time.monotonic()))

    def change(self, generation: int, *, undo: bool) -> None:
        """Write one generation, as plain ORM writes or as a recorded change.

        A change with its 20 revisions takes a tenth of a second, so there can't be ten in one.
        """
        from django.db import transaction

        from flaggate import changes
        from flaggate.models import Flag, Variant

        ones = [key for key, bit in BITS.items() if generation & bit]
        whole = changes.change() if generation % RECORDED == 0 else transaction.atomic()
        with whole:
            Variant.objects.filter(flag__key__in=VALUES).update(value=generation)
            Flag.objects.filter(key__in=ones).update(enabled=True)
            Flag.objects.filter(key__in=BITS.keys() - ones).update(enabled=False)
            if undo:
                raise Undone

    def _settle(self, generation: int) -> None:
        """Ask the database, once it answers, whether it has a generation."""
        while (stored := _stored()) is None:
            time.sleep(0.05)
        if stored == generation:
            self.written.committed.append((generation, time.monotonic()))
        else:
            self.written.rolled_back.append(generation)

    def _hear_stop(self) -> None:
        sys.stdin.readline()
        self.stopping.set()


def create() -> None:
    """Create the flags, of generation 0."""
    from flaggate import changes

    with changes.change():
        for key in VALUES:
            changes.create(key, enabled=True, variants=[("only", 0, 1)])
        for key in BITS:
            changes.create(key)


def _stored() -> int | None:
    from django.db import Error, connection

    from flaggate.models import Variant

    try:
        return int(Variant.objects.values_list("value", flat=True)[0])
    except Error:
        connection.close()
        return None


if __name__ == "__main__":
    django.setup()
    if sys.argv[1:] == ["create"]:
        create()
    else:
        print(json.dumps(asdict(Writer().run())))
