"""What is wrong with a definition: refused on write, a reason for quarantine on load."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from flaggate.core import bucketing, references
from flaggate.core.definitions import Problem
from flaggate.core.operators import operand_problems

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from flaggate.core.definitions import Condition, Flag, Rule, Segment, Variant

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MAX_KEY = 100
MAX_SEGMENT_KEY = 120  # a flag's key, and ".people"
MAX_NAME = 200
MAX_WEIGHT = 2**31 - 1
# PostgreSQL's jsonb writes a float this large without its decimal point: it would come back an int.
MAX_FLOAT = 1e16
# Many readers of JSON take a larger one for infinity, and Python itself refuses 4,300 digits.
MAX_INTEGER = 10**300
MAX_NESTING = 100  # Python's own reader and writer of JSON give up at some depth


def key_problem(key: str, limit: int = MAX_KEY) -> str | None:
    """Say what is wrong with a flag's, segment's or variant's key."""
    if len(key) <= limit and KEY.fullmatch(key):
        return None
    return (
        f"{key!r} is no key: use letters, digits, '.', '_' and '-', "
        f"first a letter or digit, at most {limit} characters."
    )


def flag_problems(
    flag: Flag,
    flags: Mapping[str, Flag],
    segments: Mapping[str, Segment],
    *,
    unsound: Container[str] = (),
    broken: Container[str] = (),
    broken_segments: Mapping[str, str] = {},
) -> Iterator[Problem]:
    """Find what is wrong with a flag, given all the others.

    ``unsound`` are the flags whose prerequisites run in a circle, too deep, or into too many steps;
    ``broken`` and ``broken_segments`` exist, but can't be read or judged; of the latter it is said
    why.
    """
    if problem := key_problem(flag.key):
        yield Problem("key", problem)
    if not flag.salt:
        yield Problem("salt", "is empty, so that nobody can be bucketed. Set any random text.")
    if problem := unstorable(flag.salt):
        yield Problem("salt", problem)
    if flag.bucket_by:
        yield from _name("bucket_by", flag.bucket_by)
    if flag.active_from and flag.active_until and flag.active_from >= flag.active_until:
        yield Problem("active_until", "is not after active_from. Set a later time, or none.")
    yield from percentage_problems("percentage", flag.percentage)
    for position, stage in enumerate(flag.stages):
        yield from percentage_problems(f"stages[{position}].percentage", stage.percentage)
    yield from _variants(flag)
    for position, rule in enumerate(flag.rules):
        yield from _rule(f"rules[{position}]", rule, flag, segments, broken_segments)
    yield from _prerequisites(flag, flags, broken)
    if flag.key in unsound:
        yield Problem(
            "prerequisites",
            f"{references.UNSOUND}. Remove one of them.",
            tolerable=True,
        )


def segment_problems(
    segment: Segment,
    segments: Mapping[str, Segment],
    unsound: Container[str] = (),
) -> Iterator[Problem]:
    """Find what is wrong with a segment; ``unsound`` are those that can't be followed to an end."""
    if problem := key_problem(segment.key, MAX_SEGMENT_KEY):
        yield Problem("key", problem)
    for position, condition in enumerate(segment.conditions):
        yield from _condition(f"conditions[{position}]", condition, segments)
    if segment.key in unsound:
        yield Problem(
            "conditions",
            f"{references.UNSOUND}. Remove one of those with in_segment.",
        )


def broken_segments(segments: Mapping[str, Segment]) -> dict[str, str]:
    """Return the segments that can't be judged, with the reason; also those that use such a one."""
    unsound = references.unsound({key: references.nested(each) for key, each in segments.items()})
    reasons = {
        key: " ".join(str(problem) for problem in problems)
        for key, segment in segments.items()
        if (problems := list(_serious(segment_problems(segment, segments, unsound))))
    }
    users: dict[str, list[str]] = {}
    for key, segment in segments.items():
        for name in references.nested(segment):
            users.setdefault(name, []).append(key)
    spreading = list(reasons)
    while spreading:
        name = spreading.pop()
        for key in users.get(name, ()):
            if key not in reasons:
                reasons[key] = f"uses the segment {name!r}, which is broken: {reasons[name]}"
                spreading.append(key)
    return reasons


def _serious(problems: Iterator[Problem]) -> Iterator[Problem]:
    return (problem for problem in problems if not problem.tolerable)


def unstorable(value: object, depth: int = 0) -> str | None:
    """Say why a JSON value would not come back from every database as it was; None where it would.

    PostgreSQL refuses NUL and lone surrogates, and writes a large float without its decimal point.
    """
    match value:
        case str():
            return _unstorable_text(value)
        case int() if abs(value) >= MAX_INTEGER:
            return "holds an integer of more than 300 digits. Use a smaller one, or a text."
        case float() if not math.isfinite(value):
            return "holds a number that JSON can't express. Use a finite one."
        case float() if abs(value) >= MAX_FLOAT:
            return "holds a float of 1e16 or more, which would become an integer. Use an integer."
        case list() | dict() if depth == MAX_NESTING:
            return f"is nested deeper than {MAX_NESTING} levels. Flatten it."
        case list():
            return _first_unstorable(value, depth)
        case dict():
            return _first_unstorable([*value, *value.values()], depth)
    return None


