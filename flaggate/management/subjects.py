"""For whom ``flags explain`` explains."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from flaggate.core.evaluation import TARGETING_KEY, EvaluationContext
from flaggate.management import users

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from flaggate.management.answers import Options


def arguments(parser: ArgumentParser) -> None:
    """Declare the ways to name a subject; without one it is anonymous."""
    subjects = parser.add_mutually_exclusive_group()
    subjects.add_argument("--user", metavar="ID", help="A user's primary key or user name.")
    subjects.add_argument(
        "--key", dest="targeting_key", metavar="KEY", help="A targeting key, and nothing else."
    )
    subjects.add_argument(
        "--context",
        type=attributes,
        metavar="JSON",
        help="""Attributes: '{"targeting_key": "42", "plan": "pro"}'.""",
    )


def subject(options: Options) -> tuple[Any, str]:
    """Return the subject, and its name in words. Raises UnknownUser."""
    if options["user"] is not None:
        user = users.found(options["user"])
        return user, f"the user {user.get_username()}"
    if options["targeting_key"] is not None:
        return options["targeting_key"], f"the targeting key {options['targeting_key']}"
    if options["context"] is not None:
        known = dict(options["context"])
        return EvaluationContext(known.pop(TARGETING_KEY, None), known), "this context"
    return None, "an anonymous subject"


def attributes(text: str) -> dict[str, Any]:
    """Read attributes."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise ArgumentTypeError(f'{text!r} is no JSON object. Write {{"name": value}}.')
    return found
