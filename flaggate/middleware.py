"""The middleware that gives each request its flags."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.utils.cache import patch_cache_control, patch_vary_headers

from flaggate import recording
from flaggate.flags import Flags, PersonalFlags, pin
from flaggate.store import store

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class FlagsMiddleware:
    """Sets ``request.flags``: one snapshot and one moment for the whole request.

    On the way out it remembers a new visitor, if a flag asked for one, and writes counts that are
    due. Belongs after AuthenticationMiddleware.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._call_async(request)
        flags = pin(request)
        response: HttpResponseBase = self.get_response(request)  # type: ignore[assignment]
        _finish(flags, response)
        recording.flush_if_due()
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        # Only a look at the database leaves the event loop; between two of them this is plain CPU.
        flags = await sync_to_async(pin)(request) if store.due() else pin(request)
        response: HttpResponseBase = await self.get_response(request)  # type: ignore[misc]
        _finish(flags, response)
        if recording.due():
            await sync_to_async(recording.flush_if_due)()
        return response


def _finish(flags: Flags, response: HttpResponseBase) -> None:
    if isinstance(flags, PersonalFlags):
        patch_vary_headers(response, ("Cookie",))
        patch_cache_control(response, private=True)
    visitor = flags.visitor
    if visitor is None or not visitor.asked:
        return
    patch_vary_headers(response, ("Cookie",))
    if visitor.new:
        visitor.remember(response)
