"""``flags schedule``: from when, and until when, a flag is active at the most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flaggate import changes
from flaggate.exceptions import ChangeRefused
from flaggate.management import changing, keys
from flaggate.management.moments import moment

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from flaggate.management.answers import Options


MOMENTS = ("active_from", "active_until")


def arguments(parser: ArgumentParser) -> None:
    """Declare the two moments."""
    parser.add_argument(
        "--from",
        dest="active_from",
        type=moment,
        metavar="MOMENT",
        help="When it begins: 2027-01-31T09:00Z.",
    )
    parser.add_argument(
        "--until", dest="active_until", type=moment, metavar="MOMENT", help="When it ends."
    )
    parser.add_argument("--always", action="store_true", help="Take both moments away.")


def _act(key: str, options: Options) -> None:
    given = {name: options[name] for name in MOMENTS if options[name]}
    if bool(given) == options["always"]:
        raise ChangeRefused(f"flag {key}: say --from, --until or both, or --always.")
    flag = keys.find(key)
    kept = {} if options["always"] else {name: getattr(flag, name) for name in MOMENTS}
    changes.schedule(key, **{**kept, **given})


run = changing.write(_act)
