"""The flags and segments that are measured."""

from __future__ import annotations

from decimal import Decimal

from flaggate.core.definitions import Condition, Flag, Prerequisite, Rule, Segment, Variant

HALF = Decimal(50)
NOBODY = Decimal(0)
PLANS = ("free", "basic", "team", "business", "enterprise")

COLORS = (Variant("red", "#f00", 1), Variant("green", "#0f0", 1), Variant("blue", "#00f", 1))


def asks(key: str, attribute: str, operator: str, *values: object) -> Segment:
    """Return a segment of one condition."""
    return Segment(key, conditions=(Condition(attribute, operator, values),))


def members(key: str, number: int) -> Segment:
    """Return a segment of so many ids."""
    return Segment(key, included=frozenset(str(each).encode() for each in range(number)))


SEGMENTS = {
    each.key: each
    for each in (
        members("people", 20),
        asks("staff", "is_staff", "one_of", True),
        asks("colleagues", "email", "ends_with", "@example.com"),
        asks("french", "language", "one_of", "fr", "fr-ch"),
    )
}


def mixed(number: int) -> dict[str, Flag]:
    """Return so many flags, a tenth of each kind that projects have."""
    return {f"flag_{each}": _of_kind(each % 10, f"flag_{each}", each) for each in range(number)}


def _of_kind(kind: int, key: str, number: int) -> Flag:
    kinds = (
        Flag(key, salt=key),
        Flag(key, True, salt=key),
        Flag(key, True, HALF, key),
        Flag(key, True, Decimal(5), key),
        Flag(key, True, variants=COLORS, salt=key),
        Flag(key, True, HALF, key, variants=COLORS, off_variant="red"),
        Flag(key, True, NOBODY, key, rules=(Rule(("people",)),)),
        Flag(key, True, HALF, key, rules=(Rule(("people",)), Rule(("staff",)))),
        Flag(key, True, HALF, key, rules=(Rule(("colleagues",)), Rule(("french",), HALF))),
        Flag(key, True, HALF, key, prerequisites=(Prerequisite(f"flag_{number // 10 * 10 + 1}"),)),
    )
    return kinds[kind]


def rollouts(number: int) -> dict[str, Flag]:
    """Return so many flags with a percentage."""
    return {key: Flag(key, True, HALF, key) for key in _keys(number)}


def heavy(number: int) -> dict[str, Flag]:
    """Return so many flags of two rules and three variants each."""
    rules = (Rule(("colleagues",), HALF), Rule(("people", "staff"), HALF, "red"))
    return {key: Flag(key, True, HALF, key, variants=COLORS, rules=rules) for key in _keys(number)}


def _keys(number: int) -> list[str]:
    return [f"flag_{each}" for each in range(number)]
