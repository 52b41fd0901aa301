"""The cookie of people who force flags for themselves: signed, bound to user and flag, expiring."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings
from django.core import signing

from flaggate import conf
from flaggate.context.attributes import user_key

if TYPE_CHECKING:
    from typing import TypeAlias

    from django.http import HttpRequest, HttpResponseBase

    Choices: TypeAlias = dict[str, tuple[object, datetime]]  # flag key → what is forced, until when

COOKIE = "flaggate_overrides"
SALT = "flaggate.overrides"
PERMISSION = "flaggate.override_flag"
MOST = 20  # flags in one cookie: browsers refuse more than 4 KiB
LOG_INTERVAL = 60.0  # seconds between two log records of cookies that are no good

logger = logging.getLogger("flaggate")


class Complaints:
    """When the log may be told next: whoever forges cookies may send many."""

    due = 0.0


def complain(reason: str) -> None:
    """Log, now and then, that a cookie was ignored."""
    if time.monotonic() >= Complaints.due:
        Complaints.due = time.monotonic() + LOG_INTERVAL
        logger.warning("A cookie of personal overrides was ignored: %s.", reason)


def overrider(user: Any) -> str | None:
    """Return the targeting key of a user who may override flags for themselves, or None."""
    key = user_key(user)
    if key is None or not user.has_perm(PERMISSION):
        return None
    return key


def read(request: HttpRequest, now: datetime) -> tuple[str, Choices]:
    """Return whose overrides a request carries, and which have not expired.

    Whether that user sends it, and may, is not asked here: that can need the database.
    """
    cookie = request.COOKIES.get(COOKIE)
    if cookie is None or not conf.get().OVERRIDES:
        return "", {}
    try:
        user, entries = signing.loads(cookie, salt=SALT, max_age=conf.get().OVERRIDE_AGE)
        choices = {key: (choice, _moment(until)) for key, (choice, until) in entries.items()}
    except signing.SignatureExpired:
        complain("it has expired")
    except signing.BadSignature:
        complain("its signature is wrong")
    except Exception as error:  # signed by us, but by another release
        complain(f"it can't be read: {type(error).__name__}")
    else:
        return user, {key: each for key, each in choices.items() if each[1] > now}
    return "", {}


def remember(
    request: HttpRequest,
    response: HttpResponseBase,
    key: str,
    choice: object,
    now: datetime,
    age: timedelta | None = None,
) -> None:
    """Force a flag for the request's user, or with None no longer; others they force stay.

    ``age`` is for how long, if it is less than ``OVERRIDE_AGE``.
    """
    own = str(user_key(getattr(request, "user", None)))
    user, choices = read(request, now)
    if user != own:
        choices = {}
    choices.pop(key, None)
    if choice is not None:
        until = now + (age or timedelta(seconds=conf.get().OVERRIDE_AGE))
        choices = dict([*choices.items(), (key, (choice, until))][-MOST:])
    _send(response, own, choices)


def _send(response: HttpResponseBase, user: str, choices: Choices) -> None:
    place: Any = {
        "path": django_settings.SESSION_COOKIE_PATH,
        "domain": django_settings.SESSION_COOKIE_DOMAIN,
        "samesite": "Lax",
    }
    if not choices:
        response.delete_cookie(COOKIE, **place)
        return
    entries = {key: (choice, int(until.timestamp())) for key, (choice, until) in choices.items()}
    response.set_cookie(
        COOKIE,
        signing.dumps([user, entries], salt=SALT, compress=True),
        max_age=conf.get().OVERRIDE_AGE,
        secure=django_settings.SESSION_COOKIE_SECURE,
        httponly=True,
        **place,
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
