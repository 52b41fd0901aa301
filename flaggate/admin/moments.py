"""Moments as admin shows them: exact, or how long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from flaggate.models import wording

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.safestring import SafeString


def when(moment: datetime) -> SafeString:
    """Show a moment in the viewer's zone; a script changes it to that of the browser."""
    return format_html(
        '<time class="flaggate-moment" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        wording.moment(moment),
        date_format(timezone.localtime(moment), "DATETIME_FORMAT"),
    )


def ago(moment: datetime) -> SafeString:
    """Say how long ago something was."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        wording.moment(moment),
        wording.ago(moment),
    )


def changed(whole: Any) -> SafeString | None:
    """Say when and by whom a flag or segment was last changed; None where nobody knows."""
    if whole.changed_at is None:
        return None
    by = _("by %s") % (whole.changed_by or whole.changed_from)
    return format_html("{} {}", ago(whole.changed_at), by)
