"""The settings, typed, with defaults: ``settings.FLAGGATE``, live under override_settings."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``FLAGGATE = {...}`` may hold."""

    #: Seconds between two looks at the database: 0 looks at every request, None never does.
    MAX_STALENESS: float | None = 1.0
    #: Raise on unknown flags and unreadable attributes. For tests and CI, never in production.
    STRICT: bool = False
    #: The dotted path of a function of the subject that returns more attributes, as a mapping.
    CONTEXT: str | None = None
    #: Count evaluations by flag, variant and hour.
    RECORD_USAGE: bool = True
    #: The path of a file with all flags, for a start without a database.
    BOOTSTRAP: str | None = None
    #: The name of the cookie that makes a browser a visitor.
    VISITOR_COOKIE: str = "flaggate_visitor"
    #: Seconds that the visitor cookie lives.
    VISITOR_COOKIE_AGE: int = 365 * 24 * 3600
    #: The dotted path of a function of the request that says whether it may get a visitor cookie.
    VISITOR_CONSENT: str | None = None
    #: Let people with the permission force flags for themselves, to test in production.
    OVERRIDES: bool = False
    #: Seconds until such an override expires.
    OVERRIDE_AGE: int = 8 * 3600


# What a test runner changes for a whole session; a project's own settings win.
DEFAULTS: dict[str, Any] = {}

NAMES = frozenset(field.name for field in fields(Settings))


@lru_cache(maxsize=1)
def get() -> Settings:
    """Return the settings; what makes no sense is left to the system checks."""
    given: Any = getattr(django_settings, "FLAGGATE", None)
    if not isinstance(given, dict):
        given = {}
    known = {name: value for name, value in given.items() if name in NAMES}
    return Settings(**{**DEFAULTS, **known})


@lru_cache(maxsize=8)
def hook(path: str) -> Callable[..., Any]:
    """Import the function that a setting names. Raises ImportError."""
    found: Callable[..., Any] = import_string(path)
    return found


def _reload(setting: str, **_: Any) -> None:
    if setting == "FLAGGATE":
        get.cache_clear()
        hook.cache_clear()


setting_changed.connect(_reload, dispatch_uid="flaggate.conf")
