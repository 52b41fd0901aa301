"""The attributes that a project adds by its own function, ``FLAGGATE["CONTEXT"]``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation

from flaggate import conf

logger = logging.getLogger("flaggate")

_failed: set[str] = set()


class CustomAttributes:
    """The attributes that the project's own function gives, asked for once."""

    def __init__(self, subject: Any) -> None:
        self._subject = subject
        self._found: Mapping[str, object] | None = None

    def __call__(self, name: str) -> object:
        path = conf.get().CONTEXT
        if path is None:
            return None
        if self._found is None:
            self._found = self._call(path)
        return self._found.get(name)

    def _call(self, path: str) -> Mapping[str, object]:
        try:
            return dict(conf.hook(path)(self._subject) or {})
        except SynchronousOnlyOperation:
            raise
        except Exception:
            if path not in _failed:
                _failed.add(path)
                logger.exception(
                    "FLAGGATE['CONTEXT'] = %r failed; its attributes are missing.", path
                )
            return {}
