"""A project that a server serves."""

from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.projects.wsgi"
