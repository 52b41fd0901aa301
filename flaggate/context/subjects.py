"""From any subject to its evaluation context: a request, a user, an id, a context, nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest
from django.utils.functional import LazyObject
from django.utils.translation import get_language

from flaggate.context.attributes import (
    BUILT_IN,
    OF_REQUEST,
    OF_USER,
    VISITOR,
    comparable,
    unwrapped,
    user_key,
)
from flaggate.context.custom import CustomAttributes
from flaggate.context.memberships import memberships
from flaggate.context.overrides import overrider
from flaggate.context.visitor import Visitor
from flaggate.core.bucketing import identity
from flaggate.core.evaluation import MEMBERSHIPS, OVERRIDER, TARGETING_KEY, EvaluationContext
from flaggate.exceptions import ContextNotLoaded


def of_request(
    request: HttpRequest, visitor: Visitor, now: datetime, sent: Mapping[str, object] | None = None
) -> EvaluationContext:
    """Build the context of a request and its visitor.

    The targeting key is the user's primary key, or the visitor's id before login. ``sent`` holds
    what a client says of itself; it counts where the server has no such attribute.
    """

    def resolve(name: str) -> object:
        if name == TARGETING_KEY:
            return user_key(_user_of(request)) or visitor()
        if name == VISITOR:
            return visitor()
        if name == MEMBERSHIPS:
            return memberships(user_key(_user_of(request)) or visitor.peek())
        if name == OVERRIDER:
            return overrider(_user_of(request))
        if name in OF_USER:
            return OF_USER[name](_user_of(request))
        if name in OF_REQUEST:
            return OF_REQUEST[name](request)
        return custom(name)

    custom = CustomAttributes(request, sent)
    return EvaluationContext(resolve=_guarded(resolve), now=now)


def of_subject(subject: Any, now: datetime) -> EvaluationContext:
    """Build the context of any subject but a request: user, text or integer id, context, None.

    Raises TypeError for anything else.
    """
    if subject is None:
        return _of_user(None, None, None, now)
    if issubclass(type(subject), LazyObject):  # request.user, which is not to be read yet
        return _of_user(subject, subject, None, now)
    if isinstance(subject, EvaluationContext):
        return _of_context(subject, now)
    if isinstance(subject, UUID):
        return _of_user(None, subject, str(subject), now)
    if isinstance(subject, (str, int)) and not isinstance(subject, bool):
        return _of_user(None, subject, subject, now)
    if hasattr(subject, "is_authenticated"):
        return _of_user(subject, subject, None, now)
    raise TypeError(
        f"{type(subject).__name__} is no subject. Give a request, a user, a text or integer id, "
        "an EvaluationContext, or None."
    )


def _of_user(user: Any, subject: Any, key: object, now: datetime) -> EvaluationContext:
    def resolve(name: str) -> object:
        if name == TARGETING_KEY:
            return user_key(user) if key is None else key
        if name == MEMBERSHIPS:
            return memberships(identity(user_key(user) if key is None else key))
        if name in OF_USER:
            return OF_USER[name](user)
        if name == "language":
            return get_language()
        return None if name in BUILT_IN or subject is None else custom(name)

    custom = CustomAttributes(subject)
    return EvaluationContext(resolve=_guarded(resolve), now=now)


def _of_context(context: EvaluationContext, now: datetime) -> EvaluationContext:
    def resolve(name: str) -> object:
        if name == MEMBERSHIPS:
            return memberships(context.targeting_key)
        return context.attributes[name]

    return EvaluationContext(resolve=_guarded(resolve), now=context.now or now)


def _user_of(request: Any) -> Any:
    return unwrapped(getattr(request, "user", None))


def _guarded(resolve: Callable[[str], object]) -> Callable[[str], object]:
    def read(name: str) -> object:
        try:
            return comparable(resolve(name))
        except SynchronousOnlyOperation as error:
            raise ContextNotLoaded(
                f"The attribute {name!r} can't be read inside an event loop. "
                "Use `await aflags_for(request)` first."
            ) from error

    return read
