"""The wheel has all it needs: it is built, and migrates a database in an environment of its own.

That environment holds the wheel and its declared dependencies, and theirs, linked from the one that
runs the tests: no optional or development package is there, and no registry is asked.
"""

import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent

MIGRATE = """
import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "flaggate"],
    MIDDLEWARE=["flaggate.middleware.FlagsMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
call_command("migrate", verbosity=0)
call_command("flags", "list")

import flaggate
from flaggate.models import Flag

Flag.objects.create(key="new_checkout", enabled=True)
print(flaggate.__file__, flaggate.is_active("new_checkout", 42))
"""


def run(*command):
    """Run `command` away from the repository, whose flaggate/ must not be found."""
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def required(name):
    """Name what the installed distribution `name` needs, and what that needs."""
    for requirement in map(Requirement, metadata.requires(name) or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)
            yield from required(requirement.name)


def link(name, site):
    """Link the top-level files and folders of the installed distribution `name` into `site`."""
    distribution = metadata.distribution(name)
    for top in {file.parts[0] for file in distribution.files or []} - {".."}:
        (site / top).symlink_to(distribution.locate_file(top))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT)
    return next(target.glob("flaggate-*.whl"))


@pytest.fixture(scope="module")
def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


@pytest.fixture(scope="module")
def clean_python(wheel, tmp_path_factory):
    """A Python that has the wheel, its dependencies, and nothing else."""
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for name in set(required("flaggate")):
        link(name, site)
    pip = [sys.executable, "-m", "pip", "--python", python]
    run(*pip, "install", "--no-index", wheel)
    run(*pip, "check")
    return python


@pytest.mark.parametrize(
    "part",
    [
        "py.typed",
        "migrations/0001_initial.py",
        "templates/",
        "templatetags/",
        "static/",
        "locale/de/LC_MESSAGES/django.mo",
    ],
)
def test_the_wheel_contains(contents, part):
    assert any(name.startswith(f"flaggate/{part}") for name in contents)


def test_the_wheel_leaves_out_no_file_of_the_package(contents):
    package = ROOT / "flaggate"
    files = (path for path in package.rglob("*") if path.is_file())
    assert {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts} == {
        name for name in contents if name.startswith("flaggate/")
    }


def test_the_wheel_contains_nothing_but_the_package(contents):
    assert {name.split("/")[0] for name in contents} <= {
        "flaggate",
        f"flaggate-{metadata.version('flaggate')}.dist-info",
    }


def test_the_installed_wheel_migrates_and_answers(clean_python):
    answer = run(clean_python, "-W", "error", "-c", MIGRATE).splitlines()[-1]
    assert answer.endswith("site-packages/flaggate/__init__.py True")
