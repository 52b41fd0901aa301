"""The shop's database: one SQLite file, or whatever `DATABASE_URL` names."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured


def sqlite(path: str) -> dict[str, Any]:
    """Describe a SQLite file that several server processes can share."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            # Readers go on while one process writes; writers queue instead of failing.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }


def from_url(url: str) -> dict[str, Any]:
    """Describe the database of a URL; raise `ImproperlyConfigured` without dj-database-url."""
    try:
        import dj_database_url
    except ImportError:
        raise ImproperlyConfigured(
            "DATABASE_URL is set, but dj-database-url is not installed. "
            "Install it (pip install dj-database-url) or unset DATABASE_URL to use SQLite."
        ) from None
    return {**dj_database_url.parse(url)}
