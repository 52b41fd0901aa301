import re

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
    for looked_at, last, said in (
        (4009, "", "1,468 of 4,009 users are in this segment"),
        (2000, "2000", "2,000 of 4,009 users were looked at so far, and 1,468 of those are"),
    ):
        found = matching.Matching(1468, looked_at, 4009, last)
        monkeypatch.setattr(matching, "count", lambda *_so_far, found=found: found)
        page = viewer.get(where(segment))
        assert said in page.text
        assert f'viewBox="0 0 {looked_at} 1"' in page.text


def test_what_no_condition_asks_for_is_not_read(viewer, users):
    everybody = make("everybody", ("username", "exists", []))
    with CaptureQueriesContext(connection) as queries:
        viewer.get(where(everybody))
    assert not [each for each in queries if '"auth_group"."name"' in each["sql"]]


# --- slice by slice ---------------------------------------------------------------------------


@pytest.fixture
def everybody(users, monkeypatch):
    """A segment of which each request looks at one user."""
    monkeypatch.setattr("flaggate.admin.matching.LONGEST", 0)
    return make("everybody", ("username", "exists", []))


def on(page):
    """The address by which a page goes on; empty where all were looked at."""
    found = re.search(r'href="(\?so_far=[^"]+)"', page.text)
    return found[1] if found else ""


def test_a_request_counts_as_long_as_it_has_time_and_says_how_far_it_came(viewer, everybody):
    page = viewer.get(where(everybody))
    assert "1 of 11 users were looked at so far, and 1 of those" in page.text
    assert on(page)


def test_the_next_one_goes_on_until_everybody_was_looked_at(viewer, everybody):
    page = viewer.get(where(everybody))
    for looked_at in range(2, 12):
        page = viewer.get(where(everybody) + on(page))
        assert page.response.context["matching"].looked_at == looked_at
    page = viewer.get(where(everybody) + on(page))
    assert "11 of 11 users are in this segment: 100 %." in page.text
    assert not on(page)


def test_who_came_meanwhile_is_counted(viewer, everybody, monkeypatch):
    page = viewer.get(where(everybody))
    User.objects.create(username="late")
    monkeypatch.setattr("flaggate.admin.matching.LONGEST", 5)
    assert "12 of 12 users" in viewer.get(where(everybody) + on(page)).text


@pytest.mark.parametrize("so_far", ["", "nonsense", "WzEsMSwyLCIxIl0:1:x"])
def test_what_no_page_has_sent_begins_anew(viewer, everybody, so_far):
    page = viewer.get(f"{where(everybody)}?so_far={so_far}")
    assert page.response.context["matching"].looked_at == 1


def test_so_does_a_segment_that_was_changed(viewer, everybody):
    first = viewer.get(where(everybody))
    changes.members.add("everybody", ["1"])
    page = viewer.get(where(everybody) + on(first))
    assert page.response.context["matching"].looked_at == 1


def test_what_can_not_be_judged_is_said_to(viewer, segment):
    Condition.objects.update(operator="nonsense")
    page = viewer.get(where(segment))
    assert "They can't be counted:" in page.text
    assert '"nonsense" is no operator' in page.response.context["problem"]


@pytest.mark.parametrize("attribute", ["language", "path", "host", "ip", "method", "visitor"])
def test_so_is_what_only_a_request_tells(viewer, users, attribute):
    inner = make("inner", (attribute, "one_of", ["de"]), included=[str(users[0].pk)])
    outer = make("outer", ("", "in_segment", ["inner"]))
    for each in (inner, outer):
        said = f"{each.key} depends on what a user alone does not tell ({attribute})"
        page = viewer.get(where(each))
        assert f"They can't be counted: {said}." in page.words
        assert "%" not in page.words
