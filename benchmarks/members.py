"""One segment with a million members: what a process pays in memory, and a decision in time.

On the database that DATABASE_URL names, in a test database of its own, or in a SQLite file:

DATABASE_URL=postgres://… python benchmarks/members.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from timeit import repeat

ROOT = Path(__file__).resolve().parent.parent
NUMBER = 1_000_000
MIB = 2**20
BATCH = 20_000


def main() -> None:
    """Fill the database here, and measure in a process that has done nothing else."""
    with TemporaryDirectory() as directory:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{directory}/members.sqlite3")
        _set_up()
        from django.db import connection

        name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            _fill()
            connection.close()
            _measure_elsewhere(name)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


def _set_up() -> None:
    import django

    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()


def _fill() -> None:
    from flaggate import changes
    from flaggate.models import Flag, Rule, Segment

    with changes.change():
        segment = Segment.objects.create(key="million")
        flag = Flag.objects.create(key="x", enabled=True, percentage=0)
        Rule.objects.create(flag=flag).segments.add(segment)
    started = perf_counter()
    tally = changes.members.add("million", map(_key, range(NUMBER)))
    print(f"{tally.added:,} members added as one change: {perf_counter() - started:.1f} s")


def _key(number: int) -> str:
    return str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))


def _measure_elsewhere(name: str) -> None:
    from django.db import connection

    print(f"{connection.vendor}, UUIDs as targeting keys", flush=True)
    subprocess.run([sys.executable, __file__, "measure", name], check=True)


def _measure(name: str) -> None:
    _set_up()
    from django.db import connection

    import flaggate
    from flaggate.models import Flag
    from flaggate.store import store

    connection.settings_dict["NAME"] = name
    Flag.objects.count()  # connected, and everything imported
    before = _resident()
    started = perf_counter()
    assert len(store.current().segments["million"].included) == NUMBER
    seconds = perf_counter() - started
    print(f"loaded in {seconds:.1f} s, {_peak() - before:.0f} MiB more at the most,", end=" ")
    print(f"{_resident() - before:.0f} MiB more afterwards")
    evaluate = flaggate.flags_for(_key(7)).evaluate
    assert evaluate("x").active
    assert not flaggate.flags_for("nobody").is_active("x")
    nanoseconds = min(repeat(lambda: evaluate("x"), number=10_000, repeat=20)) / 10_000 * 1e9
    print(f"a decision through the public call: {nanoseconds:.0f} ns, without a query")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def _peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    _measure(sys.argv[2]) if sys.argv[1:2] == ["measure"] else main()
