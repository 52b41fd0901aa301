"""``flags list``: which flags there are, and for whom they are on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaggate.management import keys, showing, tables
from flaggate.management.answers import Answer
from flaggate.models import Flag, wording
from flaggate.store import store

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from flaggate.management.answers import Options, Terminal

# --state → the filter on stored flags. "on" is the master switch: also scheduled flags are.
STATES: dict[str, dict[str, Any]] = {
    "on": {"enabled": True, "archived_at": None},
    "off": {"enabled": False, "archived_at": None},
    "archived": {"archived_at__isnull": False},
    "all": {},
}
NOT_ARCHIVED = {"archived_at": None}
HEADER = ("KEY", "STATE", "KIND", "OWNER", "MODIFIED")
STATE = HEADER.index("STATE")


def arguments(parser: ArgumentParser) -> None:
    """Declare the filters."""
    parser.add_argument(
        "--state", choices=STATES, help="Without it, all flags that are not archived."
    )
    parser.add_argument("--kind", choices=Flag.Kind.values)
    parser.add_argument(
        "--tag", action="append", default=[], dest="tags", help="May be repeated: flags with all."
    )
    parser.add_argument("--owner", help="A part of the owner's name.")


def run(options: Options, terminal: Terminal) -> Answer:
    """List flags."""
    flags = _matching(options)
    broken = store.current().quarantined
    rows = [_row(flag, broken=flag.key in broken) for flag in flags]
    lines = list(tables.table(HEADER, rows, wrap=STATE, width=terminal.width))
    if flags:
        lines[0] = terminal.style.MIGRATE_HEADING(lines[0])
    else:
        lines = ["No flag matches." if keys.stored().exists() else "There are no flags yet."]
    return Answer([showing.document(flag) for flag in flags], lines)


def _matching(options: Options) -> list[Flag]:
    flags = keys.stored().filter(**STATES.get(options["state"], NOT_ARCHIVED))
    if options["kind"]:
        flags = flags.filter(kind=options["kind"])
    if options["owner"]:
        flags = flags.filter(owner__icontains=options["owner"])
    return [
        flag
        for flag in keys.read(flags)
        if all(tag in showing.tags(flag) for tag in options["tags"])
    ]


def _row(flag: Flag, *, broken: bool) -> tuple[str, ...]:
    state = f"broken; {wording.state(flag)}" if broken else wording.state(flag)
    return flag.key, state, flag.kind, flag.owner, f"{flag.modified:%Y-%m-%d}"
