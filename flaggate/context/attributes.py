"""The attributes that every user and every request has, each read when a condition asks for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language

from flaggate.core.evaluation import TARGETING_KEY

VISITOR = "visitor"

Attribute = Callable[[Any], object]


def _authenticated(user: Any) -> bool:
    return bool(user is not None and user.is_authenticated)


def _username(user: Any) -> object:
    return user.get_username() if _authenticated(user) else None


def _email(user: Any) -> object:
    if not _authenticated(user):
        return None
    return getattr(user, user.get_email_field_name(), None) or None


def _groups(user: Any) -> list[str]:
    if not _authenticated(user) or not hasattr(user, "groups"):
        return []
    return list(user.groups.values_list("name", flat=True))


def _permissions(user: Any) -> list[str]:
    if not _authenticated(user):
        return []
    return sorted(user.get_all_permissions())


def _flag_of(name: str) -> Attribute:
    return lambda user: bool(_authenticated(user) and getattr(user, name, False))


def user_key(user: Any) -> object:
    return str(user.pk) if _authenticated(user) and user.pk is not None else None


# What every user has; each entry is read when a condition first asks for it.
OF_USER: dict[str, Attribute] = {
    "username": _username,
    "email": _email,
    "is_authenticated": _authenticated,
    "is_staff": _flag_of("is_staff"),
    "is_superuser": _flag_of("is_superuser"),
    "groups": _groups,
    "permissions": _permissions,
    "date_joined": lambda user: getattr(user, "date_joined", None),
}

# What every request has, beside its user.
OF_REQUEST: dict[str, Attribute] = {
    "language": lambda request: getattr(request, "LANGUAGE_CODE", None) or get_language(),
    "path": lambda request: request.path,
    "method": lambda request: request.method,
    "host": lambda request: request.get_host(),
    "ip": lambda request: request.META.get("REMOTE_ADDR") or None,
}

BUILT_IN = frozenset({TARGETING_KEY, VISITOR, "now", *OF_USER, *OF_REQUEST})


def comparable(value: object) -> object:
    """Turn what conditions can't compare into what they can: dates, ids, lazy texts, query sets."""
    if isinstance(value, datetime):
        return value if timezone.is_aware(value) else timezone.make_aware(value)
    if isinstance(value, date):
        return timezone.make_aware(datetime.combine(value, time.min))
    if isinstance(value, (UUID, Promise)):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [comparable(each) for each in value]
    return value
