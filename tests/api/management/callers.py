"""Callers of the management API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from flaggate.api import keys

API = "/api/flags/v1/"


class Caller(APIClient):
    """A client that speaks JSON and knows where the API is."""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; the names of headers are written with underscores."""
        options: dict[str, Any] = {
            "headers": {name.replace("_", "-"): value for name, value in headers.items()}
        }
        if body is not None:
            options |= {"data": body, "format": "json"}
        return getattr(self, method)(API + path, **options)

    def document(self, path: str) -> Any:
        answer = self.ask("get", path)
        assert answer.status_code == 200, answer.content
        return answer.json()


def user_with(*permissions: str, username: str = "ada", **fields: Any) -> User:
    """Create a user who has permissions of flaggate's."""
    user = User.objects.create_user(username, **fields)
    found = Permission.objects.filter(content_type__app_label="flaggate", codename__in=permissions)
    assert found.count() == len(permissions)
    user.user_permissions.set(found)
    return user


def nobody() -> Caller:
    """Return a client that shows nothing."""
    return Caller()


def caller_of(user: User) -> Caller:
    """Return a client that is logged in."""
    caller = Caller()
    caller.force_login(user)
    return caller


def allowed(*permissions: str, **fields: Any) -> Caller:
    """Return a client for a user who has these permissions."""
    return caller_of(user_with(*permissions, **fields))


def holding(secret: str) -> Caller:
    """Return a client that shows an API key."""
    caller = Caller()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return caller


def machine(*scopes: str, name: str = "pipeline") -> Caller:
    """Return a client that shows a new API key of these scopes."""
    return holding(keys.create(name, scopes).secret)


def errors(answer: Any) -> dict[str, str]:
    """Return what a refused body is told, by path."""
    assert answer.status_code == 400, answer.content
    return {each["path"]: each["message"] for each in answer.json()["errors"]}
