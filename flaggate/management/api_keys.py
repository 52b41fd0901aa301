"""``flags keys``: list, create, rotate and revoke API keys."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from flaggate.api import keys
from flaggate.exceptions import FlaggateError
from flaggate.management import changing, tables
from flaggate.management.answers import Answer
from flaggate.models import ApiKey, state, wording

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    from flaggate.management.answers import Options, Terminal
    from flaggate.models.documents import Document

HEADER = ("NAME", "PREFIX", "SCOPES", "STATE", "LAST USED")
SCOPES = HEADER.index("SCOPES")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class UnknownKey(FlaggateError, LookupError):
    """A name or prefix that no usable API key has."""


def arguments(parser: ArgumentParser) -> None:
    """Declare what to do, to which key, and what a new one may do."""
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument("name", nargs="?", metavar="NAME", help="Its name, or a key's prefix.")
    parser.add_argument(
        "--scope",
        action="append",
        default=[],
        dest="scopes",
        choices=ApiKey.Scope.values,
        help="What a new key may do. May be repeated.",
    )
    parser.add_argument(
        "--expires", type=moment, metavar="DATE", help="When a new key ends: 2027-01-31."
    )
    parser.add_argument(
        "--overlap",
        type=duration,
        default=keys.OVERLAP,
        metavar="TIME",
        help="How long the old secret works after a rotation: 0m, 12h; by default 1d.",
    )
    changing.arguments(parser)


def run(options: Options, terminal: Terminal) -> Answer:
    """Do one of the actions. Raises UnknownKey."""
    if options["action"] != "list" and not options["name"]:
        raise UnknownKey(f"Name a key: `flags keys {options['action']} NAME`.")
    return ACTIONS[options["action"]](options, terminal)


def _list(options: Options, terminal: Terminal) -> Answer:
    found = ApiKey.objects.using(state.alias())
    if options["name"]:
        found = found.filter(name=options["name"])
    rows = [
        (key.name, key.prefix, ", ".join(key.scopes), keys.state_of(key), _moment(key.last_used_at))
        for key in found
    ]
    lines = list(tables.table(HEADER, rows, wrap=SCOPES, width=terminal.width))
    return Answer([_document(key) for key in found], lines if rows else ["There is no such key."])


def _create(options: Options, terminal: Terminal) -> Answer:
    issued = keys.create(
        options["name"],
        options["scopes"],
        expires_at=options["expires"],
        **changing.author(options),
    )
    return _issued(issued, f"{issued.key}: created, for {', '.join(issued.key.scopes)}.")


def _rotate(options: Options, terminal: Terminal) -> Answer:
    old = _usable(options["name"])[0]
    issued = keys.rotate(old, overlap=options["overlap"], **changing.author(options))
    old.refresh_from_db()
    return _issued(issued, f"{issued.key}: created. {old} works until {_moment(old.expires_at)}.")


def _revoke(options: Options, terminal: Terminal) -> Answer:
    revoked = [keys.revoke(key, **changing.author(options)) for key in _usable(options["name"])]
    return Answer([_document(key) for key in revoked], [f"{key}: revoked." for key in revoked])


ACTIONS: dict[str, Callable[[Options, Terminal], Answer]] = {
    "list": _list,
    "create": _create,
    "rotate": _rotate,
    "revoke": _revoke,
}


def _usable(named: str) -> list[ApiKey]:
    found = list(keys.usable(named))
    if not found:
        raise UnknownKey(
            f"There is no usable key {named!r}. `manage.py flags keys list` shows them all."
        )
    return found


def _issued(issued: keys.Issued, said: str) -> Answer:
    return Answer(
        {**_document(issued.key), "secret": issued.secret},
        [said, "Its secret, which is shown this once:", issued.secret],
    )


def _document(key: ApiKey) -> Document:
    return {
        **keys.document(key),
        "created": key.created.isoformat(),
        "last_used_at": key.last_used_at and key.last_used_at.isoformat(),
        "usable": key.usable(timezone.now()),
    }


def _moment(moment: datetime | None) -> str:
    return wording.moment(moment) if moment else ""


def moment(text: str) -> datetime:
    """Read a day, from whose beginning in UTC a key is expired, or a moment with its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is no date. Write it like 2027-01-31, or 2027-01-31T09:00Z."
        ) from None
    if timezone.is_aware(found):
        return found
    if found.time() != time.min:
        raise ArgumentTypeError(f"{text!r} has no zone. Write it like 2027-01-31T09:00Z.")
    return found.replace(tzinfo=UTC)


def duration(text: str) -> timedelta:
    """Read how long: 30m, 12h, 7d."""
    found = re.fullmatch(r"(\d{1,4})([mhd])", text)
    if not found:
        raise ArgumentTypeError(f"{text!r} is no time. Write it like 30m, 12h or 7d.")
    units: dict[str, Any] = {UNITS[found[2]]: int(found[1])}
    return timedelta(**units)
