"""Patterns that make other engines run for hours: answered, or refused before they can run.

`make bench` prints how long each family of them takes.
"""

import json
from pathlib import Path

import pytest

from flaggate.core.definitions import Condition, Rule, Segment
from flaggate.core.operators import matcher, operand_problems
from flaggate.core.patterns import MAX_SEARCHED, MAX_STEPS
from flaggate.core.quarantine import assemble
from tests.core.snapshots import NOW, flag

# By family; a text is `begin`, then `repeat` as often as there is room for, then `end`.
FILE = Path(__file__).with_name("ruinous_patterns.json")
CASES = [case for cases in json.loads(FILE.read_text()).values() for case in cases]
REFUSED = [case["pattern"] for case in CASES if case.get("refused")]
ANSWERED = [case for case in CASES if not case.get("refused")]


def text_of(case):
    room = MAX_SEARCHED - len(case["begin"]) - len(case["end"])
    return case["begin"] + (case["repeat"] * room)[:room] + case["end"]


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case["pattern"][:30])
def test_a_ruinous_pattern_that_is_short_enough_is_answered(case):
    test = matcher("matches", [case["pattern"]])
    assert test(text_of(case)) is case.get("matches", False)


@pytest.mark.parametrize("pattern", REFUSED, ids=lambda pattern: pattern[:30])
def test_a_pattern_that_would_take_too_long_is_refused(pattern):
    (problem,) = operand_problems("matches", [pattern])
    assert f"takes more than {MAX_STEPS} steps; " in problem or r" has \C, " in problem
    with pytest.raises(ValueError, match="; "):
        matcher("matches", [pattern])


def test_the_longest_pattern_that_is_accepted_has_300_steps():
    # Each `a` is a step; four more begin and end the search.
    assert operand_problems("matches", ["a{296}"]) == []
    assert operand_problems("matches", ["a{297}"]) == [
        '"a{297}" takes more than 300 steps; split it, '
        "or use smaller repetitions and classes of characters."
    ]


def test_steps_are_counted_as_they_are_when_case_is_ignored():
    assert operand_problems("matches", ["k{200}"]) == []
    assert operand_problems("matches", ["k{200}"], ignore_case=True) != []  # also the Kelvin sign


@pytest.mark.parametrize("pattern", [r"\C", r"a\C+", r"(\\)\C", r"\\\C"])
def test_single_bytes_are_refused(pattern):
    (problem,) = operand_problems("matches", [pattern])
    assert r" has \C, which matches parts of characters; write a dot." in problem


@pytest.mark.parametrize("pattern", [r"C", r"\\C", r"[A-C]\\C"])
def test_the_letter_c_is_none_of_them(pattern):
    assert operand_problems("matches", [pattern]) == []


@pytest.mark.parametrize("pattern", ["(?:a?){1000}", r"\C", "(?:[\\pL\\pN]?){300}"])
def test_a_pattern_found_that_would_take_too_long_quarantines_its_flag(pattern):
    segment = Segment("beta", conditions=(Condition("plan", "matches", (pattern,)),))
    snapshot = assemble(
        {"flag": flag(rules=(Rule(("beta",)),))},
        {"beta": segment},
        unreadable={},
        unreadable_segments={},
        version=None,
        source="database",
        loaded_at=NOW,
        previous=None,
    )
    assert set(snapshot.quarantined) == {"flag"}
