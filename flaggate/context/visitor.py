"""A browser, known by a signed cookie, before and after login."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.conf import settings as django_settings
from django.core import signing
from django.core.exceptions import SynchronousOnlyOperation

from flaggate import conf
from flaggate.context.hooks import contained

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

SALT = "flaggate.visitor"
LONGEST_ID = 64


class Visitor:
    """The visitor of one request; found, or made up, when it is first asked for."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._id: str | None = None
        self._prepared = False
        self.asked = False
        self.new = False

    def __call__(self) -> str | None:
        """Return the visitor's id; None without consent to a cookie."""
        found = self.peek()
        self.asked = True
        return found

    def peek(self) -> str | None:
        """Return the visitor's id without having asked: that alone sends no cookie."""
        if not self._prepared:
            self._prepare()
        return self._id

    def _prepare(self) -> None:
        """Find the id, or make one up."""
        self._prepared = True  # before the consent hook, which may ask for flags itself
        try:
            self._id = self.from_cookie() or self._made_up()
        except SynchronousOnlyOperation:
            self._prepared = False
            raise

    def from_cookie(self) -> str | None:
        """Return the id that the browser has already; never makes one up."""
        settings = conf.get()
        try:
            found = self._request.get_signed_cookie(
                settings.VISITOR_COOKIE, salt=SALT, max_age=settings.VISITOR_COOKIE_AGE
            )
        except (KeyError, signing.BadSignature, ValueError):
            return None
        return found if found and len(found) <= LONGEST_ID else None

    def _made_up(self) -> str | None:
        # Without a cookie the next request would be another visitor's: better none than that.
        if not self._consents():
            return None
        self.new = True
        return secrets.token_urlsafe(12)

    def _consents(self) -> bool:
        path = conf.get().VISITOR_CONSENT
        if path is None:
            return True
        with contained("VISITOR_CONSENT", path, "browsers get no visitor cookie"):
            return bool(conf.hook(path)(self._request))
        return False

    def remember(self, response: HttpResponseBase) -> None:
        """Send a new visitor its cookie."""
        settings = conf.get()
        response.set_signed_cookie(
            settings.VISITOR_COOKIE,
            self._id or "",
            salt=SALT,
            max_age=settings.VISITOR_COOKIE_AGE,
            path=django_settings.SESSION_COOKIE_PATH,
            domain=django_settings.SESSION_COOKIE_DOMAIN,
            secure=django_settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
