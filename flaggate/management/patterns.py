"""Regular expressions in conditions, and the library that they need."""

from __future__ import annotations

from importlib import metadata, util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flaggate.store import Definitions


def used(found: Definitions) -> int:
    """Count the conditions with a pattern."""
    return sum(
        condition.operator == "matches"
        for segment in found.segments.values()
        for condition in segment.conditions
    )


def installed() -> str:
    """Return the version of google-re2; empty where it is missing."""
    return metadata.version("google-re2") if util.find_spec("re2") else ""
