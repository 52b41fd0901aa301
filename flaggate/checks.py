"""System checks: one id and one remedy for each way to set flaggate up wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings
from django.core import checks
from django.utils.module_loading import import_string

from flaggate import conf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MIDDLEWARE = "flaggate.middleware.FlagsMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


def _a_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _a_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


# Setting → what it must be, in words and as a test.
EXPECTED: dict[str, tuple[str, Any]] = {
    "MAX_STALENESS": (
        "a number of seconds, 0 or more, or None",
        lambda value: value is None or _a_number(value),
    ),
    "STRICT": ("True or False", lambda value: isinstance(value, bool)),
    "CONTEXT": ("a dotted path or None", lambda value: value is None or _a_text(value)),
    "RECORD_USAGE": ("True or False", lambda value: isinstance(value, bool)),
    "BOOTSTRAP": (
        "the path of a file or None",
        lambda value: value is None or _a_text(value) or isinstance(value, Path),
    ),
    "VISITOR_COOKIE": ("a text", _a_text),
    "VISITOR_COOKIE_AGE": ("a number of seconds, 0 or more", _a_number),
    "VISITOR_CONSENT": ("a dotted path or None", lambda value: value is None or _a_text(value)),
    "OVERRIDES": ("True or False", lambda value: isinstance(value, bool)),
    "OVERRIDE_AGE": ("a number of seconds, 0 or more", _a_number),
}
HOOKS = ("CONTEXT", "VISITOR_CONSENT")


def register() -> None:
    """Register the checks."""
    checks.register(check_settings, "flaggate")
    checks.register(check_strict, "flaggate", deploy=True)
    checks.register(check_middleware, "flaggate")


def check_settings(**_: Any) -> Sequence[checks.CheckMessage]:
    """Check names, types and dotted paths of ``FLAGGATE``."""
    given = getattr(django_settings, "FLAGGATE", None) or {}
    if not isinstance(given, dict):
        return [
            checks.Error(
                "FLAGGATE is no dictionary.", hint="Write FLAGGATE = {…}.", id="flaggate.E001"
            )
        ]
    return [message for name, value in given.items() for message in _setting(name, value)]


def _setting(name: str, value: Any) -> Iterator[checks.CheckMessage]:
    if name not in conf.NAMES:
        yield checks.Error(
            f"FLAGGATE[{name!r}] is no setting of flaggate.",
            hint=f"Known are {', '.join(sorted(conf.NAMES))}.",
            id="flaggate.E002",
        )
        return
    wanted, test = EXPECTED[name]
    if not test(value):
        yield checks.Error(
            f"FLAGGATE[{name!r}] is {value!r}.", hint=f"Make it {wanted}.", id="flaggate.E003"
        )
    elif name in HOOKS and value is not None:
        yield from _hook(name, value)


def _hook(name: str, path: str) -> Iterator[checks.CheckMessage]:
    try:
        found = import_string(path)
    except Exception as error:  # whatever its module raises
        yield checks.Error(
            f"FLAGGATE[{name!r}] can't be imported: {error}",
            hint="Give the dotted path of a function.",
            id="flaggate.E004",
        )
        return
    if not callable(found):
        yield checks.Error(
            f"FLAGGATE[{name!r}] = {path!r} is no function.",
            hint="Give the dotted path of a function.",
            id="flaggate.E004",
        )


def check_strict(**_: Any) -> Sequence[checks.CheckMessage]:
    """Check that unknown flags do not raise in production."""
    if not conf.get().STRICT:
        return []
    return [
        checks.Warning(
            "FLAGGATE['STRICT'] is on: a flag that does not exist raises an error.",
            hint="Set it in the settings of tests and CI only.",
            id="flaggate.W002",
        )
    ]


def check_middleware(**_: Any) -> Sequence[checks.CheckMessage]:
    """Check that the middleware is there, and after the one that finds the user."""
    middleware = list(django_settings.MIDDLEWARE)
    if MIDDLEWARE not in middleware:
        return [
            checks.Warning(
                "FlagsMiddleware is not in MIDDLEWARE: request.flags and visitors are missing.",
                hint=f"Add {MIDDLEWARE!r} after AuthenticationMiddleware.",
                id="flaggate.W001",
            )
        ]
    if AUTHENTICATION in middleware and middleware.index(MIDDLEWARE) < middleware.index(
        AUTHENTICATION
    ):
        return [
            checks.Error(
                "FlagsMiddleware comes before AuthenticationMiddleware.",
                hint=f"Move {MIDDLEWARE!r} behind {AUTHENTICATION!r}.",
                id="flaggate.E005",
            )
        ]
    return []
