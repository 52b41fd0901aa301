"""``flags members``: add, remove or replace the members of a segment, from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flaggate import changes
from flaggate.changes import members
from flaggate.exceptions import FlaggateError
from flaggate.management import changing
from flaggate.management.answers import Answer

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from flaggate.management.answers import Options, Terminal

ACTS = {"add": members.add, "remove": members.remove, "replace": members.replace}
INPUT = "-"


def arguments(parser: ArgumentParser) -> None:
    """Declare what is done with whom."""
    parser.add_argument("key", metavar="SEGMENT", help="The key of the segment.")
    what = parser.add_mutually_exclusive_group(required=True)
    for act in ACTS:
        what.add_argument(
            f"--{act}",
            metavar="FILE",
            help=f"{act.capitalize()} these targeting keys, one a line; - is standard input.",
        )
    parser.add_argument(
        "--excluded", action="store_true", help="Not the included members but the excluded ones."
    )
    changing.arguments(parser)


def run(options: Options, terminal: Terminal) -> Answer:
    """Change the members of a segment."""
    act = next(name for name in ACTS if options[name])
    key, keys = options["key"], _read(options[act])
    with changes.change(**changing.author(options)):
        tally = ACTS[act](key, keys, excluded=options["excluded"])
    document = {
        "segment": key,
        "added": tally.added,
        "removed": tally.removed,
        "unchanged": tally.unchanged,
    }
    line = (
        f"{key}: {tally.added:,} added, {tally.removed:,} removed, {tally.unchanged:,} unchanged."
    )
    return Answer(document, [line])


def _read(name: str) -> list[str]:
    try:
        text = sys.stdin.read() if name == INPUT else Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FlaggateError(f"{name}: can't be read: {error}") from error
    return [line for line in map(str.strip, text.splitlines()) if line]
