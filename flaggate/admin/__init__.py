"""The admin: release, watch and stop features, with every write recorded."""

from flaggate.admin.flags import FlagAdmin
from flaggate.admin.keys import KeyAdmin
from flaggate.admin.recording import TombstoneAdmin, UsageAdmin
from flaggate.admin.revisions import RevisionAdmin
from flaggate.admin.segments import SegmentAdmin

__all__ = ["FlagAdmin", "KeyAdmin", "RevisionAdmin", "SegmentAdmin", "TombstoneAdmin", "UsageAdmin"]
