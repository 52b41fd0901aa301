"""What is answered at an address where nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


@csrf_exempt  # the views behind it look for themselves
@login_not_required
def elsewhere(request: HttpRequest, *, word: str = "detail") -> HttpResponseBase:
    """Answer an address without its last slash as with it, and others with a 404 in JSON.

    Redirected, a script that stops a flag would end well and have stopped nothing.
    """
    if not request.path_info.endswith("/"):
        match: Any = resolve(f"{request.path_info}/", getattr(request, "urlconf", None))
        if match.func is not elsewhere:
            request.resolver_match = match
            return match.func(request, *match.args, **match.kwargs)  # type: ignore[no-any-return]
    answer = JsonResponse({word: "There is nothing at this address."}, status=404)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
