"""Leave out what is broken, alone: assemble a snapshot from definitions of which some are bad."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flaggate.core import references, validation
from flaggate.core.definitions import Quarantined
from flaggate.core.messages import joined
from flaggate.core.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Set
    from datetime import datetime

    from flaggate.core.definitions import Flag, Segment
    from flaggate.core.snapshot import Version


def assemble(
    flags: Mapping[str, Flag],
    segments: Mapping[str, Segment],
    *,
    unreadable: Mapping[str, Quarantined],
    unreadable_segments: Mapping[str, str],
    version: Version | None,
    source: str,
    loaded_at: datetime | None,
    previous: Snapshot | None,
    unchanged: Set[str] = frozenset(),
) -> Snapshot:
    """Build a snapshot; a broken flag is served by its last good definition, or is off.

    Its ``enabled`` column still kills it. ``previous`` is the snapshot that holds the last good
    definitions. ``unchanged`` are the flags that can't have broken since then, neither by
    themselves nor by a segment or flag that they name.
    """
    bad_segments = {**validation.broken_segments(segments), **unreadable_segments}
    doubtful = {key: flag for key, flag in flags.items() if key not in unchanged}
    quarantined = {
        **_broken(doubtful, flags, segments, unreadable, bad_segments),
        **unreadable,
    }
    if previous is not None:
        still = previous.quarantined.keys() & unchanged - quarantined.keys()
        quarantined |= {key: previous.quarantined[key] for key in still}
    healthy = {key: flag for key, flag in flags.items() if key not in quarantined}
    if quarantined and previous is not None:
        quarantined = _with_last_good(quarantined, previous)
        kept = _kept(quarantined)
        healthy |= kept
        sound = {key: each for key, each in segments.items() if key not in bad_segments}
        segments = {**_segments_of(kept, previous), **sound}
    return Snapshot(
        healthy,
        segments,
        quarantined=quarantined,
        version=version,
        source=source,
        loaded_at=loaded_at,
        previous=previous,
    )


def _broken(
    doubtful: Mapping[str, Flag],
    flags: Mapping[str, Flag],
    segments: Mapping[str, Segment],
    unreadable: Mapping[str, Quarantined],
    bad_segments: Mapping[str, str],
) -> dict[str, Quarantined]:
    broken = {}
    for key, flag in doubtful.items():
        problems = [
            problem
            for problem in validation.flag_problems(
                flag, flags, segments, broken=unreadable, broken_segments=bad_segments
            )
            if not problem.tolerable
        ]
        if problems:
            reason = joined(problem.said for problem in problems)
            killed = flag.archived or not flag.enabled
            broken[key] = Quarantined(reason, bool(flag.variants), killed)
    return broken


def _with_last_good(
    quarantined: Mapping[str, Quarantined], previous: Snapshot
) -> dict[str, Quarantined]:
    # A flag that was broken before is remembered as it was before it was killed, if it was.
    good = {**previous.flags, **{key: why.last_good for key, why in previous.quarantined.items()}}
    return {key: replace(why, last_good=good.get(key)) for key, why in quarantined.items()}


def _kept(quarantined: Mapping[str, Quarantined]) -> dict[str, Flag]:
    return {
        key: replace(why.last_good, enabled=False) if why.killed else why.last_good
        for key, why in quarantined.items()
        if why.last_good
    }


def _segments_of(flags: Mapping[str, Flag], previous: Snapshot) -> dict[str, Segment]:
    return {
        key: segment
        for flag in flags.values()
        for key, segment in references.segments_of(flag, previous.segments).items()
        if segment is not None
    }
