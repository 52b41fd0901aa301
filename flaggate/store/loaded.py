"""What a process has loaded, and what it makes of what it finds next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from flaggate.core.quarantine import assemble
from flaggate.core.snapshot import Snapshot
from flaggate.store import rows

if TYPE_CHECKING:
    from flaggate.core.snapshot import Version


class Loaded(NamedTuple):
    """A snapshot and what it was made of: one value, so that no thread sees half of a new one."""

    snapshot: Snapshot | None = None
    definitions: rows.Definitions | None = None

    def read(self, using: str, version: Version | None) -> rows.Definitions:
        """Read what is stored; of what is known already, only what has changed since."""
        if self.definitions is None or not self._leads_to(version):
            return rows.read(using)
        return rows.reread(using, self.definitions)

    def followed_by(self, found: rows.Definitions, version: Version | None) -> Loaded:
        """Make a snapshot of what was found; flags that are the same stay compiled."""
        snapshot = assemble(
            found.flags,
            found.segments,
            unreadable=found.unreadable,
            unreadable_segments=found.unreadable_segments,
            version=version,
            source="database",
            loaded_at=datetime.now(UTC),
            previous=self.snapshot,
            unchanged=self._unchanged(found),
        )
        return Loaded(snapshot, found)

    def _leads_to(self, version: Version | None) -> bool:
        """Whether a version follows on the snapshot's, so that flags with an old token are known.

        It does not after a restore, nor after SQL that bumped the version and left the token.
        """
        known = self.snapshot.version if self.snapshot else None
        return (
            version is not None
            and known is not None
            and version.epoch == known.epoch
            and version.number > known.number
            and version.token != known.token
        )

    def _unchanged(self, found: rows.Definitions) -> frozenset[str]:
        """Return the flags that are what they were, with all segments and flags that they name."""
        known = self.definitions
        if known is None:
            return frozenset()
        same_segments = found.segments == known.segments
        return frozenset(
            key
            for key, flag in found.flags.items()
            if flag is known.flags.get(key)
            and not flag.prerequisites
            and (same_segments or not flag.rules)
        )
