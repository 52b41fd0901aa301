"""Gate a view by a flag."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.http import Http404
from django.shortcuts import redirect

from flaggate.flags import aflags_for, flags_for

if TYPE_CHECKING:
    from flaggate.flags import Flags

    View = Callable[..., Any]


def flag_required(
    key: str,
    *,
    otherwise: View | None = None,
    redirect_to: str | None = None,
    variant: str | None = None,
    active: bool = True,
) -> Callable[[View], View]:
    """Show a view, sync or async, only where a flag is active.

    Everybody else gets the view ``otherwise``, or is sent to ``redirect_to`` (anything that
    ``redirect()`` takes), or gets a 404. With ``variant`` the flag must serve that one; with
    ``active=False`` the view is for those for whom the flag is *not* active.
    """

    def passes(flags: Flags) -> bool:
        answer = flags.evaluate(key)
        met = answer.active and variant in (None, answer.variant)
        return met is active

    def refuse(request: Any, *args: Any, **kwargs: Any) -> Any:
        if otherwise is not None:
            return otherwise(request, *args, **kwargs)
        if redirect_to is not None:
            return redirect(redirect_to)
        raise Http404  # without a word: an unreleased feature has no name

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):
            refuse_async = refuse if iscoroutinefunction(otherwise) else sync_to_async(refuse)

            @wraps(view)
            async def gated_async(request: Any, *args: Any, **kwargs: Any) -> Any:
                chosen = view if passes(await aflags_for(request)) else refuse_async
                return await chosen(request, *args, **kwargs)

            return gated_async

        refuse_sync = refuse
        if otherwise is not None and iscoroutinefunction(otherwise):
            refuse_sync = async_to_sync(otherwise)

        @wraps(view)
        def gated(request: Any, *args: Any, **kwargs: Any) -> Any:
            chosen = view if passes(flags_for(request)) else refuse_sync
            return chosen(request, *args, **kwargs)

        return gated

    return decorate
