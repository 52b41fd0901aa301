"""Conditions in words, the same in admin and on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from flaggate.core.operators import OPERATORS
from flaggate.models import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_VALUES = 5

# What "not" makes of an operator's label.
NEGATED = {
    "one_of": gettext_noop("is not one of"),
    "contains": gettext_noop("does not contain"),
    "starts_with": gettext_noop("does not start with"),
    "ends_with": gettext_noop("does not end with"),
    "matches": gettext_noop("does not match the pattern"),
    "exists": gettext_noop("does not exist"),
    "in_segment": gettext_noop("is not in the segment"),
    "in_cidr": gettext_noop("is not in the network"),
    "gt": gettext_noop("is not greater than"),
    "gte": gettext_noop("is not at least"),
    "lt": gettext_noop("is not less than"),
    "lte": gettext_noop("is not at most"),
    "after": gettext_noop("is not after"),
    "on_or_after": gettext_noop("is not on or after"),
    "before": gettext_noop("is not before"),
    "on_or_before": gettext_noop("is not on or before"),
    "semver_eq": gettext_noop("is not the version"),
    "semver_gt": gettext_noop("is not newer than version"),
    "semver_gte": gettext_noop("is not at least version"),
    "semver_lt": gettext_noop("is not older than version"),
    "semver_lte": gettext_noop("is not at most version"),
}


def words(
    attribute: str,
    operator: str,
    values: Sequence[object],
    *,
    negate: bool = False,
    ignore_case: bool = False,
) -> str:
    """Say what a condition asks for: 'email does not end with "@example.com"'."""
    known = OPERATORS.get(operator)
    label = _(NEGATED[operator] if negate else known.label) if known else operator
    subject = _("the subject") if operator == "in_segment" else attribute
    parts = {"subject": subject, "label": label, "values": listed(values)}
    template = _("%(subject)s %(label)s %(values)s") if values else _("%(subject)s %(label)s")
    said = template % parts
    return _("%(condition)s (ignoring case)") % {"condition": said} if ignore_case else said


def listed(values: Sequence[object]) -> str:
    """Write values down as JSON, only the first of many."""
    first = [json.dumps(value, ensure_ascii=False, default=str) for value in values[:MOST_VALUES]]
    shown = ", ".join(first)
    if (more := len(values) - MOST_VALUES) > 0:
        return _("%(values)s and %(count)s more") % {"values": shown, "count": wording.figure(more)}
    return shown
