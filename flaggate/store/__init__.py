"""From the database to this process: rows to definitions, and a snapshot that stays fresh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flaggate.store.freshness import refreshed, store
from flaggate.store.rows import Definitions, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flaggate.core.definitions import Quarantined
    from flaggate.core.snapshot import Version

__all__ = ["Definitions", "Status", "connect", "read", "refreshed", "status", "store"]


@dataclass(frozen=True, slots=True)
class Status:
    """Which flags a process answers from, and how fresh they are."""

    #: Where they come from: "database", "last known good", "bootstrap" or "defaults".
    source: str
    #: The same in all processes that have the same flags: epoch, number and token.
    version: Version | None
    #: When they were loaded; None without any.
    loaded_at: datetime | None
    #: When the database was last asked, with success, whether they are current.
    checked_at: datetime | None
    #: How many there are.
    flags: int
    #: Those whose rows are broken, by key, and why.
    quarantined: Mapping[str, Quarantined]
    #: How often this process has loaded flags.
    loads: int
    #: Looks at the database that failed since the last good one.
    failures: int
    #: What the last of them said; empty if all is well.
    error: str

    @property
    def age(self) -> float | None:
        """Seconds since the flags were last known to be current; None if they never were."""
        current_at = self.checked_at or self.loaded_at
        if self.source == "defaults" or current_at is None:
            return None
        return max(0.0, (datetime.now(UTC) - current_at).total_seconds())


def status() -> Status:
    """Say which flags this process answers from, and how fresh they are. Makes no query."""
    snapshot = store.snapshot
    if snapshot is None:
        source = "defaults"
    else:
        known = store.failures and snapshot.source == "database"
        source = "last known good" if known else snapshot.source
    return Status(
        source,
        snapshot.version if snapshot else None,
        snapshot.loaded_at if snapshot else None,
        store.checked_at,
        len(snapshot.flags) if snapshot else 0,
        snapshot.quarantined if snapshot else {},
        store.loads,
        store.failures,
        store.error,
    )


def connect() -> None:
    """Hear of this process's own commits."""
    from flaggate.models.state import committed

    def hear(**_: Any) -> None:
        store.committed()

    committed.connect(hear, dispatch_uid="flaggate.store", weak=False)
