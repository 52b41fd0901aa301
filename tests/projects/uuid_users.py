"""A user model of the project's own, whose primary key is a UUID."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.projects.people"]
AUTH_USER_MODEL = "people.Person"
