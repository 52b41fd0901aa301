"""The flags that require others, and so are off while those are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from flaggate.models import Prerequisite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

    from flaggate.admin.rehearsing import Rehearsal

MOST_NAMED = 10


def dependents(flags: Iterable[int]) -> dict[int, SafeString]:
    """Name, with links, the flags that require each of these; those in the archive left aside.

    Flags are given by their primary keys, and so is the result; those that none requires are
    missing.
    """
    pairs = Prerequisite.objects.filter(required__in=flags, flag__archived_at=None)
    found: dict[int, list[tuple[int, str]]] = {}
    rows = pairs.order_by("flag__key").values_list("required_id", "flag_id", "flag__key")
    for required, pk, key in rows:
        found.setdefault(required, []).append((pk, key))
    return {required: _linked(requiring) for required, requiring in found.items()}


def name_dependents(rehearsal: Rehearsal) -> None:
    """Say which flags depend on those that would change."""
    changed = {each.flag.pk: each for each in rehearsal.outcomes if each.lines}
    for pk, links in dependents(changed).items():
        changed[pk].dependents = links


def _linked(flags: list[tuple[int, str]]) -> SafeString:
    links = format_html_join(
        ", ",
        '<a href="{}">{}</a>',
        ((reverse("admin:flaggate_flag_change", args=[pk]), key) for pk, key in flags[:MOST_NAMED]),
    )
    more = len(flags) - MOST_NAMED
    return format_html("{} {}", links, _("and %d more") % more) if more > 0 else links
