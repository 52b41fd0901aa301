"""Clients of the protocol, each with what it may show: a key, a session, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from flaggate import recording
from flaggate.api import authentication, keys
from flaggate.context import overrides
from flaggate.context.visitor import SALT
from flaggate.recording.usage import Flushing
from flaggate.store import store
from tests.fixtures import a_request, released

ALL = "/ofrep/v1/evaluate/flags"


@dataclass
class Caller:
    """Somebody who asks for flags."""

    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=True))

    def post(self, address: str, body: Any, **headers: str) -> Any:
        """Send a body, or what is no JSON as it stands."""
        text = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.client.post(
            address, text, content_type="application/json", headers={**self.headers, **headers}
        )

    def one(self, key: str, /, **context: Any) -> Any:
        """Ask for one flag."""
        return self.post(f"{ALL}/{key}", {"context": context})

    def all(self, context: dict[str, Any] | None = None, **headers: str) -> Any:
        """Ask for all flags."""
        return self.post(ALL, {"context": context or {}}, **headers)

    def answers(self, **context: Any) -> dict[str, Any]:
        """Ask for all flags, and return what each answers."""
        return {each["key"]: each for each in self.all(context).json()["flags"]}


@pytest.fixture(autouse=True)
def _fresh(db: Any) -> None:
    """Begin as a process that has read no flag, counted no question and met no key."""
    store.__init__()
    connection.flaggate_snapshot = (None, None)  # which another test's transaction has left
    recording.forget()
    Flushing.postpone()  # or a slow run would take counts away in the midst of a test
    authentication.forget()


def holder(*scopes: str) -> Caller:
    """Make a key, and a caller who shows it."""
    issued = keys.create(" ".join(scopes), scopes)
    return Caller({"Authorization": f"Bearer {issued.secret}"})


@pytest.fixture
def server() -> Caller:
    return holder("evaluate:server")


@pytest.fixture
def browser() -> Caller:
    return holder("evaluate:client")


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", email="ada@example.com")


@pytest.fixture
def session(ada: User) -> Caller:
    """The browser in which Ada is logged in."""
    caller = Caller()
    caller.client.force_login(ada)
    return caller


def a_visitor() -> Caller:
    """Make the browser of a visitor, in which nobody is logged in."""
    caller = Caller()
    response = HttpResponse()
    response.set_signed_cookie("flaggate_visitor", "v1", salt=SALT)
    caller.client.cookies.update(response.cookies)
    return caller


@pytest.fixture
def tester(session: Caller, ada: User, settings: Any) -> Caller:
    """The browser in which Ada is logged in, and forces the flag `x` on."""
    settings.FLAGGATE = {"OVERRIDES": True}
    released("x", percentage=0, client_visible=True)
    ada.user_permissions.add(Permission.objects.get(codename="override_flag"))
    response = HttpResponse()
    overrides.remember(a_request(user=ada), response, "x", True, timezone.now())
    session.client.cookies.update(response.cookies)
    return session
