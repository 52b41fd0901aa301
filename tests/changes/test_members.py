"""Members in bulk."""

from __future__ import annotations

import pytest

from flaggate import changes
from flaggate.changes.members import Tally
from flaggate.exceptions import Invalid, UnknownSegment
from flaggate.models import Revision, Segment, SegmentMember, State

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture(autouse=True)
def segment() -> Segment:
    with changes.change():
        segment = Segment.objects.create(key="beta")
    changes.members.add("beta", ["1", "2"])
    return segment


def members(*, excluded: bool = False) -> set[str]:
    found = SegmentMember.objects.filter(excluded=excluded)
    return set(found.values_list("targeting_key", flat=True))


def test_members_are_added_and_those_there_already_left_alone() -> None:
    assert changes.members.add("beta", ["2", "3", "3"]) == Tally(added=1, removed=0, unchanged=1)
    assert members() == {"1", "2", "3"}


def test_members_are_removed_and_strangers_left_alone() -> None:
    assert changes.members.remove("beta", ["2", "9"]) == Tally(added=0, removed=1, unchanged=1)
    assert members() == {"1"}


def test_members_are_replaced() -> None:
    assert changes.members.replace("beta", ["2", "3"]) == Tally(added=1, removed=1, unchanged=1)
    assert members() == {"2", "3"}


def test_excluded_members_are_a_list_of_their_own() -> None:
    changes.members.add("beta", ["2"], excluded=True)
    changes.members.replace("beta", [])
    assert (members(), members(excluded=True)) == (set(), {"2"})


def test_inside_a_change_too_members_are_included_ones_unless_it_is_said(segment: Segment) -> None:
    with changes.change():
        changes.members.add_members(segment, ["3"])
        changes.members.remove_members(segment, ["1"])
    assert (members(), members(excluded=True)) == ({"2", "3"}, set())


def test_a_targeting_key_may_have_200_characters() -> None:
    changes.members.add("beta", ["x" * 200])
    assert "x" * 200 in members()


def test_thousands_are_one_revision() -> None:
    before = Revision.objects.count()
    changes.members.replace("beta", map(str, range(5000)), comment="all testers")
    assert (Revision.objects.count(), len(members())) == (before + 1, 5000)


def test_a_removal_is_a_revision_that_every_process_hears_of() -> None:
    before = State.objects.get().token
    changes.members.remove("beta", ["2"])
    assert State.objects.get().token != before
    revision = Revision.objects.first()
    assert (revision.before["included"], revision.after["included"]) == (["1", "2"], ["1"])


def test_thousands_are_removed_without_a_query_for_each(django_assert_max_num_queries) -> None:
    keys = list(map(str, range(5000)))
    changes.members.replace("beta", keys)
    with django_assert_max_num_queries(40):
        assert changes.members.remove("beta", keys).removed == 5000
    assert members() == set()


@pytest.mark.parametrize("key", ["", "x" * 201, "a\0b", "\ud800", 42, None])
def test_what_can_be_no_targeting_key_is_refused_with_all_others(key: object) -> None:
    with pytest.raises(Invalid, match=r"segment beta: members\[1\]: "):
        changes.members.add("beta", ["new", key])
    assert members() == {"1", "2"}


def test_a_segment_that_does_not_exist_is_said_so() -> None:
    with pytest.raises(UnknownSegment, match="'gamma'"):
        changes.members.add("gamma", ["1"])
