"""Calls of a project's own functions: one that fails is logged once, and costs only its answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import SynchronousOnlyOperation

logger = logging.getLogger("flaggate")

_told: set[str] = set()


@contextmanager
def contained(setting: str, path: str, loss: str) -> Iterator[None]:
    """Let nothing out of the block but SynchronousOnlyOperation; ``loss`` says what it costs."""
    try:
        yield
    except SynchronousOnlyOperation:
        raise
    except Exception:
        if path not in _told:
            _told.add(path)
            logger.exception("FLAGGATE[%r] = %r failed; %s.", setting, path, loss)
