"""What was asked, and which keys are taken for ever: to be read."""

from __future__ import annotations

from django.contrib import admin

from flaggate.admin.columns import shown
from flaggate.admin.revisions import ReadOnlyAdmin
from flaggate.models import Tombstone, Usage


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    """How often each flag answered what, by the hour."""

    list_display = ("flag", "variant", "moment", "count")
    list_display_links = None
    list_filter = ("hour",)
    search_fields = ("flag",)
    moment = shown(Usage, "hour")


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    """The keys of deleted flags, which can't be used again."""

    list_display = ("key", "moment")
    list_display_links = None
    search_fields = ("key",)
    moment = shown(Tombstone, "deleted_at")
