"""The public names: all there, all lazy, and importable before any app is ready."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import flaggate

ROOT = Path(__file__).resolve().parent.parent

NAMES = [
    "Evaluation",
    "EvaluationContext",
    "Flags",
    "FlagsHttpRequest",
    "__version__",
    "aflags_for",
    "evaluate",
    "flags_for",
    "is_active",
    "status",
    "track",
    "value",
    "variant",
]

ELSEWHERE = [
    "flaggate.api.permissions.FlagRequired",
    "flaggate.changes.archive",
    "flaggate.changes.change",
    "flaggate.changes.create",
    "flaggate.changes.delete",
    "flaggate.changes.disable",
    "flaggate.changes.enable",
    "flaggate.changes.restore",
    "flaggate.changes.rollout",
    "flaggate.context_processors.flags",
    "flaggate.decorators.flag_required",
    "flaggate.exceptions.ChangeRefused",
    "flaggate.exceptions.Conflict",
    "flaggate.exceptions.ContextNotLoaded",
    "flaggate.exceptions.Invalid",
    "flaggate.exceptions.NotPermitted",
    "flaggate.exceptions.UnknownFlag",
    "flaggate.jinja2.FlagsExtension",
    "flaggate.middleware.FlagsMiddleware",
    "flaggate.signals.flag_changed",
    "flaggate.signals.outcome_tracked",
    "flaggate.signals.segment_changed",
    "flaggate.testing.override_flag",
    "flaggate.urls.flagged_path",
    "flaggate.views.FlagRequiredMixin",
]


def test_these_are_the_public_names():
    assert sorted(flaggate.__all__) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_can_be_imported_and_completed(name):
    assert getattr(flaggate, name) is getattr(flaggate, name)
    assert name in dir(flaggate)


@pytest.mark.parametrize("path", ELSEWHERE)
def test_names_of_submodules_can_be_imported(path):
    module, name = path.rsplit(".", 1)
    assert getattr(import_module(module), name)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'flaggate' has no attribute 'is_enabled'"):
        flaggate.is_enabled  # noqa: B018


def test_the_version_is_that_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert flaggate.__version__ == project["version"]


def run(code: str) -> str:
    """Run code in an interpreter that has imported nothing yet."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_it_before_apps_are_ready_imports_no_models():
    assert (
        run(
            "import sys, flaggate\n"
            "print(dir(flaggate) and sorted(m for m in sys.modules if m.startswith('flaggate')))"
        )
        == "['flaggate']"
    )


def test_settings_and_signals_can_be_imported_before_apps_are_ready():
    assert (
        run(
            "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
            "import flaggate.conf, flaggate.exceptions, flaggate.signals, flaggate.pytest_plugin\n"
            "print(flaggate.conf.get().STRICT, 'flaggate.models' in sys.modules)"
        )
        == "False False"
    )


def test_setting_django_up_makes_no_query():
    assert (
        run(
            "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
            "import django; from django.db.backends.base.base import BaseDatabaseWrapper as Base\n"
            "def refuse(self): raise AssertionError('connected')\n"
            "Base.connect = refuse\n"
            "django.setup()\n"
            "import flaggate.decorators, flaggate.urls, flaggate.views, flaggate.api.permissions\n"
            "flaggate.decorators.flag_required('new_checkout')(print)\n"
            "print('ready')"
        )
        == "ready"
    )


def test_it_is_typed():
    assert (ROOT / "flaggate" / "py.typed").exists()
