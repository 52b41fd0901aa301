"""The command. What each sub-command does stands in a module of its own."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.core.management.color import no_style
from django.db import Error as AnyDatabaseError

from flaggate.exceptions import FlaggateError
from flaggate.management import (
    api_keys,
    changing,
    creating,
    doctor,
    explaining,
    exporting,
    history,
    keys,
    listing,
    members,
    rollouts,
    scheduling,
    showing,
)
from flaggate.management.answers import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from flaggate.management.answers import Action, Answer

    Arguments = Callable[[argparse.ArgumentParser], None]


def _key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="KEY", help="The key of the flag.")


class SubCommand(NamedTuple):
    """One line of help, what it does, and who declares its arguments."""

    help: str
    run: Action
    arguments: tuple[Arguments, ...] = (_key,)


WRITE = (_key, changing.arguments)

SUB_COMMANDS = {
    "list": SubCommand("List flags.", listing.run, (listing.arguments,)),
    "show": SubCommand("Show one flag.", showing.run),
    "create": SubCommand("Create a flag.", creating.run, (*WRITE, creating.arguments)),
    "enable": SubCommand("Turn a flag on.", changing.enable, (*WRITE, changing.enable_arguments)),
    "disable": SubCommand("Turn a flag off for everybody.", changing.disable, WRITE),
    "rollout": SubCommand(
        "Set the share that gets a flag, or run stages.",
        rollouts.run,
        (*WRITE, rollouts.arguments),
    ),
    "schedule": SubCommand(
        "Set from when, and until when, a flag is active at the most.",
        scheduling.run,
        (*WRITE, scheduling.arguments),
    ),
    "explain": SubCommand(
        "Say why a subject gets what it gets.", explaining.run, (_key, explaining.arguments)
    ),
    "history": SubCommand("Show who changed what.", history.run, (_key, history.arguments)),
    "archive": SubCommand("Retire a flag.", changing.archive, WRITE),
    "restore": SubCommand("Bring an archived flag back.", changing.restore, WRITE),
    "delete": SubCommand(
        "Delete a flag for good.", changing.delete, (*WRITE, changing.delete_arguments)
    ),
    "members": SubCommand("Change who is in a segment.", members.run, (members.arguments,)),
    "export": SubCommand("Write all flags to a file.", exporting.run, (exporting.arguments,)),
    "keys": SubCommand("Manage API keys.", api_keys.run, (api_keys.arguments,)),
    "doctor": SubCommand("Look for problems.", doctor.run, (doctor.arguments,)),
}


class Command(BaseCommand):
    help = "Release, watch, stop and explain feature flags."
    # A feature must be stoppable whatever else is wrong with the project.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        for name, command in SUB_COMMANDS.items():
            sub = commands.add_parser(name, help=command.help, description=command.help)
            for declare in command.arguments:
                declare(sub)
            sub.add_argument("--format", choices=("table", "json"), default="table")
            _accept_base_options(sub)

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer = SUB_COMMANDS[options["command"]].run(options, self._terminal(options))
        except FlaggateError as error:
            raise CommandError(str(error)) from error
        except AnyDatabaseError as error:
            raise CommandError(keys.unusable(error)) from error
        self._print(answer, options["format"])
        if answer.problem:
            raise CommandError(answer.problem)

    def _terminal(self, options: dict[str, Any]) -> Terminal:
        seen = self.stdout.isatty()
        plain = not seen or bool(os.environ.get("NO_COLOR"))
        style = no_style() if plain and not options["force_color"] else self.style
        return Terminal(style, shutil.get_terminal_size().columns if seen else None)

    def _print(self, answer: Answer, form: str) -> None:
        if form == "json":
            self.stdout.write(json.dumps(answer.document, indent=2, default=str))
            return
        for line in answer.lines:
            self.stdout.write(line)


def _accept_base_options(parser: argparse.ArgumentParser) -> None:
    """Accept behind the sub-command what Django's commands accept anywhere."""
    for name in ("--settings", "--pythonpath"):
        parser.add_argument(name, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument(
        "-v", "--verbosity", type=int, default=argparse.SUPPRESS, help=argparse.SUPPRESS
    )
    for name in ("--traceback", "--no-color", "--force-color"):
        parser.add_argument(
            name, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
