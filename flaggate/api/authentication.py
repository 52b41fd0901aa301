"""Who asks: a machine by its API key, or else whomever the project itself authenticates."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

from flaggate.api.keys import MARK, digest
from flaggate.context import Visitor
from flaggate.models import ApiKey, state

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.throttling import BaseThrottle

REMEMBERED = 30.0  # seconds that a process goes on without asking whether a key was revoked
NOTED = timedelta(hours=1)  # between two writes of when a key was last used
LONGEST_SECRET = 100  # characters
COUNTING_PEOPLE = (AnonRateThrottle, UserRateThrottle)


class Unavailable(APIException):
    """Nobody can say whether a key is good while its table can't be read."""

    status_code = 503
    default_detail = "API keys can't be read now. Try again in a moment."


class KeyAuthentication(BaseAuthentication):
    """Finds flaggate's API key in ``Authorization: Bearer …`` or in ``X-API-Key: …``.

    ``request.auth`` is then the ApiKey, and ``request.user`` is anonymous: a key is nobody. Other
    bearer tokens are left to the classes behind it.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        secret = _secret(request)
        if secret is None:
            return None
        key = known(digest(secret)) if len(secret) <= LONGEST_SECRET else None
        if key is None or not key.usable(timezone.now()):
            raise AuthenticationFailed(gettext("This API key is unknown, revoked or expired."))
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="flaggate"'


class VisitorAuthentication(SessionAuthentication):
    """Finds a browser that nobody has logged in by its visitor cookie, and needs its CSRF token.

    ``request.auth`` is then the visitor's id, and ``request.user`` is anonymous.
    """

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        visitor = Visitor(request._request).from_cookie()
        if visitor is None:
            return None
        self.enforce_csrf(request)
        return AnonymousUser(), visitor


class _Remembered:
    """By digest: a key, and until when (monotonic seconds) it is taken for what it was.

    Renewed, and not cleared: what another thread has read just before a write goes with the old.
    """

    keys: ClassVar[dict[str, tuple[ApiKey, float]]] = {}

    @classmethod
    def renew(cls) -> None:
        cls.keys = {}


class ProjectAuthentication:
    """Mixed into a view: it takes API keys, and then whatever the project authenticates by."""

    def get_authenticators(self) -> list[BaseAuthentication]:
        others: list[BaseAuthentication] = super().get_authenticators()  # type: ignore[misc]
        return [KeyAuthentication(), *others]

    def get_throttles(self) -> list[BaseThrottle]:
        """Leave out what counts people: all keys of an address would be one anonymous caller."""
        found: list[BaseThrottle] = super().get_throttles()  # type: ignore[misc]
        if not isinstance(self.request.auth, ApiKey):  # type: ignore[attr-defined]
            return found
        return [each for each in found if not isinstance(each, COUNTING_PEOPLE)]


def is_visitor(request: Request) -> bool:
    """Tell whether a request is that of a browser that nobody has logged in."""
    return isinstance(request.successful_authenticator, VisitorAuthentication)


def known(digest: str) -> ApiKey | None:
    """Return the key of a digest, as it was at most half a minute ago. Raises Unavailable."""
    now, remembered = time.monotonic(), _Remembered.keys
    found, until = remembered.get(digest, (None, now))
    if found is not None and now < until:
        return found
    try:
        found = ApiKey.objects.using(state.alias()).filter(digest=digest).first()
    except AnyDatabaseError as error:
        raise Unavailable from error
    if found is None:  # not remembered: whoever tries secrets must not fill the memory
        remembered.pop(digest, None)
        return None
    _note_use(found)
    remembered[digest] = (found, now + REMEMBERED)
    return found


def forget(**_: Any) -> None:
    """Ask the database about each key again; the receiver of whatever writes one."""
    _Remembered.renew()
    transaction.on_commit(_Remembered.renew, using=state.alias())


def _secret(request: Request) -> str | None:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    candidates = (
        request.META.get("HTTP_X_API_KEY", "").strip(),
        token.strip() if scheme.lower() == "bearer" else "",
    )
    return next((each for each in candidates if each.startswith(MARK)), None)


def _note_use(key: ApiKey) -> None:
    """Write when a key was last used, at most once an hour; it is not worth a failed request."""
    now = timezone.now()
    if key.last_used_at is not None and now - key.last_used_at < NOTED:
        return
    using = state.alias()
    with suppress(AnyDatabaseError), transaction.atomic(using=using):
        ApiKey.objects.using(using).filter(pk=key.pk).update(last_used_at=now)


post_save.connect(forget, sender=ApiKey, dispatch_uid="flaggate.keys")
post_delete.connect(forget, sender=ApiKey, dispatch_uid="flaggate.keys")
