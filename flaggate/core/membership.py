"""Turn a segment's definition into one test of an evaluation context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flaggate.core.evaluation import MEMBERSHIPS, TARGETING_KEY
from flaggate.core.operators import matcher

if TYPE_CHECKING:
    from flaggate.core.definitions import Condition, Segment
    from flaggate.core.evaluation import EvaluationContext

    Test = Callable[[EvaluationContext], bool]


def compile_segment(segment: Segment, test: Callable[[str], Test]) -> Test:
    """Compile a segment; ``test`` gives the compiled segment of another key."""
    included, excluded = segment.included, segment.excluded
    if just_members(segment):
        return lambda context: context.units[TARGETING_KEY] in included
    conditions = [_condition(condition, test) for condition in segment.conditions]
    meets = _meets(conditions, match_all=segment.match_all)
    if segment.on_demand:
        return _on_demand(segment.key, meets)
    if not included and not excluded:
        return meets

    def contains(context: EvaluationContext) -> bool:
        unit = context.units[TARGETING_KEY]
        if unit in excluded:
            return False
        return unit in included or meets(context)

    return contains


def _on_demand(key: str, meets: Test) -> Test:
    def contains(context: EvaluationContext) -> bool:
        member = memberships(context).get(key)
        return meets(context) if member is None else member

    return contains


def memberships(context: EvaluationContext) -> Mapping[str, bool]:
    """Return the on-demand segments that a context is in, or (False) excluded from."""
    if context.units[TARGETING_KEY] is None:
        return {}
    found: Any = context.attributes[MEMBERSHIPS]
    return found or {}


def just_members(segment: Segment) -> bool:
    """Tell whether a segment is nothing but a list of included members."""
    return not segment.conditions and not segment.excluded and not segment.on_demand


def just_plain(segment: Segment) -> bool:
    """Tell whether a segment only compares one attribute with texts or booleans."""
    if segment.on_demand or segment.included or segment.excluded or len(segment.conditions) != 1:
        return False
    return _plain(segment.conditions[0])


def _meets(conditions: list[Test], *, match_all: bool) -> Test:
    if not conditions:
        return lambda context: False
    if len(conditions) == 1:
        return conditions[0]
    quantifier = all if match_all else any
    return lambda context: quantifier(condition(context) for condition in conditions)


def _condition(condition: Condition, test: Callable[[str], Test]) -> Test:
    if condition.operator == "in_segment":
        return _in_segment([test(str(key)) for key in condition.values], negate=condition.negate)
    if condition.operator == "exists":
        return _exists(condition.attribute, negate=condition.negate)
    if _plain(condition):
        return _one_of_plain(condition.attribute, frozenset(condition.values))
    matches = matcher(condition.operator, condition.values, ignore_case=condition.ignore_case)
    return _matches(condition.attribute, matches, negate=condition.negate)


def _in_segment(tests: list[Test], *, negate: bool) -> Test:
    return lambda context: any(test(context) for test in tests) is not negate


def _exists(attribute: str, *, negate: bool) -> Test:
    return lambda context: (context.attributes[attribute] is not None) is not negate


def _matches(attribute: str, matches: Callable[[object], bool], *, negate: bool) -> Test:
    def met(context: EvaluationContext) -> bool:
        value = context.attributes[attribute]
        if value is None:  # a missing attribute meets no condition, not even a negated one
            return False
        return matches(value) is not negate

    return met


def _plain(condition: Condition) -> bool:
    if condition.operator != "one_of" or condition.negate or condition.ignore_case:
        return False
    return all(type(value) in (str, bool) for value in condition.values)


def _one_of_plain(attribute: str, values: frozenset[object]) -> Test:
    # The most frequent condition by far, of texts or booleans: less calls than the general form.
    matches = matcher("one_of", tuple(values))

    def one_of(context: EvaluationContext) -> bool:
        value = context.attributes[attribute]
        if type(value) is str or type(value) is bool:
            return value in values
        return value is not None and matches(value)

    return one_of
