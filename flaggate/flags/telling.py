"""What the log is told of questions that go wrong: once, until the flags change."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flaggate.core.snapshot import Snapshot

LONGEST_KEY = 100  # characters; no flag's key is longer
MOST_TOLD = 100  # unknown keys that are logged for one snapshot


def first_time(snapshot: Snapshot, entry: str) -> bool:
    """Tell whether the log has not been told of something yet, since the flags last changed."""
    if entry in snapshot.told:
        return False
    snapshot.told.add(entry)
    return True


def shown(key: object) -> str:
    """Return a key as it may stand in a log or an answer: a short text, whatever was asked for."""
    if not isinstance(key, str):
        return f"<{type(key).__name__}>"
    return key if len(key) <= LONGEST_KEY else f"{key[:LONGEST_KEY]}…"


def did_you_mean(key: str, snapshot: Snapshot) -> str:
    close = difflib.get_close_matches(key, snapshot.flags, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"There is no flag {key!r}; it is off.{hint}"
