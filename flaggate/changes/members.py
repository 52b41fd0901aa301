"""Members of segments, added, removed or replaced in bulk: thousands are one change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connections

from flaggate.changes.change import change
from flaggate.core import bucketing
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.exceptions import Invalid, UnknownSegment
from flaggate.models import Segment, SegmentMember, state
from flaggate.models.revisions import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_KEY = 200  # characters of a targeting key, as many as its column holds
CHUNK = 5000  # keys in one statement, where the database takes as many parameters


@dataclass(frozen=True, slots=True)
class Tally:
    """How many members a change added and removed, and how many of the given ones it left alone."""

    added: int
    removed: int
    unchanged: int


def add(key: str, keys: Iterable[str], *, excluded: bool = False, **how: Any) -> Tally:
    """Include targeting keys in a segment, or exclude them; those there already are left alone.

    Raises Invalid, UnknownSegment.
    """
    with change(**how):
        segment = segment_of(key)
        given = _checked(segment, keys)
        added = add_members(segment, given, excluded=excluded)
    return Tally(added, 0, len(given) - added)


def remove(key: str, keys: Iterable[str], *, excluded: bool = False, **how: Any) -> Tally:
    """Remove targeting keys from a segment's members, or from those excluded from it.

    Raises Invalid, UnknownSegment.
    """
    with change(**how):
        segment = segment_of(key)
        given = _checked(segment, keys)
        removed = remove_members(segment, given, excluded=excluded)
    return Tally(0, removed, len(given) - removed)


def replace(key: str, keys: Iterable[str], *, excluded: bool = False, **how: Any) -> Tally:
    """Make targeting keys the only members of a segment, or the only ones excluded from it.

    Raises Invalid, UnknownSegment.
    """
    with change(**how):
        segment = segment_of(key)
        given = _checked(segment, keys)
        members = segment.members.filter(excluded=excluded)
        gone = set(members.values_list("targeting_key", flat=True).iterator()).difference(given)
        removed = remove_members(segment, list(gone), excluded=excluded)
        added = add_members(segment, given, excluded=excluded)
    return Tally(added, removed, len(given) - added)


def add_members(segment: Segment, keys: Iterable[str], *, excluded: bool = False) -> int:
    """Add targeting keys to a segment, or to those excluded from it; return how many were new.

    To be called inside ``change()``.
    """
    members = segment.members.filter(excluded=excluded)
    before = members.count()
    segment.members.bulk_create(
        [
            SegmentMember(segment=segment, targeting_key=key, excluded=excluded)
            for key in dict.fromkeys(keys)
        ],
        batch_size=CHUNK,
        ignore_conflicts=True,
    )
    return members.count() - before


def remove_members(segment: Segment, keys: list[str], *, excluded: bool = False) -> int:
    """Remove targeting keys, and return how many were there. To be called inside ``change()``."""
    members = segment.members.filter(excluded=excluded)
    # Not delete(), which reads each member to send a signal for it; nothing hangs on a member.
    state.touch(members.db, segments={segment.pk})
    return sum(
        members.filter(targeting_key__in=chunk)._raw_delete(members.db)
        for chunk in chunks(keys, members.db)
    )


def segment_of(key: str) -> Segment:
    """Read a segment for a change. Raises UnknownSegment."""
    segment = Segment.objects.using(state.alias()).filter(key=key).first()
    if segment is None:
        raise UnknownSegment(Message("There is no segment %(key)r.", key=key))
    found: Segment = segment
    return found


def _checked(segment: Segment, keys: Iterable[str]) -> list[str]:
    """Return the keys once each. Raises Invalid for the first that can be no targeting key."""
    given = list(dict.fromkeys(keys))
    for place, key in enumerate(given):
        if found := problem(key):
            raise Invalid(named("segment", segment.key), [Problem(f"members[{place}]", found)])
    return given


def problem(key: object) -> str:
    """Say why something can be no targeting key; empty where it can."""
    if not isinstance(key, str) or not key:
        return Message("%(key)r is no targeting key. Give a text that is not empty.", key=key)
    if len(key) > LONGEST_KEY:
        return Message(
            "“%(key)s…” is longer than %(limit)d characters.", key=key[:40], limit=LONGEST_KEY
        )
    if "\0" in key or bucketing.encode(key) is None:
        return Message("%(key)r holds characters that can't be stored. Remove them.", key=key)
    return ""


def chunks(keys: list[str], using: str) -> Iterator[list[str]]:
    """Cut keys into as many as a database takes in one statement."""
    most = connections[using].features.max_query_params or CHUNK
    size = min(CHUNK, most - 2)  # two more are the segment and the list
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
