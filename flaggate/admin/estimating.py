"""About how many users get a flag before and after a change: a sample is asked, unrecorded."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import log10, sqrt
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Max, Min
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from flaggate.admin.subjects import CHUNK, UNKNOWN, subjects, unknown
from flaggate.changes.differences import same
from flaggate.core import evaluation, references
from flaggate.models.wording import figure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flaggate.admin.subjects import Subject
    from flaggate.core.definitions import Flag
    from flaggate.core.evaluation import Evaluation
    from flaggate.core.snapshot import Snapshot

    Asked = tuple[Any, Evaluation, Evaluation]  # a user, and their answers before and after

MOST_ASKED = 5000  # users
MOST_GAPS = 5  # numbers a user; of some kinds, such as snowflakes, hardly any is somebody's
MOST_COUNTED = 1_000_000  # users; a database counts them one by one
LONGEST = 0.15  # seconds for asking them


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
    #: Whether both are of the moment at which the flag begins: until then it is for nobody.
    later: bool = False

    @property
    def gained(self) -> int:
        """How many of those asked would get the flag anew."""
        return sum(after.active > before.active for _user, before, after in self.changed)

    @property
    def lost(self) -> int:
        """How many of those asked would no longer get it."""
        return sum(after.active < before.active for _user, before, after in self.changed)

    def __str__(self) -> str:
        return self._words % {
            "after": self._count(self.after, self.off_after),
            "before": self._count(self.before, self.off_before),
            "users": figure(self.users),
            "asked": figure(self.asked),
        }

    @property
    def _words(self) -> str:
        if self.asked >= self.users:
            if self.later:
                return _("from then on %(after)s of %(users)s users (instead of %(before)s)")
            return _("%(after)s of %(users)s users (now %(before)s)")
        if self.later:
            return _(
                "from then on %(after)s of %(users)s users "
                "(instead of %(before)s; %(asked)s were asked)"
            )
        return _("%(after)s of %(users)s users (now %(before)s; %(asked)s were asked)")

    def _count(self, found: int, off: bool) -> str:
        if self.asked >= self.users:
            return figure(found)
        if off:
            return pgettext("of … users", "none")
        if not found:
            return _("hardly any")
        step = _step(self._error(found))
        return _("about %s") % figure(round(found * self.users / self.asked / step) * step)

    def _error(self, found: int) -> float:
        """Return the standard error of a count of all users: binomial, drawn without replacement.

        Cochran, Sampling Techniques (1977), section 3.2.
        """
        share, left = found / self.asked, (self.users - self.asked) / (self.users - 1)
        return self.users * sqrt(share * (1 - share) / self.asked * left)


def _step(error: float) -> int:
    """Return to what a number is rounded that is sure to within an error: 1, 2, 5, 10, 20, …"""
    error = max(error, 1)
    power = int(10.0 ** int(log10(error)))
    return max(each for each in (power, 2 * power, 5 * power) if each <= error)


def estimate(before: Snapshot, after: Snapshot, key: str) -> Estimate:
    """Ask a sample of users. Raises Untold where that would tell nothing."""
    for snapshot in (before, after):
        _refuse_unknown(snapshot, key)
    now = datetime.now(UTC)
    begins = _begins(before, after, key, now)
    users = get_user_model()._default_manager.order_by()[:MOST_COUNTED].count()
    try:
        asked = list(_ask(before, after, key, begins or now, users))
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
        off_before=_off(before, key, begins or now),
        off_after=_off(after, key, begins or now),
        later=begins is not None,
    )


def _refuse_unknown(snapshot: Snapshot, key: str) -> None:
    """Raise Untold where a flag can't be asked, or asks for what a user alone does not tell."""
    if key not in snapshot.flags:
        raise Untold(_("what is stored of it is broken"))
    for flag in references.required(key, snapshot.flags):
        attributes = references.attributes_of(flag, snapshot.segments)
        if flag.bucket_by in attributes & UNKNOWN:
            raise _not_everyones(flag)
        if reason := unknown(flag.key, attributes):
            raise Untold(reason)


def _not_everyones(flag: Flag) -> Untold:
    words = _("%(key)s is shared out by %(attribute)s, which not every user has")
    return Untold(words % {"key": flag.key, "attribute": flag.bucket_by})


def _begins(before: Snapshot, after: Snapshot, key: str, now: datetime) -> datetime | None:
    """Return when a flag will begin that is for nobody until then, whatever is done now."""
    start = after.flags[key].active_from
    if start is None or start <= now or not _off(before, key, now):
        return None
    return None if _off(after, key, start) else start


def _off(snapshot: Snapshot, key: str, now: datetime) -> bool:
    """Whether a flag can be active for nobody: it is off itself, or one that it requires is."""
    return any(_idle(flag, now) for flag in references.required(key, snapshot.flags))


def _idle(flag: Flag, now: datetime) -> bool:
    early = flag.active_from is not None and flag.active_from > now
    over = flag.active_until is not None and flag.active_until <= now
    empty = not (flag.percentage or flag.rules or flag.stages)
    return flag.archived or not flag.enabled or early or over or empty


def _ask(before: Snapshot, after: Snapshot, key: str, now: datetime, users: int) -> Iterator[Asked]:
    until = time.monotonic() + LONGEST
    both = (before, after)
    shared_out = [(each, flag) for each in both for flag in _shared_out(each, key)]
    attributes = _attributes(before, key) | _attributes(after, key)
    for user, subject in _sample(users, attributes, now):
        for snapshot, flag in shared_out:
            if snapshot.evaluate(flag.key, subject).error == evaluation.TARGETING_KEY_MISSING:
                raise _not_everyones(flag)
        yield user, before.evaluate(key, subject), after.evaluate(key, subject)
        if time.monotonic() > until:
            return


def _attributes(snapshot: Snapshot, key: str) -> set[str]:
    """Return the attributes that may be read to answer a flag."""
    flags = references.required(key, snapshot.flags)
    return set().union(*(references.attributes_of(flag, snapshot.segments) for flag in flags))


def _shared_out(snapshot: Snapshot, key: str) -> list[Flag]:
    """Return those of the flags that are asked which are shared out by what a user may lack."""
    return [flag for flag in references.required(key, snapshot.flags) if flag.bucket_by]


def _differ(old: Evaluation, new: Evaluation) -> bool:
    if (old.active, old.variant) != (new.active, new.variant):
        return True
    return old.variant is not None and not same(old.value, new.value)


def _sample(users: int, attributes: Collection[str], now: datetime) -> Iterator[Subject]:
    """Read users from all of the table; in no order, because there may be no time for all."""
    drawn = _drawn(users)
    those = get_user_model()._default_manager.order_by()
    for start in range(0, len(drawn), CHUNK):
        found = list(those.filter(pk__in=drawn[start : start + CHUNK]))
        random.shuffle(found)  # a database gives the oldest first
        yield from subjects(found, attributes, now)


def _drawn(users: int) -> list[Any]:
    """Draw primary keys; there may be gaps between them, and so some of nobody."""
    model = get_user_model()
    those = model._default_manager.order_by()
    if users > MOST_ASKED and isinstance(model._meta.pk, IntegerField):
        ends = those.aggregate(first=Min("pk"), last=Max("pk"))
        numbers = range(ends["first"], ends["last"] + 1)
        if len(numbers) < users * MOST_GAPS:
            return random.sample(numbers, MOST_ASKED)  # nosec B311
    drawn = list(those.values_list("pk", flat=True)[:MOST_ASKED])
    random.shuffle(drawn)
    return drawn
