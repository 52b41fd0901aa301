import re

import pytest

from flaggate.admin.attributes import ATTRIBUTES, KINDS
from flaggate.context import BUILT_IN
from flaggate.core.operators import OPERATORS
from tests.fixtures import segment as make


def test_every_operator_is_of_one_kind():
    offered = [name for _label, names in KINDS.values() for name in names]
    assert sorted(offered) == sorted(OPERATORS)


def test_every_attribute_that_a_subject_has_is_of_a_kind():
    assert set(ATTRIBUTES) == BUILT_IN
    assert set(ATTRIBUTES.values()) <= set(KINDS)


def test_operators_stand_in_groups_each_with_its_kind(ada, segment):
    text = ada.open(segment).text
    assert '<optgroup label="Moments">' in text
    assert '<option value="after" data-kind="moment">is after</option>' in text
    assert '<option value="one_of" selected data-kind="any">is one of</option>' in text


def test_attributes_are_suggested_with_their_kind_and_those_in_use_without(ada, segment):
    make("other", ("age", "gt", [17]), ("email", "exists", []))
    suggested = re.findall(
        r'<option value="(\w+)"(?: data-kind="(\w+)")?></option>', ada.open(segment).text
    )
    assert {("email", "text"), ("date_joined", "moment"), ("age", ""), ("plan", "")} <= set(
        suggested
    )
    assert len(suggested) == len(set(suggested))


@pytest.mark.parametrize("operator", ["", "nonsense"])
def test_another_operator_is_refused(ada, segment, operator):
    page = ada.open(segment).save(conditions_0_operator=operator)
    assert "conditions-0-operator" in page.errors


@pytest.mark.parametrize(
    ("attribute", "operator", "values"),
    [
        ("is_staff", "gt", "3"),
        ("is_staff", "starts_with", "t"),
        ("email", "lte", "3"),
        ("now", "contains", "2026"),
    ],
)
def test_an_operator_that_can_never_match_is_refused_at_its_field(
    ada, segment, attribute, operator, values
):
    page = ada.open(segment).save(
        conditions_0_attribute=attribute,
        conditions_0_operator=operator,
        conditions_0_values=values,
    )
    said = page.errors["conditions-0-operator"]
    assert said.startswith(f"No value of {attribute} can match this. Choose one of: is one of, ")
    assert "is greater than" not in said


@pytest.mark.parametrize(
    ("attribute", "operator", "values"),
    [
        ("is_staff", "one_of", "true"),
        ("now", "after", '"2026-01-31T09:00:00Z"'),
        ("ip", "starts_with", "10."),
        ("host", "in_cidr", "10.0.0.0/8"),
        ("username", "semver_gt", "1.2.0"),
        ("age", "gt", "17"),
    ],
)
def test_an_operator_that_may_match_is_taken(ada, segment, attribute, operator, values):
    ada.open(segment).save(
        conditions_0_attribute=attribute,
        conditions_0_operator=operator,
        conditions_0_values=values,
    )
    assert segment.conditions.get().operator == operator


def test_a_misfit_that_is_stored_keeps_nobody_from_changing_the_rest(ada):
    odd = make("odd", ("is_staff", "gt", [3]))
    assert ada.open(odd).save(name="New").errors_or_none() is None
