"""About how many users get a flag before and after a change: a sample is asked, unrecorded."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Max, Min
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from flaggate import context
from flaggate.changes.differences import same
from flaggate.context.attributes import OF_REQUEST, VISITOR
from flaggate.core import evaluation, references

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaggate.core.definitions import Flag
    from flaggate.core.evaluation import Evaluation
    from flaggate.core.snapshot import Snapshot

    Asked = tuple[Any, Evaluation, Evaluation]  # a user, and their answers before and after

MOST_ASKED = 1000  # users
MOST_COUNTED = 1_000_000  # users; a database counts them one by one
LONGEST = 0.15  # seconds for asking them

# What only a request has: a user alone does not tell.
UNKNOWN = {*OF_REQUEST, VISITOR, "language"}


class Untold(Exception):
    """Why it can't be told how many users get a flag."""

    def __init__(self, reason: str) -> None:
        super().__init__(_("How many users that is can't be told: %s.") % reason)


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many of all users have a flag before and after a change, about; how many were asked."""

    before: int
    after: int
    users: int
    asked: int
    #: Those who were asked and for whom something changes.
    changed: list[Asked] = field(default_factory=list, compare=False)
    #: Whether the flag can be active for nobody, which no sample needs to tell.
    off_before: bool = False
    off_after: bool = False

    @property
    def gained(self) -> int:
        """How many of those asked would get the flag anew."""
        return sum(after.active > before.active for _user, before, after in self.changed)

    @property
    def lost(self) -> int:
        """How many of those asked would no longer get it."""
        return sum(after.active < before.active for _user, before, after in self.changed)

    def __str__(self) -> str:
        return _("%(after)s of %(users)s users (now %(before)s)") % {
            "after": self._count(self.after, self.off_after),
            "before": self._count(self.before, self.off_before),
            "users": number_format(self.users, force_grouping=True),
        }

    def _count(self, found: int, off: bool) -> str:
        if self.asked >= self.users:
            return str(found)
        if off:
            return pgettext("of … users", "none")
        scaled = found * self.users // self.asked
        if not scaled:
            return _("hardly any")
        rounded = round(scaled, min(0, 2 - len(str(scaled))))  # a sample knows no more
        return _("about %s") % number_format(rounded, force_grouping=True)


def estimate(before: Snapshot, after: Snapshot, key: str) -> Estimate:
    """Ask a sample of users. Raises Untold where that would tell nothing."""
    for snapshot in (before, after):
        _refuse_unknown(snapshot, key)
    users = get_user_model()._default_manager.order_by()[:MOST_COUNTED].count()
    try:
        asked = list(_ask(before, after, key))
    except Untold:
        raise
    except Exception:  # an attribute of the project's own: no reason to keep a flag from its change
        raise Untold(_("an attribute of the users could not be read")) from None
    if not asked:
        raise Untold(_("no users were found"))
    return Estimate(
        sum(old.active for _user, old, _new in asked),
        sum(new.active for _user, _old, new in asked),
        users,
        len(asked),
        [(user, old, new) for user, old, new in asked if _differ(old, new)],
        *(_off(snapshot.flags[key], datetime.now(UTC)) for snapshot in (before, after)),
    )


def _refuse_unknown(snapshot: Snapshot, key: str) -> None:
    """Raise Untold where a flag can't be asked, or asks for what a user alone does not tell."""
    if key not in snapshot.flags:
        raise Untold(_("what is stored of it is broken"))
    for flag in references.required(key, snapshot.flags):
        unknown = UNKNOWN & references.attributes_of(flag, snapshot.segments)
        if flag.bucket_by in unknown:
            raise _not_everyones(flag)
        if unknown:
            words = _("%(key)s depends on what a user alone does not tell (%(attributes)s)")
            raise Untold(words % {"key": flag.key, "attributes": ", ".join(sorted(unknown))})


def _not_everyones(flag: Flag) -> Untold:
    words = _("%(key)s is shared out by %(attribute)s, which not every user has")
    return Untold(words % {"key": flag.key, "attribute": flag.bucket_by})


def _off(flag: Flag, now: datetime) -> bool:
    """Whether a flag can be active for nobody."""
    over = flag.active_until is not None and flag.active_until <= now
    empty = not (flag.percentage or flag.rules or flag.stages)
    return flag.archived or not flag.enabled or over or empty


def _ask(before: Snapshot, after: Snapshot, key: str) -> Iterator[Asked]:
    began, now = time.monotonic(), datetime.now(UTC)
    shared_out = [(each, flag) for each in (before, after) for flag in _shared_out(each, key)]
    for user in _sample():
        subject = context.of_subject(user, now)
        for snapshot, flag in shared_out:
            if snapshot.evaluate(flag.key, subject).error == evaluation.TARGETING_KEY_MISSING:
                raise _not_everyones(flag)
        yield user, before.evaluate(key, subject), after.evaluate(key, subject)
        if time.monotonic() - began > LONGEST:
            return


def _shared_out(snapshot: Snapshot, key: str) -> list[Flag]:
    """Return those of the flags that are asked which are shared out by what a user may lack."""
    return [flag for flag in references.required(key, snapshot.flags) if flag.bucket_by]


def _differ(old: Evaluation, new: Evaluation) -> bool:
    if (old.active, old.variant) != (new.active, new.variant):
        return True
    return old.variant is not None and not same(old.value, new.value)


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
