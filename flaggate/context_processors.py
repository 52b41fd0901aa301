"""``flags`` in every template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaggate.flags import flags_for

if TYPE_CHECKING:
    from django.http import HttpRequest

    from flaggate.core.evaluation import Evaluation
    from flaggate.flags import Flags


class TemplateFlags:
    """The flags of a request as templates see them: nothing but keys.

    Not ``request.flags`` itself: its methods would shadow flags of the same name in Jinja2.
    """

    __slots__ = ("__flags",)

    def __init__(self, flags: Flags) -> None:
        self.__flags = flags

    def __getitem__(self, key: str) -> Evaluation:
        return self.__flags.evaluate(key)

    def __getattr__(self, key: str) -> Evaluation:
        if key.startswith("_"):  # no flag's key: Python's own questions, such as copy()'s
            raise AttributeError(key)
        return self.__flags.evaluate(key)

    def __contains__(self, key: object) -> bool:
        return key in self.__flags

    __iter__ = None  # a template that loops over flags would ask for 0, 1, 2 … for ever


def flags(request: HttpRequest) -> dict[str, Any]:
    """Add ``flags``: ``{% if flags.new_checkout %}``."""
    return {"flags": TemplateFlags(flags_for(request))}
