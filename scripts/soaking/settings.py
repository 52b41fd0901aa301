"""A Django project with nothing but flags, for every process of a soak."""

import os
from typing import Any

import dj_database_url

SECRET_KEY = "only-for-the-soak"  # noqa: S105 - nothing is signed
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "flaggate"]
SILENCED_SYSTEM_CHECKS = ["flaggate.W001"]  # there is no MIDDLEWARE: nobody comes by HTTP
FLAGGATE = {"MAX_STALENESS": float(os.environ.get("SOAK_MAX_STALENESS", "1"))}

_database: dict[str, Any] = {**dj_database_url.config()}
if "sqlite" in _database["ENGINE"]:  # as any project would have it that writes from two processes
    _database["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
DATABASES = {"default": _database}
