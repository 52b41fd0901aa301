"""A project that asks for flags where it should not: in `ready()`, in a check, in a migration."""

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.projects.asker.apps.AskerConfig"]
DATABASES["default"]["TEST"] = {}  # of its own, and not the one that tests run in now
STATIC_ROOT = "/nowhere"  # --dry-run
