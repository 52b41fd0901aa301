"""The attributes that a project adds by its own function, ``FLAGGATE["CONTEXT"]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation

from flaggate import conf
from flaggate.context.attributes import comparable
from flaggate.context.hooks import contained


class CustomAttributes:
    """The attributes that the project's own function gives, asked for once."""

    def __init__(self, subject: Any, sent: Mapping[str, object] | None = None) -> None:
        self._subject = subject
        self._sent = sent or {}  # what the subject says of itself; the function's names go before
        self._found: Mapping[str, object] | None = None

    def __call__(self, name: str) -> object:
        path = conf.get().CONTEXT
        if path is None:
            return self._sent.get(name)
        with contained("CONTEXT", path, "its attributes are missing"):
            return comparable(self._all(path).get(name))
        return None

    def _all(self, path: str) -> Mapping[str, object]:
        if self._found is None:
            # Nothing, nor what was sent, for a function that fails or asks for flags itself.
            self._found = {}
            try:
                self._found = {**self._sent, **(conf.hook(path)(self._subject) or {})}
            except SynchronousOnlyOperation:
                self._found = None
                raise
        return self._found
