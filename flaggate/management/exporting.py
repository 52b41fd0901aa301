"""``flags export``: all flags in a file, for a process that starts while the database is gone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flaggate import conf
from flaggate.exceptions import FlaggateError
from flaggate.management.answers import Answer
from flaggate.store import bootstrap, store

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from flaggate.management.answers import Options, Terminal


def arguments(parser: ArgumentParser) -> None:
    """Declare what is written, and where."""
    parser.add_argument(
        "--bootstrap",
        nargs="?",
        const="",
        required=True,
        metavar="FILE",
        help="Write the bootstrap file, by default where FLAGGATE['BOOTSTRAP'] says.",
    )


def run(options: Options, terminal: Terminal) -> Answer:
    """Write the bootstrap file."""
    target = options["bootstrap"] or conf.get().BOOTSTRAP
    if not target:
        raise FlaggateError("No file is named. Give one, or set FLAGGATE['BOOTSTRAP'].")
    snapshot = store.current()
    if snapshot.source != "database" or store.failures:
        raise FlaggateError(f"The flags can't be read, so nothing was written: {store.error}")
    try:
        bootstrap.write(Path(target), snapshot.flags, snapshot.segments)
    except OSError as error:
        raise FlaggateError(f"{target}: can't be written: {error}") from error
    count = len(snapshot.flags)
    line = f"{count} {'flag' if count == 1 else 'flags'} written to {target}."
    return Answer({"file": str(target), "flags": count}, [line])
