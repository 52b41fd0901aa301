"""The operators of conditions: how a subject's value is tested against stored values.

The table stands at the end. An operator is a check of one stored value, an *operand*, and a
function that compiles all of them to the test of one value of the subject.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from flaggate.core.messages import Message, quoted
from flaggate.core.patterns import pattern_problem, searcher
from flaggate.core.readers import addresses, folded, instant, network, number, text, version

Predicate = Callable[[object], bool]
OperandCheck = Callable[[object, bool], "Message | None"]
PredicateFactory = Callable[[Sequence[object], bool], Predicate]
Reader = Callable[[object], Any]

_LISTS = (list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: its name, its label, the check of one operand, and the test it compiles to.

    Both functions also take ``ignore_case``. An operator without a predicate asks for more than the
    attribute's value: its evaluation belongs to the caller.
    """

    name: str
    label: str
    problem: OperandCheck
    predicate: PredicateFactory | None = None


def matcher(operator: str, values: Sequence[object], *, ignore_case: bool = False) -> Predicate:
    """Compile the test of one condition: a subject's value, or any element of its list, matches.

    The test never raises. Raises ValueError for what ``operand_problems`` refuses, because "no
    match" would turn true under negation (but skips bad networks while there is a good one), and
    for an operator that asks for more than the attribute's value.
    """
    problems = operand_problems(operator, values, ignore_case=ignore_case)
    tolerable = operator == "in_cidr" and any(map(network, values))
    if problems and not tolerable:
        raise ValueError(problems[0])
    predicate = OPERATORS[operator].predicate
    if predicate is None:
        raise ValueError(
            Message("%(operator)s is not judged by an attribute's value alone.", operator=operator)
        )
    return _any_element(predicate(values, ignore_case))


def operand_problems(operator: str, values: object, *, ignore_case: bool = False) -> list[Message]:
    """Say what is wrong with a condition's operator and values, one sentence each."""
    known = OPERATORS.get(operator)
    if known is None:
        return [
            Message(
                "%(operator)s is no operator; use one of %(known)s.",
                operator=quoted(operator),
                known=", ".join(OPERATORS),
            )
        ]
    if not isinstance(values, list | tuple):
        return [Message('The values are no list; write them in square brackets, such as ["beta"].')]
    if not values:
        missing = Message("There are no values; add at least one.")
        return [] if operator == "exists" else [missing]
    return [
        _no_scalar(value) or problem
        for value in values
        if (problem := known.problem(value, ignore_case))
    ]


def _any_element(test: Predicate) -> Predicate:
    def matches(subject: object) -> bool:
        try:
            if type(subject) is str:  # the frequent case
                return test(subject)
            if issubclass(type(subject), _LISTS):
                return any(map(test, subject))  # type: ignore[call-overload]
            return test(subject)
        except Exception:  # somebody's own class, whose methods may raise anything
            return False

    return matches


# --- Operands: what is wrong with one, and how to mend it ---


def _no_scalar(value: object) -> Message | None:
    if value is None:
        return Message(
            "null equals nothing; remove it, and use exists to ask for a missing attribute."
        )
    if isinstance(value, dict):
        return Message("An object equals nothing; replace it by texts, numbers, true or false.")
    if isinstance(value, _LISTS):
        return Message("A list within the list equals nothing; write its entries one by one.")
    return None


def _expects(read: Reader, refused: Callable[[str], Message]) -> OperandCheck:
    def problem(value: object, ignore_case: bool) -> Message | None:
        return None if read(value) is not None else refused(quoted(value))

    return problem


def _exists_problem(value: object, ignore_case: bool) -> Message | None:
    return Message("exists takes no values; remove %(value)s.", value=quoted(value))


def _one_of_problem(value: object, ignore_case: bool) -> Message | None:
    if text(value) is None and number(value) is None and type(value) is not bool:
        return Message(
            "%(value)s equals nothing; write a text, a finite number, true or false.",
            value=quoted(value),
        )
    return None


def _text_problem(value: object, ignore_case: bool) -> Message | None:
    if written := text(value):
        return None
    if written is None:
        return Message(
            '%(value)s is no text; write it in quotes, such as "beta".', value=quoted(value)
        )
    return Message("An empty text is part of every text; remove it.")


def _pattern_problem(value: object, ignore_case: bool) -> Message | None:
    pattern = text(value)
    return pattern_problem(pattern, ignore_case) if pattern else _text_problem(value, ignore_case)


# --- Predicates: operands and ignore_case, compiled into the test of one element ---


def _one_of(values: Sequence[object], ignore_case: bool) -> Predicate:
    read = folded if ignore_case else text
    texts = frozenset(map(read, values)) - {None}
    numbers = frozenset(number(value) for value in values if text(value) is None) - {None}
    booleans = frozenset(value for value in values if type(value) is bool)

    def one_of(element: object) -> bool:
        if type(element) is str:
            return (element.casefold() if ignore_case else element) in texts
        if type(element) is bool:
            return element in booleans
        return number(element) in numbers or read(element) in texts

    return one_of


