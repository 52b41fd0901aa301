"""About whom a client asks: what the server knows of it, and what it says itself.

A browser can send anything. So what a project targets by (identity, staff, groups, and all that its
own function gives) is never taken from one, and only a server may describe a subject freely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaggate import context
from flaggate.context import BUILT_IN
from flaggate.core.evaluation import TARGETING_KEY, EvaluationContext
from flaggate.flags import Flags, pin

if TYPE_CHECKING:
    from django.http import HttpRequest

    from flaggate.api.ofrep.questions import Context

SENT_KEY = "targetingKey"  # the targeting key's name in a context as OpenFeature writes it


def of_server(request: HttpRequest, sent: Context) -> Flags:
    """Return the flags for whomever a server describes."""
    pinned = pin(request)
    attributes = {
        name: value for name, value in sent.items() if name not in (SENT_KEY, TARGETING_KEY)
    }
    described = EvaluationContext(sent.get(SENT_KEY), attributes, now=pinned.now)
    return _flags(pinned, described)


def of_client(request: HttpRequest, sent: Context) -> Flags:
    """Return the flags for a browser or an app that nobody has logged in: who it says it is."""
    key = sent.get(SENT_KEY)
    cookie = context.Visitor(request).from_cookie
    pinned = pin(request)
    known = context.of_request(request, lambda: cookie() or key, pinned.now)
    return _flags(pinned, _merged(known, sent, {TARGETING_KEY: key} if key else {}))


def of_user(request: HttpRequest, sent: Context) -> Flags:
    """Return the flags for the user that a request is authenticated as, whatever it says."""
    pinned = pin(request)
    return _flags(pinned, _merged(pinned.context, sent, {}))


def _merged(known: EvaluationContext, sent: Context, identity: dict[str, Any]) -> EvaluationContext:
    def resolve(name: str) -> object:
        found = known.attributes[name]
        return sent.get(name) if found is None and name not in BUILT_IN else found

    return EvaluationContext(attributes=identity, resolve=resolve, now=known.now)


def _flags(pinned: Flags, described: EvaluationContext) -> Flags:
    return type(pinned)(pinned.snapshot, described, pinned.now)
