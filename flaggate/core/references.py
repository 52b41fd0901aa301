"""Where definitions name each other: flags by prerequisites, segments by ``in_segment``."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING

from flaggate.core.evaluation import MEMBERSHIPS
from flaggate.core.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flaggate.core.definitions import Flag, Segment

# A level of nesting takes up to five of Python's 1,000 stack frames; the caller needs some, too.
MAX_DEPTH = 50
# What is named twice is asked twice. Without a limit, a ladder of 40 levels, each naming both flags
# of the next, would take a million million steps.
MAX_STEPS = 1000

UNSOUND = Message(
    "run in a circle, are nested deeper than %(levels)d levels, or take more than %(steps)d steps",
    levels=MAX_DEPTH,
    steps=MAX_STEPS,
)
UNSOUND_PREREQUISITES = Message("Its prerequisites %(unsound)s.", unsound=UNSOUND)


def unsound(edges: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Return the names whose references run in a circle, too deep, or into too many steps.

    Kahn's algorithm from the leaves up; whatever is never reached leads into a circle.
    """
    users: dict[str, list[str]] = defaultdict(list)
    for name, targets in edges.items():
        for target in targets:
            users[target].append(name)
    waiting = Counter(name for names in users.values() for name in names)
    ready = deque(name for name in {**users, **edges} if not waiting[name])
    depth = dict.fromkeys(ready, 0)
    steps = dict.fromkeys({**users, **edges}, 1)
    while ready:
        target = ready.popleft()
        for name in users.get(target, ()):
            waiting[name] -= 1
            steps[name] = min(steps[name] + steps[target], MAX_STEPS + 1)
            if not waiting[name]:
                depth[name] = depth[target] + 1
                ready.append(name)
    return frozenset(
        name
        for name in edges
        if depth.get(name, MAX_DEPTH + 1) > MAX_DEPTH or steps[name] > MAX_STEPS
    )


def nested(segment: Segment) -> list[str]:
    """Return the keys of the segments that a segment's conditions name."""
    return [
        key
        for condition in segment.conditions
        if condition.operator == "in_segment"
        for key in condition.values
        if isinstance(key, str)
    ]


def required(key: str, flags: Mapping[str, Flag]) -> list[Flag]:
    """Return a flag and those that it requires, directly or not; what is off asks for no other."""
    found: dict[str, Flag] = {}
    keys = [key]
    while keys:
        flag = flags.get(keys.pop())
        if flag is None or flag.key in found:
            continue
        found[flag.key] = flag
        if flag.enabled and not flag.archived:
            keys.extend(each.flag for each in flag.prerequisites)
    return list(found.values())


def segments_of(flag: Flag, segments: Mapping[str, Segment]) -> dict[str, Segment | None]:
    """Return all segments that a flag uses, directly or nested; None where one does not exist."""
    return reached((key for rule in flag.rules for key in rule.segments), segments)


def reached(keys: Iterable[str], segments: Mapping[str, Segment]) -> dict[str, Segment | None]:
    """Return these segments and those nested in them; None where one does not exist."""
    used: dict[str, Segment | None] = {}
    names = list(keys)
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
    if flag.archived or not flag.enabled:
        return set()
    used = asked_by(segments_of(flag, segments))
    if flag.rules or flag.variants or flag.stages or flag.percentage % 100:
        used |= {"targeting_key", flag.bucket_by or "targeting_key"}
    return used


def asked_by(segments: Mapping[str, Segment | None]) -> set[str]:
    """Return the attributes that these segments may read, those nested in them left aside."""
    there = [segment for segment in segments.values() if segment is not None]
    used = {
        condition.attribute
        for segment in there
        for condition in segment.conditions
        if condition.operator != "in_segment"
    }
    return used | {MEMBERSHIPS} if any(segment.on_demand for segment in there) else used
