import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flaggate import changes
from flaggate.admin import matching
from flaggate.admin.matching import count
from flaggate.models import Condition
from tests.fixtures import segment as make


def where(segment):
    return f"/admin/flaggate/segment/{segment.pk}/matching/"


@pytest.fixture
def users(viewer):
    """Ten users, three of them testers, beside the viewer."""
    found = User.objects.bulk_create(User(username=f"u{number}") for number in range(10))
    testers = Group.objects.create(name="testers")
    for each in found[:3]:
        each.groups.add(testers)
    return found


def test_it_counts_those_who_meet_the_conditions(viewer, users):
    testers = make("testers", ("groups", "one_of", ["testers"]))
    assert "3 of 11 users are in this segment: 27.3 %." in viewer.get(where(testers)).text


def test_it_counts_members_and_segments_within_segments(viewer, users):
    make("inner", included=[str(users[0].pk), str(users[1].pk), "visitor"])
    outer = make("outer", ("", "in_segment", ["inner"]), included=[str(users[2].pk)])
    changes.members.add("outer", [str(users[1].pk)], excluded=True)
    assert count("outer").contained == 2
    assert "2 of 11 users" in viewer.get(where(outer)).text


def test_groups_are_read_for_many_users_at_once(viewer, users):
    testers = make("testers", ("groups", "one_of", ["testers"]))
    viewer.get("/admin/login/")  # loads the snapshot
    with CaptureQueriesContext(connection) as few:
        viewer.get(where(testers))
    User.objects.bulk_create(User(username=f"v{number}") for number in range(100))
    with CaptureQueriesContext(connection) as many:
        viewer.get(where(testers))
    assert len(many) == len(few)


def test_its_numbers_are_grouped(viewer, segment, monkeypatch):
    for looked_at, said in ((4009, "1,468 of 4,009 users are"), (2000, "of the 2,000 users")):
        found = matching.Matching(1468, looked_at, 4009)
        monkeypatch.setattr(matching, "count", lambda _key, found=found: found)
        page = viewer.get(where(segment))
        assert said in page.text
        assert f'viewBox="0 0 {looked_at} 1"' in page.text


def test_it_ends_when_its_time_is_over_and_says_so(viewer, users, monkeypatch):
    everybody = make("everybody", ("username", "exists", []))
    monkeypatch.setattr("flaggate.admin.matching.LONGEST", 0)
    found = count("everybody")
    assert (found.looked_at, found.all_of_them) == (1, False)
    assert "There was no time to look at all 11." in viewer.get(where(everybody)).text


def test_what_can_not_be_judged_is_said_to(viewer, segment):
    Condition.objects.update(operator="nonsense")
    page = viewer.get(where(segment))
    assert "They can't be counted:" in page.text
    assert '"nonsense" is no operator' in page.response.context["problem"]
