"""Server-sent events that tell clients to ask again; for ASGI projects.

A stream says that something is new, and never what. Its address is signed, so that it can't be
guessed, and ends after some hours.
"""

from __future__ import annotations

import asyncio
import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.handlers.asgi import ASGIRequest
from django.db import connections, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from flaggate.api.addresses import elsewhere
from flaggate.api.ofrep.watch import Watch, state_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from flaggate.flags import Flags

    Entry = dict[str, Any]

ADDRESSES = "flaggate.streams"  # the salts of what is signed
EVENTS = "flaggate.streams.events"
WINDOW = 6 * 3600  # seconds; an address is good for one to two of them
HEARTBEAT = 20.0  # seconds without news, after which a comment keeps proxies from hanging up
RETRY = 2000  # milliseconds that a client waits before it connects again
INACTIVITY = 120  # seconds in the background, after which a client should hang up
MOST_OPEN = 5000  # streams of one process

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Encoding": "identity",  # GZipMiddleware would keep events back until it has enough
    "X-Accel-Buffering": "no",  # so would nginx
}


def entries(request: HttpRequest, flags: Flags) -> list[Entry]:
    """Return what the answer with all flags says of streams; nothing under WSGI: clients poll."""
    if not isinstance(request, ASGIRequest):
        return []
    # The same for everybody, for hours: with each new address clients would connect again.
    ends = (int(time.time()) // WINDOW + 2) * WINDOW
    state = state_of(flags.snapshot, flags.now)
    token = _signed(ADDRESSES, f"{ends}:{state}", settings.SECRET_KEY)
    match: Any = request.resolver_match
    url = request.build_absolute_uri(f"{reverse(f'{match.namespace}:stream')}?token={token}")
    return [{"type": "sse", "url": url, "inactivityDelaySec": INACTIVITY}]


@csrf_exempt  # so that any other method is refused as such
@login_not_required  # the address is signed
@transaction.non_atomic_requests
@require_GET
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Send an event each time that the caller should ask again, until it hangs up.

    What it missed since the address was made, or since the event that it names, comes first.
    """
    if not isinstance(request, ASGIRequest):
        return elsewhere(request, word="errorDetails")
    try:
        since = _since(request.GET.get("token", ""))
    except signing.BadSignature:
        return HttpResponse(status=403, headers={"Cache-Control": "private, no-store"})
    watch = Watch.of_loop()
    if watch.streams >= MOST_OPEN:
        return HttpResponse(status=503, headers={"Retry-After": "10"})
    # What the middleware has opened would stay open as long as the stream.
    await sync_to_async(connections.close_all)()
    seen = request.headers.get("Last-Event-ID", since)
    return StreamingHttpResponse(
        _events(watch, seen), content_type="text/event-stream", headers=HEADERS
    )


async def _events(watch: Watch, seen: str) -> AsyncIterator[bytes]:
    watch.open()
    try:
        yield b"retry: %d\n\n" % RETRY
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    seen = await watch.other_than(seen)
            except TimeoutError:
                yield b": still here\n\n"
            else:
                yield _event(seen)
    finally:
        watch.close()


def told(etag: str) -> str:
    """Return the state that an event told of; empty for what no event of ours has said."""
    try:
        return signing.Signer(salt=EVENTS).unsign(etag)
    except signing.BadSignature:
        return ""


def _event(state: str) -> bytes:
    data = {"type": "refetchEvaluation", "etag": _signed(EVENTS, state, settings.SECRET_KEY)}
    return f"id: {state}\ndata: {json.dumps(data)}\n\n".encode()


@lru_cache(maxsize=8)
def _signed(salt: str, text: str, secret: str) -> str:
    return signing.Signer(key=secret, salt=salt).sign(text)


def _since(token: str) -> str:
    ends, _, state = signing.Signer(salt=ADDRESSES).unsign(token).partition(":")
    if time.time() >= int(ends):
        raise signing.SignatureExpired
    return state
