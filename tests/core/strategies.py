"""Any flags, segments and subjects: what the laws of the core are held against.

Few keys, attributes and values, so that they meet each other often.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

from hypothesis import strategies as st

from flaggate.core.definitions import Condition, Flag, Prerequisite, Rule, Segment, Variant
from flaggate.core.evaluation import MEMBERSHIPS, EvaluationContext
from flaggate.core.stages import Stage
from tests.core.snapshots import NOW

FLAGS = ["a", "b", "c"]
SEGMENTS = ["beta", "paying", "staff"]

TEXTS = ["a", "A", "ab", "ß"]
NUMBERS = [1, 0, 1.0, 2.5, 10**20]
MOMENTS = ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00+01:00", "2020-02-29T23:59:60Z", 0]
VERSIONS = ["1.2", "1.2.0-rc.1", "2.0.0+build"]
PATTERNS = ["a", "^a", "b$", "a|ß", "."]
NETWORKS = ["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "::ffff:10.0.0.0/104"]
ADDRESSES = ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "192.0.2.1"]

# What subjects carry.
ATTRIBUTES = {
    "plan": TEXTS,
    "groups": [["a"], ["A", "ba"], []],
    "age": NUMBERS,
    "seen": [*MOMENTS, NOW],
    "app": VERSIONS,
    "ip": ADDRESSES,
    "visitor": ["v1", "v2"],
}

# What conditions ask of them: operators → attributes, operands.
QUESTIONS: dict[Any, Any] = {
    ("one_of",): (["plan", "groups", "age", "targeting_key"], [*TEXTS, *NUMBERS, True, False]),
    ("contains", "starts_with", "ends_with"): (["plan", "groups"], TEXTS),
    ("matches",): (["plan", "groups"], PATTERNS),
    ("in_cidr",): (["ip"], NETWORKS),
    ("gt", "gte", "lt", "lte"): (["age"], NUMBERS),
    ("after", "on_or_after", "before", "on_or_before"): (["seen", "now"], MOMENTS),
    ("semver_eq", "semver_gt", "semver_gte", "semver_lt", "semver_lte"): (["app"], VERSIONS),
}


class Plan(StrEnum):
    """A text of a class of its own."""

    A = "a"


class Level(IntEnum):
    """An integer of a class of its own."""

    ONE = 1


def _refuse(*args, **kwargs):
    raise RuntimeError("hands off")


HOOKS = "__eq__ __hash__ __lt__ __bool__ __len__ __iter__ __str__ __getattribute__"


def hostile(base, *args):
    """Make an object whose methods raise, but for its repr: hypothesis shows what it found."""
    return type("Hostile", (base,), dict.fromkeys(HOOKS.split(), _refuse))(*args)


# What no subject should carry, and some do.
ODDITIES = [
    None,
    "",
    "\0",
    "\ud800",
    b"a",
    True,
    False,
    1.0,
    float("nan"),
    float("inf"),
    Decimal("7"),
    Decimal("NaN"),
    Decimal("sNaN"),
    10**5000,
    -(10**5000),
    Plan.A,
    Level.ONE,
    [],
    ["a", None, 1],
    ("a",),
    {"a": 1},
    frozenset({"a"}),
    date(2026, 1, 31),
    datetime(2026, 1, 31, 12),
    NOW,
    object,
    hostile(object),
    hostile(str, "a"),
    hostile(int, 1),
    hostile(list, ["a"]),
    [hostile(str, "a")],
]

# By position, because hypothesis looks into what it samples from.
oddities = st.integers(0, len(ODDITIES) - 1).map(ODDITIES.__getitem__)
ids = st.sampled_from(["1", "2", "3"]) | st.integers(0, 200).map(str)
units = st.one_of(ids, ids, ids, ids, ids, st.integers() | st.text(), oddities)
moments = st.integers(-2, 2).map(lambda hours: NOW + timedelta(hours=hours))
percentages = st.sampled_from([50, 100, 0, 20, Decimal("0.001"), Decimal("99.999")]).map(
    Decimal
) | st.decimals(0, 100, places=3)
json_values = st.sampled_from(
    ["compact", True, False, 0, 1, 1.0, 2.5, "", [], [1, "a"], {"a": 1}, {"a": [None]}]
)


def some(strategy, most):
    """Return lists of any length up to most: hypothesis itself draws few long ones."""
    return st.one_of([st.lists(strategy, min_size=n, max_size=n) for n in range(most + 1)])


# --- Subjects ---


def values_of(attribute):
    """Return what a subject may carry under a name: mostly what belongs there."""
    fitting = st.sampled_from(ATTRIBUTES[attribute])
    return st.one_of(fitting, fitting, fitting, oddities, some(fitting | oddities, 2))


attributes = st.fixed_dictionaries(
    {name: values_of(name) for name in ("plan", "groups", "age")},
    optional={
        **{name: values_of(name) for name in ("seen", "app", "ip", "visitor")},
        MEMBERSHIPS: st.dictionaries(st.sampled_from(SEGMENTS), st.booleans()),
    },
)
present = st.one_of(*[moments] * 9, st.none())


def found_when_asked_for(key, known, *, now):
    return EvaluationContext(resolve={**known, "targeting_key": key}.get, now=now)


contexts = st.builds(EvaluationContext, units, attributes, now=present) | st.builds(
    found_when_asked_for, units, attributes, now=present
)

# --- Segments ---

attribute_names = st.sampled_from([*ATTRIBUTES])
negated = st.sampled_from([False, False, True])
questions = [
    st.builds(
        Condition,
        st.sampled_from(fitting) if attempt else attribute_names,
        st.sampled_from(operators),
        st.lists(st.sampled_from(operands), min_size=1, max_size=3).map(tuple),
        negated,
        st.booleans(),
    )
    for operators, (fitting, operands) in QUESTIONS.items()
    for attempt in range(4)
]
existence = st.builds(Condition, attribute_names, st.just("exists"), negate=negated)


def conditions(segments):
    """Return conditions that may name these segments."""
    plain = st.one_of(*[existence] * 12, *questions)
    if not segments:
        return plain
    named = st.lists(st.sampled_from(segments), min_size=1, max_size=2).map(tuple)
    return plain | st.builds(Condition, st.just(""), st.just("in_segment"), named, negated)


members = st.just(frozenset()) | st.frozensets(st.sampled_from([b"1", b"2", b"3"]))
# Each may be made of those before it.
audiences = st.fixed_dictionaries(
    {
        key: st.builds(
            Segment,
            st.just(key),
            st.booleans(),
            some(conditions(SEGMENTS[:position]), 2).map(tuple),
            members,
            members,
            st.sampled_from([False, False, False, True]),
        )
        for position, key in enumerate(SEGMENTS)
    }
)

# --- Flags ---


def with_some_weight(variants):
    if variants and not any(each.weight for each in variants):
        variants[0] = replace(variants[0], weight=1)
    return tuple(variants)


variants = st.lists(
    st.builds(Variant, st.sampled_from(["x", "y", "z"]), json_values, st.integers(0, 3)),
    unique_by=lambda variant: variant.key,
).map(with_some_weight)
choices = st.integers(0, 11)  # of what is known only later, such as the variants of a flag
rules = some(
    st.tuples(
        st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=2).map(tuple), percentages, choices
    ),
    2,
)
schedules = st.sampled_from([(None, None)] * 15 + [(-1, None), (None, 1), (-1, 1)])
hours = st.just([]) | st.lists(st.integers(-2, 2), unique=True, max_size=3).map(sorted)
requirements = st.just([]) | st.lists(
    st.tuples(st.sampled_from(FLAGS), choices), unique_by=lambda each: each[0], max_size=2
)


def named(variants, choice):
    """Return the key of a variant, or none."""
    return ["", *(each.key for each in variants)][choice % (len(variants) + 1)]


@st.composite
def flags(draw, key):
    """Draw a flag without prerequisites."""
    outcomes = draw(variants)
    start, end = draw(schedules)
    return Flag(
        key,
        enabled=draw(st.sampled_from([True] * 9 + [False])),
        percentage=draw(percentages),
        salt=draw(st.sampled_from(["checkout", "s", "é"])),
        bucket_by=draw(st.sampled_from(["", "", "", "visitor", "age"])),
        off_variant=named(outcomes, draw(choices)),
        active_from=start and NOW + timedelta(hours=start),
        active_until=end and NOW + timedelta(hours=end),
        archived=draw(st.sampled_from([False] * 19 + [True])),
        variants=outcomes,
        rules=tuple(
            Rule(segments, percentage, named(outcomes, choice))
            for segments, percentage, choice in draw(rules)
        ),
        stages=tuple(Stage(NOW + timedelta(hours=each), draw(percentages)) for each in draw(hours)),
    )


any_flags = [flags(key) for key in FLAGS]


@st.composite
def definitions(draw):
    """Draw flags and segments without fault, but for circles of prerequisites."""
    drawn = {flag.key: flag for flag in map(draw, any_flags)}
    required = {
        key: tuple(
            Prerequisite(other, named(drawn[other].variants, choice))
            for other, choice in draw(requirements)
        )
        for key in FLAGS
    }
    return {key: replace(flag, prerequisites=required[key]) for key, flag in drawn.items()}, draw(
        audiences
    )
