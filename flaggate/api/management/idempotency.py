"""``Idempotency-Key``: a request that is sent twice is done once, and answered alike."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from flaggate.api.management.errors import Refused, invalid
from flaggate.models import ApiKey, IdempotencyKey, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

HEADER = "Idempotency-Key"
KEPT = timedelta(days=1)
LONGEST = 200  # characters
HEADERS = ("ETag", "Location")


def once(request: Request, answer: Callable[[], Response]) -> Response:
    """Answer a write, or repeat the answer that it had. To be called under the lock of changes.

    What failed has written nothing, and is not kept. Raises Refused where the key was another
    request's.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return answer()
    if not 0 < len(key) <= LONGEST:
        raise invalid([(HEADER, f"has {len(key)} characters. Send 1 to {LONGEST}.")])
    name, asked = _digest(_caller(request), key), _digest(*_asked(request))
    kept = IdempotencyKey.objects.using(state.alias())
    kept.filter(created__lt=timezone.now() - KEPT).delete()
    if earlier := kept.filter(name=name).first():
        return _repeated(earlier, asked)
    response = answer()
    kept.create(
        name=name,
        request=asked,
        status=response.status_code,
        headers={each: response[each] for each in HEADERS if each in response},
        body=JSONRenderer().render(response.data).decode(),
    )
    return response


def _repeated(earlier: IdempotencyKey, asked: str) -> Response:
    if earlier.request != asked:
        raise Refused(
            f"This {HEADER} was sent with another request. Use a new one.",
            status.HTTP_422_UNPROCESSABLE_ENTITY,
        )
    body = json.loads(earlier.body) if earlier.body else None
    return Response(body, earlier.status, headers=earlier.headers)


def _caller(request: Request) -> str:
    key = request.auth
    return f"key:{key.pk}" if isinstance(key, ApiKey) else f"user:{request.user.pk}"


def _asked(request: Request) -> tuple[str, ...]:
    body = json.dumps(request.data, sort_keys=True)
    return str(request.method), request.get_full_path(), request.headers.get("If-Match", ""), body


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
