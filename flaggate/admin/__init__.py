"""The admin: release, watch and stop features, with every write recorded."""

from django.contrib import admin

from flaggate.admin.flags import FlagAdmin
from flaggate.admin.keys import KeyAdmin
from flaggate.admin.recording import TombstoneAdmin, UsageAdmin
from flaggate.admin.revisions import RevisionAdmin
from flaggate.admin.segments import SegmentAdmin

__all__ = ["FlagAdmin", "KeyAdmin", "RevisionAdmin", "SegmentAdmin", "TombstoneAdmin", "UsageAdmin"]

# A project that has an index page of its own keeps it.
if admin.site.index_template is None:
    admin.site.index_template = "admin/flaggate/index.html"
