"""Several databases, and the router that `ROUTER` names."""

import os

import dj_database_url

from tests.settings import *  # noqa: F403

DATABASES = {
    alias: dj_database_url.parse(os.environ[f"{alias.upper()}_URL"])
    for alias in os.environ["ALIASES"].split()
}
DATABASE_ROUTERS = [f"tests.projects.routers.{os.environ['ROUTER']}"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
