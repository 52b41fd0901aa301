"""``flags create``."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from datetime import date
from typing import TYPE_CHECKING, Any

from flaggate import changes
from flaggate.management import changing, keys
from flaggate.models import Flag, wording

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from flaggate.management.answers import Answer, Options, Terminal

# Options that are fields of the flag by the same name; one that was not given is left out.
FIELDS = (
    "description",
    "kind",
    "owner",
    "tags",
    "bucket_by",
    "off_variant",
    "client_visible",
    "permanent",
    "expires_on",
    "enabled",
)


def arguments(parser: ArgumentParser) -> None:
    """Declare the fields of a new flag."""
    parser.add_argument("--description")
    parser.add_argument("--kind", choices=Flag.Kind.values)
    parser.add_argument("--owner")
    parser.add_argument("--tag", action="append", dest="tags", help="May be repeated.")
    parser.add_argument(
        "--percentage", metavar="P", help="The share of everyone that gets it: 0 to 100."
    )
    parser.add_argument(
        "--bucket-by", metavar="A", help="The attribute that is hashed, such as visitor."
    )
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        dest="variants",
        type=variant,
        metavar="KEY=JSON[:WEIGHT]",
        help="""May be repeated: --variant 'wide={"columns": 2}:50'.""",
    )
    parser.add_argument("--off-variant", metavar="KEY", help="The variant for those outside.")
    parser.add_argument("--client-visible", action="store_true", help="Browsers may see it.")
    parser.add_argument("--permanent", action="store_true", help="Meant to stay.")
    parser.add_argument("--expires-on", type=day, metavar="DATE", help="A reminder: 2027-01-31.")
    parser.add_argument("--enable", action="store_true", dest="enabled", help="Turn it on, too.")


def run(options: Options, terminal: Terminal) -> Answer:
    """Create a flag."""
    key = options["key"]
    fields: dict[str, Any] = {name: options[name] for name in FIELDS if options[name]}
    if options["percentage"] is not None:
        fields["percentage"] = changes.to_percentage(key, options["percentage"])
    with changes.change(**changing.author(options)) as opened:
        changes.create(key, variants=options["variants"], **fields)
    flag = keys.find(key)
    said = f"{key}: created, {wording.state(flag)}. {changing.revisions(opened, flag)}"
    return changing.answer(flag, said)


def variant(text: str) -> tuple[str, Any, int]:
    """Read key, value and weight: 'compact={"columns": 4}:50'; the weight is 1 by default."""
    key, separator, rest = text.partition("=")
    if not separator:
        raise ArgumentTypeError(f"{text!r} has no value. Write KEY=JSON, or KEY=JSON:WEIGHT.")
    value, _, weight = rest.rpartition(":")
    for written, number in ((rest, "1"), (value, weight)):
        try:
            return key, json.loads(written), int(number)
        except ValueError:
            continue
    raise ArgumentTypeError(
        f"{rest!r} is no JSON value, alone or with a weight behind a colon. "
        f"A text stands in quotes: '{key}=\"{rest}\"'."
    )


def day(text: str) -> date:
    """Read a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date. Write it like 2027-01-31.") from None
