"""Undo: what a message offers to take a change back, and what keeps a flag from going back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flaggate.admin import quarantine
from flaggate.admin.conflicts import meanwhile
from flaggate.templatetags.flaggate_moments import zoned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from flaggate.admin.conflicts import Meanwhile
    from flaggate.admin.history import History
    from flaggate.models import Flag

MOST_NAMED = 5


def with_undo(request: HttpRequest, said: str, flags: Iterable[Flag]) -> SafeString:
    """Append a button that makes flags what they were before their last change.

    Nothing goes back to what was broken: those flags are named instead.
    """
    flags = list(flags)
    if broken := [flag.key for flag in flags if _broken(request, flag)]:
        said = f"{said} {_stuck(broken)}"
    seen = as_seen(flag for flag in flags if flag.key not in broken)
    if not seen:
        return zoned(said)
    return format_html(
        '{} <form class="flaggate-undo" method="post" action="{}">'
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="seen" value="{}">'
        '<input type="hidden" name="next" value="{}">'
        '<button type="submit">{}</button></form>',
        zoned(said),
        reverse("admin:flaggate_flag_verb", args=["undo"]),
        get_token(request),
        seen,
        request.POST.get("next", ""),
        _("Undo"),
    )


def with_way_back(said: str, history: History, former: int) -> SafeString:
    """Append a link to the page that goes back to a version, where a revision tells of it."""
    if not history.revisions.filter(version=former).exists():
        return zoned(said)
    link = history.url("revert", former)
    return format_html('{} <a href="{}">{}</a>', zoned(said), link, _("Undo"))


def _broken(request: HttpRequest, flag: Flag) -> bool:
    return quarantine.instead(quarantine.why(request, flag.key)) is not None


def _stuck(keys: list[str]) -> str:
    words = ngettext(
        "%(keys)s can't be undone: it was broken before.",
        "%(keys)s can't be undone: they were broken before.",
        len(keys),
    )
    named = keys[:MOST_NAMED]
    if more := len(keys) - len(named):
        named.append(_("and %d more") % more)
    return words % {"keys": ", ".join(named)}


def as_seen(flags: Iterable[Flag]) -> str:
    """Write flags with their versions as a page carries them: "12:3,14:1"."""
    return ",".join(f"{flag.pk}:{flag.version}" for flag in flags)


def since(
    request: HttpRequest, flags: Iterable[Flag], seen: dict[int, int]
) -> list[tuple[Flag, Meanwhile]]:
    """Find which flags were changed since they were seen, and by whom."""
    found = [
        (flag, meanwhile("flag", flag, seen.get(flag.pk, flag.version), request.user))
        for flag in flags
    ]
    return [(flag, changed) for flag, changed in found if changed]
