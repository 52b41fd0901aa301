"""Any flags, segments and subjects: what the laws of the core are held against.

Few keys, attributes and values, so that they meet each other often.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum

from hypothesis import strategies as st

from flaggate.core.definitions import Condition, Flag, Prerequisite, Rule, Segment, Variant
from flaggate.core.evaluation import EvaluationContext
from tests.core.snapshots import NOW

FLAGS = ["a", "b", "c"]
SEGMENTS = ["beta", "paying", "staff"]
VARIANTS = ["x", "y", "z"]

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
QUESTIONS = {
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
ids = st.integers(0, 200).map(str)
units = st.one_of(ids, ids, ids, ids, ids, st.integers() | st.text(), oddities)
moments = st.integers(-2, 2).map(lambda hours: NOW + timedelta(hours=hours))
percentages = st.sampled_from(["50", "100", "0", "20", "0.001", "99.999"]).map(
    Decimal
) | st.decimals(0, 100, places=3)
json_values = st.sampled_from(
    ["compact", True, False, 0, 1, 1.0, 2.5, "", [], [1, "a"], {"a": 1}, {"a": [None]}]
)


def values_of(attribute):
    """Return what a subject may carry under a name: mostly what belongs there."""
    fitting = st.sampled_from(ATTRIBUTES[attribute])
    return st.one_of(fitting, fitting, fitting, oddities, st.lists(fitting | oddities, max_size=2))


attributes = st.fixed_dictionaries(
    {name: values_of(name) for name in ("plan", "groups", "age")},
    optional={name: values_of(name) for name in ("seen", "app", "ip", "visitor")},
)


@st.composite
def contexts(draw):
    """Draw any subject, whose attributes are there from the beginning, or found when asked for."""
    known, key, now = draw(attributes), draw(units), draw(st.one_of(*[moments] * 9, st.none()))
    if draw(st.booleans()):
        return EvaluationContext(key, known, now=now)
    return EvaluationContext(resolve={**known, "targeting_key": key}.get, now=now)


@st.composite
def conditions(draw, segments):
    """Draw a condition; ``segments`` are those that it may name."""
    negate, ignore_case = draw(st.sampled_from([False, False, True])), draw(st.booleans())
    if segments and draw(st.booleans()):
        named = draw(st.lists(st.sampled_from(segments), min_size=1, max_size=2))
        return Condition("", "in_segment", tuple(named), negate)
    if draw(st.integers(0, 4)) == 4:
        return Condition(draw(st.sampled_from([*ATTRIBUTES])), "exists", (), negate)
    operators = draw(st.sampled_from([*QUESTIONS]))
    fitting, operands = QUESTIONS[operators]
    attribute = draw(st.sampled_from(fitting * 4 + [*ATTRIBUTES]))
    chosen = draw(st.lists(st.sampled_from(operands), min_size=1, max_size=3))
    return Condition(
        attribute, draw(st.sampled_from(operators)), tuple(chosen), negate, ignore_case
    )


members = st.just(frozenset()) | st.frozensets(ids.map(str.encode), max_size=3)


@st.composite
def audiences(draw):
    """Draw segments, each of which may be made of those before it."""
    drawn = {}
    for key in SEGMENTS:
        of = conditions(list(drawn))
        drawn[key] = Segment(
            key,
            draw(st.booleans()),
            tuple(draw(st.lists(of, min_size=draw(st.integers(0, 2)), max_size=2))),
            draw(members),
            draw(members),
        )
    return drawn


@st.composite
def variants(draw):
    """Draw the variants of a flag: none, or some with at least one weight above 0."""
    keys = draw(st.lists(st.sampled_from(VARIANTS), unique=True))
    drawn = [Variant(key, draw(json_values), draw(st.integers(0, 3))) for key in keys]
    if drawn and not any(each.weight for each in drawn):
        drawn[0] = replace(drawn[0], weight=1)
    return tuple(drawn)


@st.composite
def flags(draw, key):
    """Draw a flag without prerequisites."""
    outcomes = draw(variants())
    named = st.sampled_from(["", *(each.key for each in outcomes)])
    rules = st.builds(
        Rule,
        st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=2).map(tuple),
        percentages,
        named,
    )
    start, end = draw(st.sampled_from([(None, None)] * 15 + [(-1, None), (None, 1), (-1, 1)]))
    return Flag(
        key,
        enabled=draw(st.sampled_from([True] * 9 + [False])),
        percentage=draw(percentages),
        salt=draw(st.sampled_from(["checkout", "s", "é"])),
        bucket_by=draw(st.sampled_from(["", "", "", "visitor", "age"])),
        off_variant=draw(named),
        active_from=start and NOW + timedelta(hours=start),
        active_until=end and NOW + timedelta(hours=end),
        archived=draw(st.sampled_from([False] * 19 + [True])),
        variants=outcomes,
        rules=tuple(draw(st.lists(rules, min_size=draw(st.integers(0, 2)), max_size=2))),
    )


@st.composite
def prerequisites(draw, drawn):
    """Draw what a flag requires of any flags, itself too."""
    keys = draw(st.just([]) | st.lists(st.sampled_from(FLAGS), unique=True, max_size=2))
    return tuple(
        Prerequisite(key, draw(st.sampled_from(["", *(each.key for each in drawn[key].variants)])))
        for key in keys
    )


@st.composite
def definitions(draw):
    """Draw flags and segments without fault, but for circles of prerequisites."""
    drawn = {key: draw(flags(key)) for key in FLAGS}
    return {
        key: replace(flag, prerequisites=draw(prerequisites(drawn))) for key, flag in drawn.items()
    }, draw(audiences())
