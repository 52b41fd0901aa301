"""Flags in words, the same in admin and on the command line.

What is said of a flag needs the rows in ``READS``, which the caller prefetches.
"""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.timesince import timesince
from django.utils.translation import get_language, ngettext, npgettext_lazy, pgettext
from django.utils.translation import gettext as _

from flaggate.core import stages
from flaggate.models.documents import number

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from flaggate.models.flags import Flag, Prerequisite, Rule
    from flaggate.models.rollouts import Rollout

READS = ("variants", "rules__segments", "prerequisites__required", "stages", "rollout")

MOST_RULES = 3  # a line of text has no room for more

# The units of ``ago()``: other languages have another case for them than where time is only told.
UNITS: Any = {
    "year": npgettext_lazy("… ago", "%(num)d year", "%(num)d years", "num"),
    "month": npgettext_lazy("… ago", "%(num)d month", "%(num)d months", "num"),
    "week": npgettext_lazy("… ago", "%(num)d week", "%(num)d weeks", "num"),
    "day": npgettext_lazy("… ago", "%(num)d day", "%(num)d days", "num"),
    "hour": npgettext_lazy("… ago", "%(num)d hour", "%(num)d hours", "num"),
    "minute": npgettext_lazy("… ago", "%(num)d minute", "%(num)d minutes", "num"),
}


def state(flag: Flag, now: datetime | None = None) -> str:
    """Say whether a flag is on, and for whom: "off", "on for 25 %", "scheduled from …"."""
    now = now or timezone.now()
    if switched(flag, now) in ("archived", "off", "over"):
        return switch(flag, now)
    return _on_conditions(_timed(flag, now), flag)


def switched(flag: Flag, now: datetime | None = None) -> str:
    """Name a flag's state: archived, off, over, scheduled or on."""
    now = now or timezone.now()
    if flag.archived:
        return "archived"
    if not flag.enabled:
        return "off"
    if flag.active_until and flag.active_until <= now:
        return "over"
    return "scheduled" if flag.active_from and flag.active_from > now else "on"


def switch(flag: Flag, now: datetime | None = None) -> str:
    """Say whether a flag is on, and not for whom: "off", "on", "scheduled from …"."""
    name = switched(flag, now)
    if name == "over" and flag.active_until:
        return _("over since %(moment)s") % {"moment": moment(flag.active_until)}
    if name == "scheduled" and flag.active_from:
        return _("scheduled from %(moment)s") % {"moment": moment(flag.active_from)}
    return {"archived": _("archived"), "off": _("off")}.get(name) or _("on")


def audience(flag: Flag, now: datetime | None = None) -> str:
    """Say for whom a flag is while it is on: "everyone", "segment beta, then 5 %"."""
    rules, share = list(flag.rules.all()), percentage(flag, now or timezone.now())
    if not rules:
        return _whole(share) or percent(share)
    parts = [rule_audience(flag, rule) for rule in rules[:MOST_RULES]]
    if (more := len(rules) - MOST_RULES) > 0:
        words = ngettext("%(count)d more rule", "%(count)d more rules", more)
        parts.append(words % {"count": more})
    if share > 0:
        parts.append(_("everyone else") if share >= 100 else percent(share))
    return _(", then ").join(parts)


def targeting(flag: Flag, now: datetime | None = None) -> str:
    """Say for whom a flag is, and on what conditions: "everyone, if checkout is active"."""
    return _on_conditions(audience(flag, now), flag)


def percentage(flag: Flag, now: datetime) -> Decimal:
    """Return the share of everyone else: that of a running rollout's stage, or the flag's own."""
    held = stage(flag, now)
    found: Decimal = flag.percentage if held is None else flag.stages.all()[held].percentage
    return found


def stage(flag: Flag, now: datetime) -> int | None:
    """Return which stage of a running rollout holds, counted from 0."""
    rollout = rollout_of(flag)
    if rollout is None:
        return None
    shares = [(each.percentage, each.holds) for each in flag.stages.all()]
    return stages.position(stages.schedule(rollout.started_at, rollout.paused_at, shares), now)


def at_last_stage(flag: Flag, now: datetime) -> bool:
    """Tell whether nothing follows in a running rollout but to complete it."""
    return stage(flag, now) == len(flag.stages.all()) - 1


def rollout_of(flag: Flag) -> Rollout | None:
    """Return the rollout that runs."""
    return getattr(flag, "rollout", None)


