"""The settings: typed, with defaults, and live."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from django.test import override_settings

from flaggate import conf


@pytest.fixture
def _no_test_runner(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings of a server, not of a test run."""
    monkeypatch.setattr(conf, "DEFAULTS", {})
    conf.get.cache_clear()
    yield
    monkeypatch.undo()
    conf.get.cache_clear()


DEFAULTS = {
    "MAX_STALENESS": 1.0,
    "STRICT": False,
    "CONTEXT": None,
    "RECORD_USAGE": True,
    "BOOTSTRAP": None,
    "VISITOR_COOKIE": "flaggate_visitor",
    "VISITOR_COOKIE_AGE": 31_536_000,
    "VISITOR_CONSENT": None,
    "OVERRIDES": False,
    "OVERRIDE_AGE": 28_800,
}


@pytest.mark.usefixtures("_no_test_runner")
@pytest.mark.parametrize(("name", "default"), DEFAULTS.items(), ids=DEFAULTS)
def test_every_setting_has_a_default(name, default):
    assert getattr(conf.get(), name) == default


def test_there_are_at_most_a_dozen_settings_and_each_has_its_default_pinned():
    assert {field.name for field in fields(conf.Settings)} == conf.NAMES == set(DEFAULTS)
    assert len(conf.NAMES) <= 12


def test_what_a_project_sets_counts_and_the_rest_stays():
    with override_settings(FLAGGATE={"VISITOR_COOKIE": "who"}):
        assert conf.get().VISITOR_COOKIE == "who"
        assert DEFAULTS["VISITOR_COOKIE_AGE"] == conf.get().VISITOR_COOKIE_AGE
    assert conf.get().VISITOR_COOKIE == "flaggate_visitor"


def test_what_a_project_sets_counts_more_than_what_a_test_run_changes(monkeypatch):
    monkeypatch.setitem(conf.DEFAULTS, "VISITOR_COOKIE", "tests")
    with override_settings(FLAGGATE={"VISITOR_COOKIE": "who"}):
        assert conf.get().VISITOR_COOKIE == "who"


def test_other_settings_change_nothing():
    before = conf.get()
    with override_settings(DEBUG=True):
        assert conf.get() is before


@pytest.mark.usefixtures("_no_test_runner")
@pytest.mark.parametrize("given", [None, {}, [], "MAX_STALENESS", {"UNKNOWN": 1}], ids=repr)
def test_what_makes_no_sense_is_left_to_the_checks(given):
    with override_settings(FLAGGATE=given):
        assert conf.get() == conf.Settings()


def test_settings_can_not_be_assigned():
    with pytest.raises(FrozenInstanceError):
        conf.get().STRICT = True


def test_a_hook_is_imported_once_and_anew_when_settings_change():
    assert conf.hook(f"{__name__}.DEFAULTS") is DEFAULTS
    with override_settings(FLAGGATE={}):
        assert conf.hook.cache_info().currsize == 0


def test_a_hook_that_does_not_exist_is_an_import_error():
    with pytest.raises(ImportError):
        conf.hook("no.such.function")
