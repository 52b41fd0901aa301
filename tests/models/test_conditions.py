"""Conditions in words."""

import pytest
from django.utils import translation

from flaggate.core.operators import OPERATORS
from flaggate.models import conditions


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_can_be_negated(name):
    said = conditions.words("plan", name, [])
    negated = conditions.words("plan", name, [], negate=True)
    assert conditions.NEGATED.keys() == OPERATORS.keys()
    assert said != negated
    assert " not " in negated


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("email", "ends_with", ["@example.com"]), 'email ends with "@example.com"'),
        (("plan", "one_of", ["pro", 5]), 'plan is one of "pro", 5'),
        (("", "in_segment", ["beta"]), 'the subject is in the segment "beta"'),
        (("email", "exists", []), "email exists"),
        (("plan", "from_a_newer_release", [1]), "plan from_a_newer_release 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_condition_reads_as_a_sentence(asked, words):
    assert conditions.words(*asked) == words


def test_a_condition_says_that_it_ignores_case():
    said = conditions.words("plan", "contains", ["pro"], negate=True, ignore_case=True)
    assert said == 'plan does not contain "pro" (ignoring case)'


def test_of_many_values_only_the_first_are_listed():
    assert conditions.listed(range(1005)) == "0, 1, 2, 3, 4 and 1,000 more"


def test_conditions_are_said_in_german():
    asked = ("plan", "contains", ["gold"])
    with translation.override("de"):
        said = conditions.words(*asked, negate=True, ignore_case=True)
    assert said == 'plan enthält nicht "gold" (ohne Groß-/Kleinschreibung)'
