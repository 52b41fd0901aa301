"""About whom a client asks: what the server knows of it, and what it says itself.

A browser can send anything. So what a project targets by (identity, staff, groups, and all that its
own function names) is never taken from one, and only a server may describe a subject freely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flaggate import context
from flaggate.context.attributes import user_key
from flaggate.core.evaluation import TARGETING_KEY, EvaluationContext
from flaggate.flags import Flags, pin

if TYPE_CHECKING:
    from django.http import HttpRequest

    from flaggate.api.ofrep.questions import Context

SENT_KEY = "targetingKey"  # the targeting key's name in a context as OpenFeature writes it


class SentVisitor(context.Visitor):
    """The visitor of a client's cookie, or else the targeting key that it sent; never a new one."""

    def __init__(self, request: HttpRequest, key: str | None) -> None:
        super().__init__(request)
        self._key = key

    def _made_up(self) -> str | None:
        return self._key


def of_server(request: HttpRequest, sent: Context) -> Flags:
    """Return the flags for whomever a server describes."""
    attributes = {
        name: value for name, value in sent.items() if name not in (SENT_KEY, TARGETING_KEY)
    }
    return _about(pin(request), EvaluationContext(sent.get(SENT_KEY), attributes))


def of_client(request: HttpRequest, sent: Context) -> Flags:
    """Return the flags for a browser or an app that nobody has logged in: who it says it is."""
    pinned = pin(request)
    key = sent.get(SENT_KEY) or None
    known = context.of_request(request, SentVisitor(request, key), pinned.now, sent)
    return _about(pinned, EvaluationContext(key, resolve=known.attributes.__getitem__))


def of_user(request: HttpRequest, sent: Context) -> Flags:
    """Return the flags for the user that a request is authenticated as, whatever it says."""
    pinned = pin(request)
    visitor = SentVisitor(request, user_key(request.user))
    return _about(pinned, context.of_request(request, visitor, pinned.now, sent))


def _about(pinned: Flags, described: EvaluationContext) -> Flags:
    return pinned.about(context.of_subject(described, pinned.now))
