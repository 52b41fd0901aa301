"""``{% flaggate_card %}``: what goes on with all flags, for the front page of admin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import template
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flaggate import store
from flaggate.changes.differences import differences
from flaggate.models import Flag, Revision, wording
from flaggate.models.messages import translated

if TYPE_CHECKING:
    from datetime import datetime

    from flaggate.store import Status

register = template.Library()
register.filter(translated)
register.filter(wording.figure)

RECENT = timedelta(hours=24)
MOST_SHOWN = 4
TOGGLES = ("change_flag", "toggle_flag")


@register.inclusion_tag("admin/flaggate/card.html", takes_context=True)
def flaggate_card(context: dict[str, Any]) -> dict[str, Any]:
    """Show what changed, what rolls out, what is broken and how fresh this process is.

    Empty for those who may not view flags.
    """
    user = context["request"].user
    if not _may_view(user, "flag"):
        return {"shown": False}
    now, status = timezone.now(), store.status()
    return {
        "shown": True,
        "may_toggle": any(user.has_perm(f"flaggate.{name}") for name in TOGGLES),
        "changes": _changes(user, now) if _may_view(user, "revision") else None,
        "since": (now - RECENT).isoformat(),
        "rollouts": _rollouts(now),
        "quarantined": _quarantined(status),
        "freshness": freshness(status),
    }


def freshness(status: Status) -> str:
    """Say from which flags this process answers, and when it last looked for newer ones."""
    if status.source == "defaults":
        return _("This process has not read any flags yet.")
    words = {
        "flags": wording.figure(status.flags),
        "source": SOURCES[status.source](),
        "version": wording.figure(status.version.number) if status.version else "–",
        "age": "–" if status.age is None else number_format(status.age, 1),
    }
    said = ngettext(
        "%(flags)s flag %(source)s, version %(version)s, known to be current %(age)s s ago.",
        "%(flags)s flags %(source)s, version %(version)s, known to be current %(age)s s ago.",
        status.flags,
    )
    return " ".join(filter(None, (said % words, status.error)))


SOURCES = {
    "database": lambda: _("from the database"),
    "last known good": lambda: _("as they were before the database could not be read"),
    "bootstrap": lambda: _("from the bootstrap file"),
}


def _may_view(user: Any, model: str) -> bool:
    return any(user.has_perm(f"flaggate.{action}_{model}") for action in ("view", "change"))


def _changes(user: Any, now: datetime) -> dict[str, Any]:
    recent = Revision.objects.readable_by(user).filter(created__gte=now - RECENT)
    latest = [
        (revision, differences(revision.before, revision.after), wording.ago(revision.created))
        for revision in recent[:MOST_SHOWN]
    ]
    return {"count": recent.count(), "latest": latest}


def _rollouts(now: datetime) -> list[tuple[Flag, str]]:
    running = Flag.objects.filter(rollout__isnull=False, archived_at=None)
    flags = running.select_related("rollout").prefetch_related("stages")
    return [(flag, _progress(flag, now)) for flag in flags]


def _progress(flag: Flag, now: datetime) -> str:
    share = wording.percent(wording.percentage(flag, now))
    said = f"{share}, {wording.progress(flag, now)}"
    if wording.at_last_stage(flag, now):
        said = _("%(progress)s: the last, to be completed") % {"progress": said}
    return said if flag.enabled else _("off (%s)") % said


def _quarantined(status: Status) -> list[tuple[str, int | None, str]]:
    pks = dict(Flag.objects.filter(key__in=status.quarantined).values_list("key", "pk"))
    return [(key, pks.get(key), why.reason) for key, why in sorted(status.quarantined.items())]
