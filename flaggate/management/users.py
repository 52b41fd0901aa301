"""Users, by what somebody types."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from flaggate.core.messages import Message
from flaggate.exceptions import FlaggateError


class UnknownUser(FlaggateError, LookupError):
    """A primary key or user name that no user has."""


def named(name: str) -> Any:
    """Find a user by user name. Raises UnknownUser."""
    model = get_user_model()
    user = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    if user is None:
        raise UnknownUser(
            Message(
                "There is no user %(name)r. Give the user name of somebody who exists.", name=name
            )
        )
    return user


def found(text: str) -> Any:
    """Find a user by primary key, which is what flags hash, or else by user name.

    Raises UnknownUser.
    """
    model = get_user_model()
    try:
        return model._default_manager.get(pk=text)
    except (model.DoesNotExist, ValueError, ValidationError):
        return named(text)
