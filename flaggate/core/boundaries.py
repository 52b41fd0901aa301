"""The moments at which answers change although nobody changes a flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flaggate.core.readers import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from flaggate.core.definitions import Flag, Segment

NOW = "now"  # the attribute whose conditions are about time


def boundaries(flags: Mapping[str, Flag], segments: Mapping[str, Segment]) -> list[int | Decimal]:
    """Return them in order, as nanoseconds since 1970: starts, ends, stages, conditions on now."""
    times = [*_of_flags(flags.values()), *_of_segments(segments.values())]
    return sorted({moment for each in times if (moment := instant(each)) is not None})


def _of_flags(flags: Iterable[Flag]) -> Iterator[object]:
    for flag in flags:
        yield from (flag.active_from, flag.active_until)
        yield from (stage.starts for stage in flag.stages)


def _of_segments(segments: Iterable[Segment]) -> Iterator[object]:
    for segment in segments:
        for condition in segment.conditions:
            if condition.attribute == NOW:
                yield from condition.values
