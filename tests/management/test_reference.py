"""The page of commands says what the commands say."""

import doctest
import re
import shlex
from argparse import SUPPRESS
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from flaggate import changes
from flaggate.management.commands.flags import Command
from flaggate.models import Flag, flags
from tests.management.shell import document

PAGE = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text()
SECTIONS = re.split(r"^## `(\w+)`$", PAGE, flags=re.MULTILINE)
COMMON = SECTIONS[0]
SECTION = dict(zip(SECTIONS[1::2], SECTIONS[2::2], strict=True))

EXAMPLE = re.compile(r"^\$ python manage\.py flags (.*)\n((?:(?!\$ )(?:.*\n))*)", re.MULTILINE)


def parsers():
    command = Command()
    parser = command.create_parser("manage.py", "flags")
    return next(action.choices for action in parser._actions if action.dest == "command")


def options(parser):
    return {
        option
        for action in parser._actions
        if action.help != SUPPRESS
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }


def run(line):
    printed = StringIO()
    try:
        call_command("flags", *shlex.split(line), stdout=printed)
    except CommandError as error:
        printed.write(f"CommandError: {error}\n")
    return printed.getvalue()


@pytest.fixture
def fixed(monkeypatch, settings, tmp_path):
    """One moment, one salt, one user, and the settings of a project, not of its tests."""
    settings.FLAGGATE = {"MAX_STALENESS": 1.0, "RECORD_USAGE": True}
    monkeypatch.setattr(flags.secrets, "token_hex", lambda _length: "checkout")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "customers.txt").write_text("101\n102\n")
    User.objects.create_superuser("ada", pk=1)
    with time_machine.travel("2027-01-31T09:00:00Z", tick=False):
        yield


@pytest.mark.django_db
def test_the_examples_print_what_the_page_says(fixed):
    examples = [
        example
        for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        for example in EXAMPLE.findall(block)
    ]
    alike = doctest.OutputChecker().check_output
    for line, expected in examples:
        printed = run(line)
        assert alike(expected, printed, doctest.ELLIPSIS), f"{line}\n{printed}"
    assert {line.split()[0] for line, _ in examples} == parsers().keys()


def test_every_sub_command_has_a_section_and_no_other():
    assert SECTION.keys() == parsers().keys()


@pytest.mark.parametrize("name", parsers())
def test_every_option_is_explained(name):
    explained = set(re.findall(r"--[a-z][a-z-]+", COMMON + SECTION[name]))
    assert options(parsers()[name]) <= explained


@pytest.mark.parametrize("name", parsers())
def test_options_that_a_table_explains_exist(name):
    tabled = set(re.findall(r"^\| `(--[a-z-]+)", SECTION[name], re.MULTILINE))
    assert tabled <= options(parsers()[name])


def fields(text):
    cells = re.findall(r"^\| (`[a-z_`, ]+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def table_after(text, anchor):
    return text.partition(anchor)[2].lstrip().partition("\n\n## ")[0]


@pytest.mark.django_db
def test_the_fields_of_a_flag_are_all_explained():
    changes.create("x")
    assert fields(table_after(COMMON, "(flag-as-json)=")) == document("show", "x").keys()


@pytest.mark.django_db
def test_the_fields_of_an_explanation_are_all_explained():
    changes.create("x")
    assert fields(table_after(SECTION["explain"], "missing")) == document("explain", "x").keys()


@pytest.mark.django_db
def test_the_parts_of_a_flag_and_of_an_explanation_are_all_named():
    changes.create("y", enabled=True)
    changes.create("x", percentage=0, variants=[("a", 1, 1)])
    changes.rollouts.start("x", [(5, None)])
    changes.enable("x", for_keys=["42"])
    with changes.change():
        flag = Flag.objects.get(key="x")
        flag.prerequisites.create(required=Flag.objects.get(key="y"))
        segment = flag.rules.get().segments.get()
        segment.conditions.create(attribute="plan", operator="exists")
    shown, explained = document("show", "x"), document("explain", "x", "--key", "1")
    parts = [shown[name][0] for name in ("variants", "rules", "prerequisites", "stages")]
    rule = explained["rules"][0]
    explained_parts = [
        explained["share"],
        explained["prerequisites"][0],
        rule,
        rule["segments"][0],
        rule["segments"][0]["conditions"][0],
    ]
    for part in (*parts, shown["rollout"]):
        assert part.keys() <= set(re.findall(r"`(\w+)`", COMMON))
    for part in explained_parts:
        assert part.keys() <= set(re.findall(r"`(\w+)`", SECTION["explain"]))


@pytest.mark.django_db
@pytest.mark.parametrize(("command", "key"), [("history", ["x"]), ("doctor", [])])
def test_the_other_documents_are_explained(command, key):
    changes.create("x", expires_on="2020-01-01")
    answer = document(command, *key)
    parts = answer if command == "history" else [answer, answer["findings"][0]]
    for part in parts:
        assert part.keys() <= set(re.findall(r"`(\w+)`", SECTION[command]))
