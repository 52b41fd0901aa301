"""The attributes that every user and every request has, each read when a condition asks for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.core.exceptions import DisallowedHost
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.functional import LazyObject, Promise, empty
from django.utils.translation import get_language

from flaggate.core.evaluation import TARGETING_KEY

VISITOR = "visitor"

Attribute = Callable[[Any], object]


def _authenticated(user: Any) -> bool:
    return bool(user is not None and user.is_authenticated)


def _username(user: Any) -> object:
    if not _authenticated(user) or not hasattr(user, "get_username"):
        return None
    return user.get_username()


def _email(user: Any) -> object:
    if not _authenticated(user):
        return None
    field = user.get_email_field_name() if hasattr(user, "get_email_field_name") else "email"
    return getattr(user, field, None) or None


def _groups(user: Any) -> list[str]:
    if not _authenticated(user) or not hasattr(user, "groups"):
        return []
    return list(user.groups.values_list("name", flat=True))


def _permissions(user: Any) -> list[str]:
    if not _authenticated(user) or not hasattr(user, "get_all_permissions"):
        return []
    return sorted(user.get_all_permissions())


def _flag_of(name: str) -> Attribute:
    return lambda user: bool(_authenticated(user) and getattr(user, name, False))


def _host(request: Any) -> object:
    try:
        return request.get_host()
    except DisallowedHost:  # a forged header is no reason to refuse a page
        return None


def user_key(user: Any) -> str | None:
    """Return the targeting key of a user who is logged in: the primary key as text."""
    pk = getattr(user, "pk", None) if _authenticated(user) else None
    return None if pk is None else str(pk)


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
    "host": _host,
    "ip": lambda request: request.META.get("REMOTE_ADDR") or None,
}

BUILT_IN = frozenset({TARGETING_KEY, VISITOR, "now", *OF_USER, *OF_REQUEST})


_LISTS = (list, tuple, set, frozenset, QuerySet)


def comparable(value: object) -> object:
    """Turn what conditions can't compare into what they can: dates, ids, lazy texts, query sets."""
    value = _plain(value)
    return [_plain(each) for each in value] if isinstance(value, _LISTS) else value


def _plain(value: object) -> object:
    value = unwrapped(value)
    if isinstance(value, datetime):
        return value if timezone.is_aware(value) else timezone.make_aware(value)
    if isinstance(value, date):
        return timezone.make_aware(datetime.combine(value, time.min))
    if isinstance(value, Model):
        return _plain(value.pk)
    return str(value) if isinstance(value, (UUID, Promise)) else value


def unwrapped(value: Any) -> Any:
    """Return what a lazy object stands for; each attribute read through it costs a microsecond."""
    while issubclass(type(value), LazyObject):
        if value._wrapped is empty:
            value._setup()
        value = value._wrapped
    return value
