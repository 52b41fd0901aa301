"""Class-based views behind a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from flaggate.decorators import flag_required


class FlagRequiredMixin:
    """Shows the view only where ``required_flag`` is active; see ``flag_required``."""

    required_flag: str = ""
    required_variant: str | None = None
    flag_otherwise: Callable[..., Any] | None = None
    flag_redirect_to: str | None = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., Any]:
        """Gate the view function, before any other mixin looks at the request."""

        def option(name: str) -> Any:
            return initkwargs.get(name, getattr(cls, name))

        if not option("required_flag"):
            raise ImproperlyConfigured(
                f"{cls.__name__}.required_flag is empty. Set it to the key of a flag."
            )
        gate = flag_required(
            option("required_flag"),
            otherwise=option("flag_otherwise"),
            redirect_to=option("flag_redirect_to"),
            variant=option("required_variant"),
        )
        return gate(super().as_view(**initkwargs))  # type: ignore[misc]
