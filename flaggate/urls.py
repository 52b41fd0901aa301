"""Routes behind a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.urls import path

from flaggate.decorators import flag_required

if TYPE_CHECKING:
    from django.urls import URLPattern


def flagged_path(
    route: str,
    view: Callable[..., Any],
    kwargs: dict[str, Any] | None = None,
    name: str | None = None,
    *,
    flag: str,
    otherwise: Callable[..., Any] | None = None,
    redirect_to: str | None = None,
    variant: str | None = None,
    active: bool = True,
) -> URLPattern:
    """Return ``path()`` for a view that is behind a flag; see ``flag_required``."""
    gate = flag_required(
        flag, otherwise=otherwise, redirect_to=redirect_to, variant=variant, active=active
    )
    return path(route, gate(view), kwargs, name)
