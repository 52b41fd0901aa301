"""``{{ moment|when }}``, ``{{ words|zoned }}``: moments in admin, exact or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from flaggate.models import wording

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()

# A moment as ``wording.moment()`` writes it, in a text whose parts are kept.
IN_UTC = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d UTC)\b", re.ASCII)


@register.filter
def when(moment: datetime) -> SafeString:
    """Show a moment in the viewer's zone; a script changes it to that of the browser."""
    local = timezone.localtime(moment)
    return format_html(
        '<time class="flaggate-moment" datetime="{}" title="{}">{} {}</time>',
        moment.isoformat(),
        wording.moment(moment),
        date_format(local, "DATETIME_FORMAT"),
        local.tzname(),
    )


@register.filter
def zoned(words: str) -> SafeString:
    """Show the moments within a text, which ``wording`` writes in UTC, in the viewer's zone."""
    parts: list[str] = IN_UTC.split(str(words))
    parts[1::2] = map(_zoned, parts[1::2])  # each second one is a moment
    return format_html_join("", "{}", ((part,) for part in parts))


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


def _zoned(moment: str) -> str:
    try:
        return when(datetime.strptime(moment, "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC))
    except ValueError:  # made up by somebody, such as the 31st of June
        return moment
