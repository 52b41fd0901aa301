"""Where definitions name each other: prerequisites between flags, ``in_segment`` between segments."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flaggate.core.definitions import Flag, Segment

# Nested closures use one or two Python frames a level; 50 levels leave room for the caller's own.
MAX_DEPTH = 50


def unsound(edges: Mapping[str, Iterable[str]], limit: int = MAX_DEPTH) -> frozenset[str]:
    """Return the names whose references run into a cycle or are nested deeper than ``limit``.

    Kahn's algorithm from the leaves up; whatever is never reached leads into a cycle.
    """
    waiting = {name: set(targets) for name, targets in edges.items()}
    users: dict[str, list[str]] = {}
    for name, targets in waiting.items():
        for target in targets:
            users.setdefault(target, []).append(name)
    heights: dict[str, int] = dict.fromkeys(users.keys() - waiting.keys(), 0)
    heights.update((name, 0) for name, targets in waiting.items() if not targets)
    ready = deque(heights)
    while ready:
        target = ready.popleft()
        for name in users.get(target, ()):
            waiting[name].discard(target)
            if not waiting[name]:
                heights[name] = heights[target] + 1
                ready.append(name)
    return frozenset(name for name in waiting if heights.get(name, limit + 1) > limit)


def nested(segment: Segment) -> list[str]:
    """Return the keys of the segments that a segment's conditions name."""
    return [
        key
        for condition in segment.conditions
        if condition.operator == "in_segment"
        for key in condition.values
        if isinstance(key, str)
    ]


def segments_of(flag: Flag, segments: Mapping[str, Segment]) -> dict[str, Segment | None]:
    """Return all segments that a flag uses, directly or nested; None where one does not exist."""
    used: dict[str, Segment | None] = {}
    names = [key for rule in flag.rules for key in rule.segments]
    while names:
        key = names.pop()
        if key in used:
            continue
        segment = used[key] = segments.get(key)
        if segment is not None:
            names.extend(nested(segment))
    return used


def attributes_of(flag: Flag, segments: Mapping[str, Segment]) -> set[str]:
    """Return the attributes that evaluating a flag may read, its prerequisites' left aside."""
    used = {
        condition.attribute
        for segment in segments_of(flag, segments).values()
        if segment is not None
        for condition in segment.conditions
        if condition.operator != "in_segment"
    }
    if flag.rules or flag.percentage != 100 or flag.variants:
        used |= {"targeting_key", flag.bucket_by or "targeting_key"}
    return used