def _texts(holds: Callable[[str, tuple[str, ...]], bool]) -> PredicateFactory:
    def predicate(values: Sequence[object], ignore_case: bool) -> Predicate:
        read: Reader = folded if ignore_case else text
        operands = tuple(map(read, values))

        def test(element: object) -> bool:
            found = read(element)
            return found is not None and holds(found, operands)

        return test

    return predicate


def _contains(whole: str, parts: tuple[str, ...]) -> bool:
    return any(map(whole.__contains__, parts))


def _matches(values: Sequence[object], ignore_case: bool) -> Predicate:
    found_in = searcher([text(value) or "" for value in values], ignore_case)
    return lambda element: (found := text(element)) is not None and found_in(found)


def _in_cidr(values: Sequence[object], ignore_case: bool) -> Predicate:
    # One look-up per length of prefix, however many networks there are.
    starts: dict[tuple[int, int], set[int]] = defaultdict(set)
    for each in map(network, values):
        if each is not None:
            starts[each.version, int(each.netmask)].add(int(each.network_address))
    prefixes = [(family, mask, frozenset(found)) for (family, mask), found in starts.items()]

    def in_cidr(element: object) -> bool:
        return any(
            family == address.version and int(address) & mask in found
            for address in addresses(element)
            for family, mask, found in prefixes
        )

    return in_cidr


def _bound(
    read: Reader, compare: Callable[[Any, Any], bool], easiest: Callable[[Iterable[Any]], Any]
) -> PredicateFactory:
    def predicate(values: Sequence[object], ignore_case: bool) -> Predicate:
        bound = easiest(map(read, values))

        def test(element: object) -> bool:
            found = read(element)
            return found is not None and compare(found, bound)

        return test

    return predicate


def _equal_version(values: Sequence[object], ignore_case: bool) -> Predicate:
    versions = frozenset(map(version, values))
    return lambda element: (found := version(element)) is not None and found in versions


_number_problem = _expects(
    number,
    lambda value: Message(
        "%(value)s is no finite number; write it without quotes, such as 5 or 2.5.", value=value
    ),
)
_instant_problem = _expects(
    instant,
    lambda value: Message(
        "%(value)s is no moment; write date, time and zone, such as "
        '"2026-01-31T09:00:00Z", or milliseconds since 1970 UTC.',
        value=value,
    ),
)
_version_problem = _expects(
    version,
    lambda value: Message(
        '%(value)s is no version; write it by SemVer, without a leading v, such as "2.1.0".',
        value=value,
    ),
)
_network_problem = _expects(
    network,
    lambda value: Message(
        '%(value)s is no network; write an IPv4 or IPv6 network or address, such as "10.0.0.0/8".',
        value=value,
    ),
)
_segment_problem = _expects(
    lambda value: text(value) or None,
    lambda value: Message(
        '%(value)s is no segment key; write it as a text, such as "beta_testers".', value=value
    ),
)

OPERATORS: dict[str, Operator] = {
    each.name: each
    for each in (
        Operator("one_of", "is one of", _one_of_problem, _one_of),
        Operator("contains", "contains", _text_problem, _texts(_contains)),
        Operator("starts_with", "starts with", _text_problem, _texts(str.startswith)),
        Operator("ends_with", "ends with", _text_problem, _texts(str.endswith)),
        Operator("matches", "matches the pattern", _pattern_problem, _matches),
        Operator("exists", "exists", _exists_problem),
        Operator("in_segment", "is in the segment", _segment_problem),
        Operator("in_cidr", "is in the network", _network_problem, _in_cidr),
        Operator("gt", "is greater than", _number_problem, _bound(number, gt, min)),
        Operator("gte", "is at least", _number_problem, _bound(number, ge, min)),
        Operator("lt", "is less than", _number_problem, _bound(number, lt, max)),
        Operator("lte", "is at most", _number_problem, _bound(number, le, max)),
        Operator("after", "is after", _instant_problem, _bound(instant, gt, min)),
        Operator("on_or_after", "is on or after", _instant_problem, _bound(instant, ge, min)),
        Operator("before", "is before", _instant_problem, _bound(instant, lt, max)),
        Operator("on_or_before", "is on or before", _instant_problem, _bound(instant, le, max)),
        Operator("semver_eq", "is the version", _version_problem, _equal_version),
        Operator("semver_gt", "is newer than version", _version_problem, _bound(version, gt, min)),
        Operator("semver_gte", "is at least version", _version_problem, _bound(version, ge, min)),
        Operator("semver_lt", "is older than version", _version_problem, _bound(version, lt, max)),
        Operator("semver_lte", "is at most version", _version_problem, _bound(version, le, max)),
    )
}
