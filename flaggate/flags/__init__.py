"""The answers: ``Flags`` for one subject, and the functions that a project calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.utils.functional import LazyObject

from flaggate import context, recording
from flaggate.context import overrides
from flaggate.flags.answers import Flags
from flaggate.flags.observed import ObservedFlags, observers
from flaggate.flags.personal import PersonalFlags
from flaggate.store import store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flaggate.core.evaluation import Evaluation, EvaluationContext

__all__ = [
    "Flags",
    "FlagsHttpRequest",
    "ObservedFlags",
    "PersonalFlags",
    "aflags_for",
    "evaluate",
    "flags_for",
    "is_active",
    "observers",
    "pin",
    "request_of",
    "track",
    "value",
    "variant",
]


def flags_for(subject: Any = None) -> Flags:
    """Return the flags for a subject, for several questions; those of a request are its own.

    A subject is a request, a user, a text or integer id, an EvaluationContext, or None.
    Raises TypeError for anything else.
    """
    request = request_of(subject)
    return _of_subject(subject) if request is None else pin(request)


def request_of(subject: Any) -> HttpRequest | None:
    """Return the request that a subject is, or, as in Django REST framework, wraps."""
    if issubclass(type(subject), LazyObject):  # request.user, which is not to be read yet
        return None
    request = getattr(subject, "_request", subject)
    return request if isinstance(request, HttpRequest) else None


def pin(request: HttpRequest) -> Flags:
    """Give a request its flags, once: the snapshot and the moment it keeps to its end."""
    pinned = getattr(request, "flags", None)
    if isinstance(pinned, Flags):
        return pinned
    now = datetime.now(UTC)
    flags = _personal(request, now) or _flags(request, now)
    request.flags = flags  # type: ignore[attr-defined]
    return flags


def _personal(request: HttpRequest, now: datetime) -> Flags | None:
    owner, choices = overrides.read(request, now)
    return PersonalFlags(request, now, owner, choices) if choices else None


def _of_subject(subject: Any) -> Flags:
    now = datetime.now(UTC)
    flags = _flags(context.of_subject(subject, now), now)
    recording.flush_if_due()
    return flags


def _flags(subject: EvaluationContext | HttpRequest, now: datetime) -> Flags:
    made = ObservedFlags if observers else Flags
    return made(store.current(), subject, now)


async def aflags_for(subject: Any = None) -> Flags:
    """Return the flags for a subject, with all that they may ask of it already read.

    For async code: no question blocks the event loop afterwards. Raises TypeError for what is no
    subject.
    """
    return await sync_to_async(_loaded)(subject)


def _loaded(subject: Any) -> Flags:
    flags = flags_for(subject)
    flags.load()
    return flags


def is_active(key: str, subject: Any = None) -> bool:
    """Tell whether a flag is active for a subject. Raises TypeError for what is no subject."""
    return flags_for(subject).is_active(key)


def variant(key: str, subject: Any = None) -> str | None:
    """Return the key of the variant that a flag serves to a subject; see ``Flags.variant()``.

    Raises TypeError for what is no subject.
    """
    return flags_for(subject).variant(key)


def value(key: str, subject: Any = None, default: Any = None) -> Any:
    """Return the value that a flag serves to a subject, or ``default``; see ``Flags.value()``.

    Raises TypeError for what is no subject.
    """
    return flags_for(subject).value(key, default)


def evaluate(key: str, subject: Any = None) -> Evaluation:
    """Return the answer of a flag for a subject, with its reason.

    Raises TypeError for what is no subject.
    """
    return flags_for(subject).evaluate(key)


def track(
    name: str,
    subject: Any = None,
    value: float | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Tell the receivers of ``signals.outcome_tracked`` what a subject did; see ``Flags.track()``.

    Raises TypeError for what is no subject.
    """
    flags_for(subject).track(name, value, details)


class FlagsHttpRequest(HttpRequest):
    """A request that has passed FlagsMiddleware; for type annotations of views."""

    flags: Flags
