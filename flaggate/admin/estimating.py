"""About how many users get a flag: a sample of them is asked, and nothing is recorded."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Max, Min
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from flaggate import context
from flaggate.context.attributes import OF_REQUEST, VISITOR
from flaggate.core import evaluation, references
from flaggate.core.snapshot import Snapshot

if TYPE_CHECKING:
    from flaggate.core.definitions import Flag

MOST_ASKED = 1000  # users
MOST_COUNTED = 1_000_000  # users; a database counts them one by one
LONGEST = 0.15  # seconds for asking them

# What only a request has: a user alone does not tell.
UNKNOWN = {*OF_REQUEST, VISITOR, "language"}


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many of all users have a flag before and after a change, about; how many were asked."""

    before: int
    after: int
    users: int
    asked: int

    def __str__(self) -> str:
        return _("%(after)s of %(users)s users (now %(before)s)") % {
            "after": self._count(self.after),
            "before": self._count(self.before),
            "users": number_format(self.users, force_grouping=True),
        }

    def _count(self, found: int) -> str:
        if self.asked >= self.users:
            return str(found)
        scaled = found * self.users // self.asked
        if not scaled:
            return _("hardly any")
        rounded = round(scaled, min(0, 2 - len(str(scaled))))  # a sample knows no more
        return _("about %s") % number_format(rounded, force_grouping=True)


def estimate(snapshot: Snapshot, before: Flag, after: Flag) -> Estimate | None:
    """Ask a sample of users; None where that would tell nothing, or there are none."""
    named = [references.attributes_of(flag, snapshot.segments) for flag in (before, after)]
    if not UNKNOWN.isdisjoint(set().union(*named)):
        return None
    users = get_user_model()._default_manager.order_by()[:MOST_COUNTED].count()
    try:
        old, new, asked = _ask(_with(snapshot, before), _with(snapshot, after), after.key)
    except Exception:  # an attribute of the project's own: no reason to keep a flag from its change
        return None
    return Estimate(old, new, users, asked) if asked else None


def _with(snapshot: Snapshot, flag: Flag) -> Snapshot:
    flags = {**snapshot.flags, flag.key: flag}
    return Snapshot(flags, snapshot.segments, quarantined=snapshot.quarantined)


def _ask(before: Snapshot, after: Snapshot, key: str) -> tuple[int, int, int]:
    began, now = time.monotonic(), datetime.now(UTC)
    old = new = asked = 0
    for user in _sample():
        subject = context.of_subject(user, now)
        answers = [snapshot.evaluate(key, subject) for snapshot in (before, after)]
        if any(answer.error == evaluation.TARGETING_KEY_MISSING for answer in answers):
            return 0, 0, 0  # shared out by something that not every user has
        old, new, asked = old + answers[0].active, new + answers[1].active, asked + 1
        if time.monotonic() - began > LONGEST:
            break
    return old, new, asked


def _sample() -> list[Any]:
    """Choose users from all of the table; in no order, because there may be no time for all."""
    model = get_user_model()
    users = model._default_manager.order_by()
    if isinstance(model._meta.pk, IntegerField):
        ends = users.aggregate(first=Min("pk"), last=Max("pk"))
        if ends["last"] and ends["last"] - ends["first"] >= MOST_ASKED:
            step = (ends["last"] - ends["first"]) / MOST_ASKED
            users = users.filter(pk__in=[int(ends["first"] + step * n) for n in range(MOST_ASKED)])
    found = list(users[:MOST_ASKED])
    random.shuffle(found)
    return found