def _first_unstorable(values: list[object], depth: int) -> str | None:
    problems = (unstorable(each, depth + 1) for each in values)
    return next((problem for problem in problems if problem), None)


def _unstorable_text(text: str) -> str | None:
    if "\0" in text:
        return "holds a NUL character, which PostgreSQL can't store. Remove it."
    if bucketing.encode(text) is None:
        return "holds half of a surrogate pair, which is no character. Remove it."
    return None


def _name(path: str, name: str) -> Iterator[Problem]:
    if not 0 < len(name) <= MAX_NAME:
        yield Problem(path, f"is no name of 1 to {MAX_NAME} characters. Give one.")
    if problem := unstorable(name):
        yield Problem(path, problem)


def percentage_problems(path: str, percentage: Decimal) -> Iterator[Problem]:
    """Find what is wrong with a percentage."""
    if not percentage.is_finite() or not 0 <= percentage <= 100:
        yield Problem(path, f"{percentage} is no percentage. Give a number from 0 to 100.")
    elif percentage != percentage.quantize(Decimal("0.001")):
        yield Problem(path, f"{percentage} has more than three decimals. Round it.")


def _variants(flag: Flag) -> Iterator[Problem]:
    keys = [variant.key for variant in flag.variants]
    for position, variant in enumerate(flag.variants):
        yield from _variant(f"variants[{position}]", variant, keys[:position])
    if flag.variants and not any(variant.weight > 0 for variant in flag.variants):
        yield Problem("variants", "all have the weight 0. Give at least one of them more.")
    if flag.off_variant and flag.off_variant not in keys:
        yield Problem("off_variant", _no_such_variant(flag.off_variant, keys))


def _variant(path: str, variant: Variant, before: list[str]) -> Iterator[Problem]:
    if problem := key_problem(variant.key):
        yield Problem(f"{path}.key", problem)
    if variant.key in before:
        yield Problem(f"{path}.key", f"{variant.key!r} is there twice. Choose another key.")
    if not 0 <= variant.weight <= MAX_WEIGHT:
        yield Problem(f"{path}.weight", f"{variant.weight} is no weight. Give 0 or more.")
    if variant.value is None:
        yield Problem(
            f"{path}.value", "is null. Give a text, a number, true, false, a list or an object."
        )
    if problem := unstorable(variant.value):
        yield Problem(f"{path}.value", problem)


def _rule(
    path: str,
    rule: Rule,
    flag: Flag,
    segments: Mapping[str, Segment],
    broken: Mapping[str, str],
) -> Iterator[Problem]:
    yield from percentage_problems(f"{path}.percentage", rule.percentage)
    if not rule.segments:
        yield Problem(
            f"{path}.segments",
            "is empty, so the rule matches nobody. Add a segment, or remove the rule.",
            tolerable=True,
        )
    for position, key in enumerate(rule.segments):
        if key in broken:
            yield Problem(
                f"{path}.segments[{position}]", f"the segment {key!r} is broken: {broken[key]}"
            )
        elif key not in segments:
            yield Problem(f"{path}.segments[{position}]", f"there is no segment {key!r}.")
    keys = [variant.key for variant in flag.variants]
    if rule.variant and rule.variant not in keys:
        yield Problem(f"{path}.variant", _no_such_variant(rule.variant, keys))


def _prerequisites(
    flag: Flag, flags: Mapping[str, Flag], broken: Container[str]
) -> Iterator[Problem]:
    for position, prerequisite in enumerate(flag.prerequisites):
        path = f"prerequisites[{position}]"
        required = flags.get(prerequisite.flag)
        if required is not None:
            keys = [variant.key for variant in required.variants]
            if prerequisite.variant and prerequisite.variant not in keys:
                yield Problem(f"{path}.variant", _no_such_variant(prerequisite.variant, keys))
        elif prerequisite.flag not in broken:
            yield Problem(f"{path}.flag", f"there is no flag {prerequisite.flag!r}.")


def _condition(
    path: str, condition: Condition, segments: Mapping[str, Segment]
) -> Iterator[Problem]:
    if condition.operator != "in_segment":
        yield from _name(f"{path}.attribute", condition.attribute)
    problems = operand_problems(
        condition.operator, list(condition.values), ignore_case=condition.ignore_case
    )
    tolerable = _one_bad_network(condition, len(problems))
    unstorables = [problem for value in condition.values if (problem := unstorable(value))]
    for problem in (*problems, *unstorables):
        yield Problem(f"{path}.values", problem, tolerable=tolerable)
    if condition.operator == "in_segment":
        for key in condition.values:
            if isinstance(key, str) and key not in segments:
                yield Problem(f"{path}.values", f"there is no segment {key!r}.")


def _one_bad_network(condition: Condition, problems: int) -> bool:
    return condition.operator == "in_cidr" and 0 < problems < len(condition.values)


def _no_such_variant(key: str, keys: list[str]) -> str:
    known = ", ".join(repr(each) for each in keys) or "none"
    return f"{key!r} is no variant of the flag. Its variants: {known}."
