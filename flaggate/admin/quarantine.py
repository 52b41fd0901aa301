"""Flags that would be on, but what is stored of them is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flaggate.flags import pin

if TYPE_CHECKING:
    from django.http import HttpRequest

    from flaggate.core.definitions import Quarantined


def of(request: HttpRequest, key: str) -> Quarantined | None:
    """Find why a flag is not served as it is stored; None where it is, or is off anyway."""
    found = pin(request).snapshot.quarantined.get(key)
    return None if found is None or found.killed else found
