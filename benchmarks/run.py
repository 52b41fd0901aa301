"""Measure flaggate against floors of the same run, and print a table.

docs/reference/benchmarks.md says how to read it.

python benchmarks/run.py [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import decisions
import floors
import project
from measure import ROUNDS, Subject, measure
from table import Row, rows, show


def main() -> None:
    """Run everything once."""
    parser = argparse.ArgumentParser(description="Measure flaggate.")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="samples of each subject (%(default)s)"
    )
    rounds = parser.parse_args().rounds
    print(_head(rounds))
    with TemporaryDirectory() as directory:
        project.set_up(Path(directory))
        _time(rounds)
        _search(max(7, rounds // 10))
        _load(max(7, rounds // 10))
        _close()


def _head(rounds: int) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("flaggate", "django", "mmh3"))
    return (
        f"{packages}; {platform.python_implementation()} {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}; {_processor()}, {os.cpu_count()} cores\n"
        f"Times are the minimum of {rounds} interleaved samples, ratios are to floors of this run."
    )


def _processor() -> str:
    """Return the processor's name; ``platform`` knows it on few systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _time(rounds: int) -> None:
    import public

    targeted, around = public.subjects()
    sections: dict[str, list[Subject]] = {
        "Floors": floors.SUBJECTS,
        "Through the snapshot, with a prepared context": decisions.DECISIONS,
        "The size of the snapshot": decisions.sizes(),
        "The public call, recording included": targeted,
        "Around it": [*around, *decisions.AROUND],
        "One rule of one condition": decisions.OPERATOR_DECISIONS,
    }
    if project.WAFFLE:
        import compared

        sections["django-waffle"] = compared.subjects()
    times = measure([each for section in sections.values() for each in section], rounds)
    for title, subjects in sections.items():
        show(title, rows(subjects, times))
    if not project.WAFFLE:
        show("django-waffle", [Row("not installed", "")])


def _search(rounds: int) -> None:
    import patterns

    title = f"The slowest pattern of each family, on 1,024 characters, {rounds} rounds"
    show(title, patterns.rows(rounds) if find_spec("re2") else [Row("google-re2 is missing", "")])


def _load(rounds: int) -> None:
    import loading

    show(f"Loading from a SQLite file, {rounds} rounds", loading.rows(rounds))


def _close() -> None:
    """Forget what was counted, and the database, before its file goes."""
    from django.db import connections

    from flaggate import recording

    recording.counts.clear()
    connections.close_all()


if __name__ == "__main__":
    main()
