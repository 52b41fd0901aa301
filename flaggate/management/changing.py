"""Writes: ``flags enable``, ``disable``, ``archive``, ``restore`` and ``delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaggate import changes
from flaggate.exceptions import ChangeRefused
from flaggate.management import keys, showing, users
from flaggate.management.answers import Answer
from flaggate.models import wording

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    from flaggate.management.answers import Action, Options, Terminal
    from flaggate.models import Flag

    Write = Callable[[str, Options], object]
    Said = Callable[[Flag, Flag], str]  # before, after


def arguments(parser: ArgumentParser) -> None:
    """Declare what every write takes."""
    parser.add_argument("--comment", default="", help="Why; it is kept with the revision.")
    parser.add_argument(
        "--as",
        dest="username",
        metavar="USERNAME",
        help="Who; that user's permissions count. Without it, the system, which may do all.",
    )


def enable_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``enable``."""
    parser.add_argument(
        "--for",
        nargs="+",
        default=[],
        dest="people",
        metavar="ID",
        help="Include these targeting keys: users' ids, or visitors.",
    )


def delete_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``delete``."""
    parser.add_argument("--yes", action="store_true", help="Do not ask.")


def became(before: Flag, after: Flag) -> str:
    """Say what a flag was turned into: "on for 5 % (was off)"."""
    then, now = wording.state(before), wording.state(after)
    return now if now == then else f"{now} (was {then})"


def write(act: Write, said: Said = became) -> Action:
    """Make a sub-command of a write, and of how to say what it did."""

    def run(options: Options, terminal: Terminal) -> Answer:
        key = options["key"]
        with changes.change(**author(options)) as opened:
            before = keys.find(key)
            act(key, options)
        after = keys.find(key)
        if not opened.revisions:
            return answer(after, f"{key}: {wording.state(after)} already. Nothing was changed.")
        return answer(after, f"{key}: {said(before, after)}. {revisions(opened, after)}")

    return run


def delete(options: Options, terminal: Terminal) -> Answer:
    """Delete a flag, after having asked."""
    key = options["key"]
    flag = keys.find(key)
    loss = "Its key can't be used again" if flag.first_enabled_at else "It was never enabled"
    if not options["yes"]:
        _confirm(f"{key} is {wording.state(flag)}. {loss}.\nType the key to delete it: ", key)
    changes.delete(key, **author(options))
    return Answer({"key": key, "deleted": True}, [f"{key}: deleted. {loss}."])


def author(options: Options) -> dict[str, Any]:
    """Return what ``change()`` records of a command. Raises UnknownUser."""
    return {
        "actor": users.named(options["username"]) if options["username"] else None,
        "source": "command",
        "comment": options["comment"],
    }


def answer(flag: Flag, sentence: str) -> Answer:
    """Answer with the flag that a write left behind."""
    return Answer(showing.document(flag), [sentence])


def revisions(opened: changes.Change, flag: Flag) -> str:
    """Name the revisions that a change has written: the flag's, and those beside it."""
    own = [f"Revision {each.version}." for each in opened.revisions if each.key == flag.key]
    others = [
        f"Revision {each.version} of the {each.subject} {each.key}."
        for each in opened.revisions
        if each.key != flag.key
    ]
    return " ".join((*own, *others))


def _confirm(question: str, key: str) -> None:
    try:
        typed = input(question)
    except EOFError:
        typed = ""
    if typed.strip() != key:
        raise ChangeRefused(f"flag {key}: was not deleted. Type its key, or use --yes.")


enable = write(lambda key, options: changes.enable(key, for_keys=options["people"]))
disable = write(lambda key, options: changes.disable(key))
archive = write(lambda key, options: changes.archive(key))
restore = write(lambda key, options: changes.restore(key))
