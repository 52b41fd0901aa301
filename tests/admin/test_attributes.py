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
