"""Flags and conditions in words, the same in admin and on the command line.

What is said of a flag needs the rows in ``READS``, which the caller prefetches.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flaggate.core.operators import OPERATORS
from flaggate.models.documents import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from decimal import Decimal

    from flaggate.models.flags import Flag, Prerequisite, Rule

READS = ("variants", "rules__segments", "prerequisites__required")

MOST_RULES = 3  # a line of text has no room for more
MOST_VALUES = 5

# What "not" makes of an operator's label; all others begin with "is".
NEGATED = {
    "contains": "does not contain",
    "starts with": "does not start with",
    "ends with": "does not end with",
    "matches the pattern": "does not match the pattern",
    "exists": "does not exist",
}


def state(flag: Flag, now: datetime | None = None) -> str:
    """Say whether a flag is on, and for whom: "off", "on for 25 %", "scheduled from …"."""
    now = now or timezone.now()
    if flag.archived:
        return _("archived")
    if not flag.enabled:
        return _("off")
    if flag.active_until and flag.active_until <= now:
        return _("over since %(moment)s") % {"moment": moment(flag.active_until)}
    return _timed(flag, now) + _conditions(flag.prerequisites.all())


def audience(flag: Flag) -> str:
    """Say for whom a flag is while it is on: "everyone", "segment beta, then 5 %"."""
    rules = list(flag.rules.all())
    if not rules:
        return _whole(flag.percentage) or percent(flag.percentage)
    parts = [_rule(flag, rule) for rule in rules[:MOST_RULES]]
    if (more := len(rules) - MOST_RULES) > 0:
        words = ngettext("%(count)d more rule", "%(count)d more rules", more)
        parts.append(words % {"count": more})
    if flag.percentage > 0:
        parts.append(_("everyone else") if flag.percentage >= 100 else percent(flag.percentage))
    return _(", then ").join(parts)


def variants(flag: Flag) -> str:
    """Say how a flag's variants share its audience: "compact 50 %, wide 50 %"."""
    every = list(flag.variants.all())
    total = sum(variant.weight for variant in every) or 1
    return ", ".join(f"{each.key} {each.weight * 100 / total:.4g} %" for each in every)


def condition(
    attribute: str,
    operator: str,
    values: Sequence[object],
    *,
    negate: bool = False,
    ignore_case: bool = False,
) -> str:
    """Say what a condition asks for: 'email does not end with "@example.com"'."""
    label = OPERATORS[operator].label if operator in OPERATORS else operator
    if negate:
        label = NEGATED.get(label) or label.replace("is ", "is not ", 1)
    subject = _("the subject") if operator == "in_segment" else attribute
    words = " ".join(filter(None, (subject, label, listed(values))))
    return f"{words} ({_('ignoring case')})" if ignore_case else words


def listed(values: Sequence[object]) -> str:
    """Write values down as JSON, only the first of many."""
    first = [json.dumps(value, ensure_ascii=False, default=str) for value in values[:MOST_VALUES]]
    shown = ", ".join(first)
    if (more := len(values) - MOST_VALUES) > 0:
        return _("%(values)s and %(count)s more") % {"values": shown, "count": f"{more:,}"}
    return shown


def percent(percentage: Decimal) -> str:
    """Write a percentage: "33.3 %"."""
    return _("%(number)s %%") % {"number": number(percentage)}


def moment(when: datetime) -> str:
    """Write a moment in UTC, because operators compare it with logs."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _timed(flag: Flag, now: datetime) -> str:
    whom = audience(flag)
    if flag.active_from and flag.active_from > now:
        words = {"moment": moment(flag.active_from), "audience": whom}
        return _("scheduled from %(moment)s for %(audience)s") % words
    if flag.active_until:
        words = {"moment": moment(flag.active_until), "audience": whom}
        return _("on until %(moment)s for %(audience)s") % words
    return _("on for %(audience)s") % {"audience": whom}


def _conditions(prerequisites: Iterable[Prerequisite]) -> str:
    needed = [_needed(each) for each in prerequisites]
    return _(", if %(conditions)s") % {"conditions": _(" and ").join(needed)} if needed else ""


def _needed(prerequisite: Prerequisite) -> str:
    names = {"flag": prerequisite.required.key, "variant": prerequisite.variant}
    if prerequisite.variant:
        return _("%(flag)s serves %(variant)s") % names
    return _("%(flag)s is active") % names


def _whole(percentage: Decimal) -> str:
    if percentage >= 100:
        return _("everyone")
    return _("nobody") if percentage <= 0 else ""


def _rule(flag: Flag, rule: Rule) -> str:
    keys = sorted(segment.key for segment in rule.segments.all())
    if not keys:
        return _("nobody (a rule without segments)")
    whom = _("chosen people") if keys == [f"{flag.key}.people"] else _segments(keys)
    if rule.percentage <= 0:
        return _("nobody of %(audience)s") % {"audience": whom}
    if rule.percentage < 100:
        share = percent(rule.percentage)
        whom = _("%(share)s of %(audience)s") % {"share": share, "audience": whom}
    return f"{whom} ({rule.variant})" if rule.variant else whom


def _segments(keys: list[str]) -> str:
    named = _(" or ").join(keys)
    return ngettext("segment %(keys)s", "segments %(keys)s", len(keys)) % {"keys": named}
