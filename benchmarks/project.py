"""A Django project with a database of its own in a file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import django
from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command

WAFFLE = find_spec("waffle") is not None


class CountedCache(LocMemCache):
    """A cache that counts how often it is asked."""

    calls = 0

    def make_and_validate_key(self, key: str, version: int | None = None) -> str:
        CountedCache.calls += 1
        return super().make_and_validate_key(key, version)


def set_up(directory: Path) -> None:
    """Configure Django and create the tables."""
    settings.configure(
        SECRET_KEY="only-for-benchmarks",
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": directory / "db.sqlite3"}
        },
        CACHES={
            "default": {"BACKEND": "project.CountedCache"},
            "waffle": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        },
        WAFFLE_CACHE_NAME="waffle",
        # Never by itself, so that no sample holds a look at the database.
        FLAGGATE={"MAX_STALENESS": None},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "flaggate",
            *(["waffle"] if WAFFLE else []),
        ],
        LOGGING={"version": 1, "loggers": {"flaggate": {"level": "ERROR"}}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    call_command("migrate", verbosity=0)
