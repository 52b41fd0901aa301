"""The command as a whole: formats, exit codes, colours, language."""

import json
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.utils import translation

from flaggate import changes
from flaggate.management.commands.flags import SUB_COMMANDS, Command
from flaggate.models import Flag
from tests.databases import ROOT
from tests.fixtures import segment
from tests.management.shell import document, flags, refusal

ARGUMENTS = {
    "list": [],
    "doctor": [],
    "create": ["fresh"],
    "rollout": ["x", "5"],
    "schedule": ["x", "--until", "2020-01-01T00:00Z"],
    "delete": ["x", "--yes"],
    "export": ["--bootstrap"],
    "members": ["beta", "--add", os.devnull],
    "keys": ["create", "ci", "--scope", "evaluate:client"],
}
ABOUT_ONE = sorted(SUB_COMMANDS.keys() - {"list", "doctor", "create", "export", "members", "keys"})


@pytest.fixture
def flag(db, settings, tmp_path):
    settings.FLAGGATE = {"BOOTSTRAP": str(tmp_path / "flags.json")}
    segment("beta")
    return changes.create("x")


class Terminal(StringIO):
    def isatty(self):
        return True


def on_a_terminal(*arguments, **options):
    printed = Terminal()
    call_command("flags", *arguments, stdout=printed, **options)
    return printed.getvalue()


@pytest.mark.parametrize("name", SUB_COMMANDS)
def test_every_sub_command_answers_a_machine_with_json(flag, name):
    assert document(name, *ARGUMENTS.get(name, ["x"]))


@pytest.mark.parametrize("name", SUB_COMMANDS)
def test_every_sub_command_answers_a_person_with_text(flag, name):
    printed = flags(name, *ARGUMENTS.get(name, ["x"]))
    assert printed
    with pytest.raises(json.JSONDecodeError):
        json.loads(printed)


@pytest.mark.parametrize("name", ABOUT_ONE)
def test_an_unknown_flag_is_refused_with_the_one_that_was_meant(flag, name):
    changes.create("new_checkout")
    arguments = [each.replace("x", "new_chekout") for each in ARGUMENTS.get(name, ["x"])]
    assert refusal(name, *arguments) == (
        "There is no flag 'new_chekout'. Did you mean 'new_checkout'?"
    )


def test_an_unknown_flag_that_is_like_no_other_is_refused_with_a_way_to_see_all(flag):
    assert refusal("show", "nope") == (
        "There is no flag 'nope'. `manage.py flags list` shows them all."
    )


def test_a_flag_that_was_deleted_is_said_to_have_been(db):
    changes.create("x", enabled=True)
    changes.delete("x")
    assert refusal("show", "x").startswith("There is no flag 'x': it was deleted, 20")


def test_a_refusal_says_field_reason_and_remedy(flag):
    assert refusal("rollout", "x", "half") == (
        "flag x: percentage: 'half' is no number. Give 0 to 100."
    )


def test_a_wrong_command_line_is_no_answer(flag):
    with pytest.raises(CommandError, match="invalid choice"):
        flags("lisst")


def test_a_feature_is_stopped_whatever_else_is_wrong_with_the_project(flag):
    def broken(**_):
        return [checks.Critical("The project is broken.")]

    command = Command(stdout=StringIO())
    checks.register(broken, "tests")
    try:
        command.execute(**vars(command.create_parser("", "flags").parse_args(["enable", "x"])))
        assert Flag.objects.get().enabled
    finally:
        checks.registry.registry.registered_checks.remove(broken)


def test_a_pipe_gets_no_colours(flag):
    assert "\x1b[" not in flags("list")


def test_a_terminal_gets_colours(flag, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in on_a_terminal("list", force_color=True)


def test_no_color_is_heeded(flag, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in on_a_terminal("list")


def test_a_terminal_gets_lines_of_its_width(flag, monkeypatch):
    monkeypatch.setenv("COLUMNS", "76")
    Flag.objects.update(owner="The team of the checkout")
    changes.enable("x", for_keys=["42"])
    changes.rollout("x", 12.5)
    assert max(map(len, on_a_terminal("list", no_color=True).splitlines())) <= 76


def test_the_command_speaks_english_whatever_the_project_speaks(flag):
    with translation.override("de"):
        refused = refusal("create", "y", "--owner", "x" * 201)  # by Django's own validator
        assert "owner: Ensure this value has at most 200 characters" in refused
        assert translation.get_language() == "de"


def test_it_writes_words_and_numbers_as_in_english(db):
    changes.create("x", enabled=True, percentage="2.5")
    with translation.override("de"):
        assert "on for 2.5 %" in flags("show", "x")
        assert document("show", "x")["state"] == "on for 2.5 %"


@pytest.mark.parametrize(
    "option",
    [
        ["--traceback"],
        ["--no-color"],
        ["--force-color"],
        ["--settings", "tests.settings"],
        ["--pythonpath", "."],
        ["-v", "2"],
    ],
    ids=" ".join,
)
def test_djangos_own_options_may_stand_behind_the_sub_command(flag, option):
    assert "x" in flags("list", *option)


def in_a_shell(url, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "django", "flags", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
    )


CODES = [
    # arguments, exit code, how stdout and stderr begin
    ("create x", 0, "x: created, off. Revision 1.", ""),
    ("create x", 1, "", "CommandError: flag x: key: "),
    ("show nope", 1, "", "CommandError: There is no flag 'nope'."),
    ("rollout x", 2, "", "usage: "),
    ("doctor", 0, "flaggate ", ""),
]


@pytest.mark.django_db(transaction=True)
def test_exit_codes_tell_a_pipeline_how_it_went(shared_database):
    for arguments, code, stdout, stderr in CODES:
        done = in_a_shell(shared_database.url, *arguments.split())
        assert done.returncode == code
        assert done.stdout.startswith(stdout)
        assert done.stderr.startswith(stderr)
        assert bool(done.stderr) == bool(stderr)


@pytest.mark.parametrize("command", ["list", "explain x"])
def test_without_tables_the_doctor_is_recommended(tmp_path, command):
    done = in_a_shell(f"sqlite:///{tmp_path}/empty.sqlite3", *command.split())
    assert done.returncode == 1
    assert done.stderr.endswith("`manage.py flags doctor` looks why.\n")


def test_the_doctor_finds_what_is_not_migrated(tmp_path):
    done = in_a_shell(f"sqlite:///{tmp_path}/empty.sqlite3", "doctor")
    assert done.returncode == 1
    assert "Migrations of flaggate are not applied: 0001_initial" in done.stdout
    assert "`manage.py migrate flaggate`" in done.stdout


def test_the_doctor_finds_that_the_database_is_gone(tmp_path):
    done = in_a_shell(f"sqlite:///{tmp_path}/missing/x.sqlite3", "doctor")
    assert done.returncode == 1
    assert "error: The database can't be read: unable to open database file." in done.stdout
