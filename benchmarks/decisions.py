"""Decisions through the snapshot, with a context whose attributes are known."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec

from definitions import HALF, NOBODY, PLANS, asks, members, rollouts
from flaggate.core.definitions import Flag, Rule
from flaggate.core.evaluation import EvaluationContext
from flaggate.core.explanation import explain
from flaggate.core.snapshot import Snapshot
from floors import FLOOR, LOOK_UP, LOOK_UP_AND_HASH
from measure import Subject

IDS = 100_000

ATTRIBUTES = {
    "plan": "none",
    "country": "ch",
    "email": "somebody@example.com",
    "groups": ["editors", "beta"],
    "age": 42,
    "joined": datetime(2026, 1, 31, tzinfo=UTC),
    "version": "2.4.0",
    "ip": "10.20.30.40",
    **{f"attribute_{number}": "none" for number in range(5)},
}
SUBJECT = EvaluationContext("42", ATTRIBUTES)
LAST = EvaluationContext("42", {**ATTRIBUTES, "plan": PLANS[-1], "attribute_4": PLANS[-1]})
STRANGER = EvaluationContext("somebody", ATTRIBUTES)

# Each meets SUBJECT, so that all of them do their whole work.
OPERATORS: dict[str, tuple[str, tuple[object, ...]]] = {
    "one_of": ("country", ("at", "ch", "de")),
    "contains": ("email", ("@example",)),
    "starts_with": ("email", ("some",)),
    "ends_with": ("email", ("@example.com",)),
    "matches": ("email", (r"@example\.(com|org)$",)),
    "exists": ("email", ()),
    "in_segment": ("", ("people",)),
    "in_cidr": ("ip", ("10.0.0.0/8", "192.168.0.0/16")),
    "gt": ("age", (18,)),
    "gte": ("age", (18,)),
    "lt": ("age", (65,)),
    "lte": ("age", (65,)),
    "after": ("joined", ("2025-01-01T00:00:00Z",)),
    "on_or_after": ("joined", ("2025-01-01T00:00:00Z",)),
    "before": ("joined", ("2027-01-01T00:00:00Z",)),
    "on_or_before": ("joined", ("2027-01-01T00:00:00Z",)),
    "semver_eq": ("version", ("2.4.0",)),
    "semver_gt": ("version", ("2.0.0",)),
    "semver_gte": ("version", ("2.0.0",)),
    "semver_lt": ("version", ("3.0.0",)),
    "semver_lte": ("version", ("3.0.0",)),
}
if find_spec("re2") is None:
    del OPERATORS["matches"]

SEGMENTS = {
    each.key: each
    for each in (
        members("people", IDS),
        asks("listed", "targeting_key", "one_of", *map(str, range(IDS))),
        asks("groups", "groups", "one_of", "beta"),
        *(asks(f"plan_{plan}", "plan", "one_of", plan) for plan in PLANS),
        *(asks(f"five_{number}", f"attribute_{number}", "one_of", *PLANS) for number in range(5)),
        *(asks(name, attribute, name, *values) for name, (attribute, values) in OPERATORS.items()),
    )
}


def _released(key: str, *segments: str, percentage: Decimal = NOBODY) -> Flag:
    rules = tuple(Rule((segment,)) for segment in segments)
    return Flag(key, True, percentage, key, rules=rules)


FLAGS = {
    each.key: each
    for each in (
        Flag("off"),
        Flag("on", True),
        Flag("percentage", True, HALF, "percentage"),
        _released("people", "people"),
        _released("listed", "listed"),
        _released("groups", "groups"),
        _released("plans", *(f"plan_{plan}" for plan in PLANS), percentage=HALF),
        _released("five", *(f"five_{number}" for number in range(5)), percentage=HALF),
        *(_released(f"operator_{name}", name) for name in OPERATORS),
    )
}
SNAPSHOT = Snapshot(FLAGS, SEGMENTS)


def _decision(
    name: str,
    key: str,
    against: str = FLOOR,
    at_most: float | None = None,
    context: EvaluationContext = SUBJECT,
) -> Subject:
    names = {"snapshot": SNAPSHOT, "key": key, "context": context}
    return Subject(name, "snapshot.evaluate(key, context)", names, against, at_most)


DECISIONS = [
    _decision("unconditional, on", "on", LOOK_UP, 2.5),
    _decision("unconditional, off", "off", LOOK_UP, 2.5),
    _decision("percentage", "percentage", FLOOR, 2),
    _decision("one of 100,000 members", "people", LOOK_UP_AND_HASH, 2),
    _decision("none of 100,000 members", "people", LOOK_UP_AND_HASH, 2, STRANGER),
    _decision("targeting key one of 100,000 texts", "listed", LOOK_UP_AND_HASH),
    _decision("five rules on one attribute, the last matches", "plans", FLOOR, 4, LAST),
    _decision("five rules on one attribute, none matches", "plans", FLOOR, 4),
    _decision("five rules on five attributes, the last matches", "five", FLOOR, 4, LAST),
    _decision("five rules on five attributes, none matches", "five", FLOOR, 4),
    _decision("a list of two groups, one matches", "groups"),
]
OPERATOR_DECISIONS = [_decision(name, f"operator_{name}") for name in OPERATORS]

FEW = [f"flag_{number * 1000}" for number in range(10)]
MANY = 10_000
AT_10 = "ten flags, of 10"
AT_MANY = f"ten flags, of {MANY:,}"


def _asked(name: str, flags: dict[str, Flag], keys: list[str], **target: float | str) -> Subject:
    names = {"snapshot": Snapshot(flags), "keys": keys, "context": SUBJECT}
    statement = "for key in keys: snapshot.evaluate(key, context)"
    return Subject(name, statement, names, per=len(keys), **target)  # type: ignore[arg-type]


def sizes() -> list[Subject]:
    """Ask the same ten flags in a small and in a large snapshot, and each of the large one."""
    large = rollouts(MANY)
    small = {key: large[key] for key in FEW}
    return [
        _asked(AT_10, small, FEW),
        _asked(AT_MANY, large, FEW, against=AT_10, at_most=1.25),
        _asked(f"each of {MANY:,} flags in turn", large, list(large), against=AT_10),
    ]


def _compiling(name: str, key: str) -> Subject:
    names = {"Snapshot": Snapshot, "flags": {key: FLAGS[key]}, "segments": SEGMENTS, "key": key}
    return Subject(name, "Snapshot(flags, segments).compiled(key)", names)


def _explaining(name: str, key: str) -> Subject:
    names = {"explain": explain, "snapshot": SNAPSHOT, "key": key, "context": SUBJECT}
    return Subject(name, "explain(snapshot, key, context)", names)


AROUND = [
    _compiling("compile a percentage", "percentage"),
    _compiling("compile five rules", "five"),
    _explaining("explain a percentage", "percentage"),
    _explaining("explain five rules", "five"),
    Subject(
        "build a context of two attributes",
        "EvaluationContext('42', attributes)",
        {"EvaluationContext": EvaluationContext, "attributes": {"plan": "free", "age": 42}},
    ),
]