def progress(flag: Flag, now: datetime) -> str:
    """Say how far a running rollout is: "stage 2 of 3, paused"; empty where none runs."""
    rollout = rollout_of(flag)
    if rollout is None:
        return ""
    held = stage(flag, now)
    if held is None:
        return _("stages from %(moment)s") % {"moment": moment(rollout.started_at)}
    places = {"number": held + 1, "total": len(flag.stages.all())}
    said = _("stage %(number)d of %(total)d") % places
    return _("%(stage)s, paused") % {"stage": said} if rollout.paused_at else said


def variants(flag: Flag) -> str:
    """Say how a flag's variants share its audience: "compact 50 %, wide 50 %"."""
    every = list(flag.variants.all())
    total = sum(variant.weight for variant in every) or 1
    return ", ".join(f"{each.key} {rounded(each.weight * 100 / total)}" for each in every)


def rule_audience(flag: Flag, rule: Rule) -> str:
    """Say who gets what by a rule: "50 % of segment beta (compact)"."""
    keys = sorted(segment.key for segment in rule.segments.all())
    if not keys:
        return _("nobody (a rule without segments)")
    chosen = keys == [f"{flag.key}.people"]
    words = _of_chosen(rule.percentage) if chosen else _of_segments(rule.percentage, len(keys))
    whom = words % {"share": percent(rule.percentage), "keys": _(" or ").join(keys)}
    return f"{whom} ({rule.variant})" if rule.variant and rule.percentage > 0 else whom


def requirement(prerequisite: Prerequisite) -> str:
    """Say what a prerequisite asks for, as after "if": "price_layout serves compact"."""
    names = {"flag": prerequisite.required.key, "variant": prerequisite.variant}
    if prerequisite.variant:
        return pgettext("if …", "%(flag)s serves %(variant)s") % names
    return pgettext("if …", "%(flag)s is active") % names


def percent(share: Decimal | float) -> str:
    """Write a percentage: "33.3 %"."""
    return _("%(number)s %%") % {"number": figure(number(share))}


def rounded(share: float, digits: int = 4) -> str:
    """Write a percentage that was computed, with so many digits that count."""
    return percent(Decimal(f"{share:.{digits}g}"))


def figure(count: float) -> str:
    """Write a number as the reader's language does: "1,250.5"; on the command line, in English."""
    return number_format(count, force_grouping=True) if get_language() else f"{count:,}"


def ago(when: datetime) -> str:
    """Say how long ago something was: "3 days ago"."""
    if (timezone.now() - when).total_seconds() < 60:
        return _("just now")
    return _("%s ago") % timesince(when, depth=1, time_strings=UNITS)


def moment(when: datetime) -> str:
    """Write a moment in UTC, because operators compare it with logs."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def duration(length: timedelta) -> str:
    """Write a length of time as ``flags rollout --stages`` reads it: "12h", "2d"."""
    seconds = length.total_seconds()
    for unit, whole in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % whole == 0:
            return f"{seconds / whole:.0f}{unit}"
    return f"{seconds:g}s"


def _timed(flag: Flag, now: datetime) -> str:
    whom = audience(flag, now)
    if running := progress(flag, now):
        whom = f"{whom} ({running})"
    if flag.active_from and flag.active_from > now:
        return _scheduled(flag.active_from, flag.active_until, whom)
    if flag.active_until:
        words = {"moment": moment(flag.active_until), "audience": whom}
        return _("on until %(moment)s for %(audience)s") % words
    return _("on for %(audience)s") % {"audience": whom}


def _scheduled(begin: datetime, end: datetime | None, whom: str) -> str:
    words = {"moment": moment(begin), "audience": whom}
    if end is None:
        return _("scheduled from %(moment)s for %(audience)s") % words
    words["end"] = moment(end)
    return _("scheduled from %(moment)s until %(end)s for %(audience)s") % words


def _on_conditions(said: str, flag: Flag) -> str:
    needed = [requirement(each) for each in flag.prerequisites.all()]
    if not needed:
        return said
    words = {"said": said, "conditions": _(" and ").join(needed)}
    return _("%(said)s, if %(conditions)s") % words


def _whole(percentage: Decimal) -> str:
    if percentage >= 100:
        return _("everyone")
    return _("nobody") if percentage <= 0 else ""


def _of_chosen(share: Decimal) -> str:
    if share <= 0:
        return _("nobody of the chosen people")
    return _("chosen people") if share >= 100 else _("%(share)s of the chosen people")


def _of_segments(share: Decimal, count: int) -> str:
    if share <= 0:
        return ngettext("nobody of segment %(keys)s", "nobody of segments %(keys)s", count)
    if share >= 100:
        return ngettext("segment %(keys)s", "segments %(keys)s", count)
    return ngettext("%(share)s of segment %(keys)s", "%(share)s of segments %(keys)s", count)
