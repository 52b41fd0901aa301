"""What a page tells its own JavaScript: the flags of its visitor that a browser may see.

Read by ``static/flaggate/flags.js``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http.request import HttpHeaders
from django.middleware.csrf import get_token
from django.urls import NoReverseMatch, reverse
from django.utils.html import json_script

from flaggate.core.evaluation import UNSET
from flaggate.flags import flags_for
from flaggate.recording import variant_of

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from flaggate.core.evaluation import Evaluation

ELEMENT = "flaggate-flags"  # the id by which flags.js finds it


def flags_json(request: HttpRequest | None) -> SafeString:
    """Write a request's client-visible flags as JSON into an HTML page; counts nothing."""
    answers = flags_for(request).all(client=True)
    flags = {key: _written(each) for key, each in answers.items() if each.error is None}
    return json_script({"flags": flags, **_addresses(request)}, ELEMENT)


def _written(answer: Evaluation) -> dict[str, Any]:
    value = {} if answer.value is UNSET else {"value": answer.value}
    return {"active": answer.active, "variant": variant_of(answer), **value}


def _addresses(request: HttpRequest | None) -> dict[str, Any]:
    """Return where the page refreshes and reports, if that is mounted, and its CSRF token."""
    if request is None:
        return {}
    try:
        addresses = {"evaluate": reverse("ofrep:all"), "usage": reverse("ofrep:usage")}
    except NoReverseMatch:
        return {}
    header = HttpHeaders.parse_header_name(settings.CSRF_HEADER_NAME)
    stream = isinstance(request, ASGIRequest)  # else there is none, and no need to ask for it
    return {**addresses, "headers": {header: get_token(request)}, "stream": stream}
