"""One check for each way to set flaggate up wrongly: its id, and a hint that helps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import checks
from django.core.management import call_command
from django.test import override_settings

from flaggate import conf
from flaggate.checks import AUTHENTICATION, EXPECTED, MIDDLEWARE

NO_FUNCTION = "not callable"


def consent(request: Any) -> bool:
    return True


def found(*, deploy: bool = False) -> list[checks.CheckMessage]:
    return checks.run_checks(tags=["flaggate"], include_deployment_checks=deploy)


def found_with(**flaggate: Any) -> list[checks.CheckMessage]:
    with override_settings(FLAGGATE=flaggate):
        return found()


def test_the_settings_of_this_suite_have_nothing_wrong():
    call_command("check", "--tag", "flaggate", "--fail-level", "WARNING")


@pytest.mark.parametrize("given", [["STRICT"], "STRICT", 1], ids=repr)
def test_e001_settings_that_are_no_dictionary(given):
    with override_settings(FLAGGATE=given):
        [message] = found(deploy=True)
    assert message.id == "flaggate.E001"
    assert message.hint == "Write FLAGGATE = {…}."


@pytest.mark.parametrize("given", [None, {}], ids=repr)
def test_no_settings_are_fine(given):
    with override_settings(FLAGGATE=given):
        assert not found()


def test_e002_a_name_that_is_no_setting():
    [message] = found_with(MAX_STALE=5)
    assert message.id == "flaggate.E002"
    assert message.msg == "FLAGGATE['MAX_STALE'] is no setting of flaggate."
    assert all(name in message.hint for name in conf.NAMES)


WRONG = [
    ("MAX_STALENESS", "1"),
    ("MAX_STALENESS", -1),
    ("MAX_STALENESS", True),
    ("MAX_STALENESS", float("nan")),
    ("STRICT", 1),
    ("STRICT", None),
    ("CONTEXT", len),
    ("CONTEXT", ""),
    ("RECORD_USAGE", "yes"),
    ("BOOTSTRAP", ""),
    ("BOOTSTRAP", 5),
    ("VISITOR_COOKIE", ""),
    ("VISITOR_COOKIE", None),
    ("VISITOR_COOKIE_AGE", None),
    ("VISITOR_COOKIE_AGE", "1 year"),
    ("VISITOR_CONSENT", 5),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=repr)
def test_e003_a_setting_of_the_wrong_type(name, value):
    [message] = found_with(**{name: value})
    assert message.id == "flaggate.E003"
    assert message.msg == f"FLAGGATE[{name!r}] is {value!r}."
    assert message.hint == f"Make it {EXPECTED[name][0]}."


RIGHT = [
    ("MAX_STALENESS", 0),
    ("MAX_STALENESS", 0.5),
    ("MAX_STALENESS", None),
    ("STRICT", False),
    ("CONTEXT", None),
    ("CONTEXT", f"{__name__}.consent"),
    ("RECORD_USAGE", True),
    ("BOOTSTRAP", None),
    ("BOOTSTRAP", "flags.json"),
    ("BOOTSTRAP", Path("flags.json")),
    ("VISITOR_COOKIE", "who"),
    ("VISITOR_COOKIE_AGE", 60),
    ("VISITOR_CONSENT", None),
    ("VISITOR_CONSENT", f"{__name__}.consent"),
]


@pytest.mark.parametrize(("name", "value"), RIGHT, ids=repr)
def test_a_setting_of_the_right_type_is_fine(name, value):
    assert not found_with(**{name: value})


def test_every_setting_has_its_expectation():
    assert set(EXPECTED) == conf.NAMES


@pytest.mark.parametrize("name", ["CONTEXT", "VISITOR_CONSENT"])
@pytest.mark.parametrize("path", ["no.such.module", "flaggate.no_such", "nodots"])
def test_e004_a_function_that_can_not_be_imported(name, path):
    [message] = found_with(**{name: path})
    assert message.id == "flaggate.E004"
    assert f"FLAGGATE[{name!r}] can't be imported" in message.msg
    assert message.hint == "Give the dotted path of a function."


def test_e004_a_function_whose_module_is_broken(tmp_path, monkeypatch):
    (tmp_path / "broken_hooks.py").write_text("def attributes(subject) return {}")
    monkeypatch.syspath_prepend(tmp_path)
    [message] = found_with(CONTEXT="broken_hooks.attributes")
    assert message.id == "flaggate.E004"


def test_e004_something_that_is_no_function():
    [message] = found_with(CONTEXT=f"{__name__}.NO_FUNCTION")
    assert message.id == "flaggate.E004"
    assert "is no function" in message.msg


def test_e005_the_middleware_before_the_one_that_finds_the_user():
    with override_settings(MIDDLEWARE=[MIDDLEWARE, AUTHENTICATION]):
        [message] = found()
    assert message.id == "flaggate.E005"
    assert message.hint == f"Move {MIDDLEWARE!r} behind {AUTHENTICATION!r}."


def test_w001_no_middleware():
    with override_settings(MIDDLEWARE=[AUTHENTICATION]):
        [message] = found()
    assert message.id == "flaggate.W001"
    assert message.level == checks.WARNING
    assert MIDDLEWARE in message.hint


@pytest.mark.parametrize("middleware", [[MIDDLEWARE], [AUTHENTICATION, MIDDLEWARE]], ids=len)
def test_the_middleware_in_its_place_is_fine(middleware):
    with override_settings(MIDDLEWARE=middleware):
        assert not found()


def test_w002_strict_in_production():
    with override_settings(FLAGGATE={"STRICT": True}):
        assert not found()
        [message] = found(deploy=True)
    assert message.id == "flaggate.W002"
    assert message.level == checks.WARNING
    assert message.hint == "Set it in the settings of tests and CI only."


def test_a_project_without_the_strict_setting_may_be_deployed():
    assert not found(deploy=True)


def test_each_id_has_a_test_of_its_own():
    source = (django_settings.BASE_DIR.parent / "flaggate" / "checks.py").read_text()
    tests = Path(__file__).read_text()
    for number in set(re.findall(r"flaggate\.([EW]\d+)", source)):
        assert f"def test_{number.lower()}_" in tests
