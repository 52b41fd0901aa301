import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flaggate import changes
from flaggate.admin.members import users_among
from flaggate.models import Revision, SegmentMember
from tests.admin.conftest import pages, user
from tests.admin.pages import address


def where(segment, query=""):
    return f"/admin/flaggate/segment/{segment.pk}/members/{query}"


def shown(browser, segment, query=""):
    return [key for key, _name in browser.get(where(segment, query)).response.context["people"]]


@pytest.fixture
def importer():
    """Somebody who may add and remove members, and nothing else."""
    return pages(user("ina", "view_segment", "import_members"))


@pytest.fixture
def people(segment):
    changes.members.add("beta", ["ada@example.com", "bob@example.com", "7"])
    changes.members.add("beta", ["eve"], excluded=True)


# --- the list ---------------------------------------------------------------------------------


def test_the_included_and_the_excluded_are_two_lists(viewer, segment, people):
    assert shown(viewer, segment) == ["7", "ada@example.com", "bob@example.com"]
    assert shown(viewer, segment, "?list=excluded") == ["eve"]
    text = viewer.get(where(segment)).text
    assert "included (3)" in text
    assert "excluded (1)" in text


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("?q=EXAMPLE", ["ada@example.com", "bob@example.com"]),
        ("?q=nobody", []),
        ("?q=%00", ["7", "ada@example.com", "bob@example.com"]),
        ("?q=%25", []),
        ("?list=nonsense&q=7", ["7"]),
    ],
)
def test_it_is_searched(viewer, segment, people, query, keys):
    assert shown(viewer, segment, query) == keys


def test_an_empty_list_says_so(viewer, segment):
    assert "Nobody yet." in viewer.get(where(segment)).text


def test_it_is_paged_and_keeps_what_was_searched_for(viewer, segment):
    changes.members.add("beta", [f"user-{number:03}" for number in range(250)])
    page = viewer.get(where(segment, "?q=user&p=2"))
    assert [key for key, _name in page.response.context["people"]][::99] == ["user-100", "user-199"]
    assert 'href="?list=included&amp;q=user&amp;p=3"' in page.text


def test_its_queries_do_not_grow(viewer, segment):
    def queries():
        viewer.get("/admin/login/")  # loads the snapshot
        with CaptureQueriesContext(connection) as found:
            viewer.get(where(segment))
        return len(found)

    changes.members.add("beta", ["1"])
    few = queries()
    changes.members.add("beta", map(str, range(300)))
    assert queries() == few


def test_users_are_named_to_those_who_may_see_them(ada, viewer, segment):
    olga = User.objects.create_user("olga")
    changes.members.add("beta", [str(olga.pk), "x"])
    assert ada.get(where(segment)).response.context["people"] == [
        (str(olga.pk), "olga"),
        ("x", None),
    ]
    assert viewer.get(where(segment)).response.context["people"][0] == (str(olga.pk), None)


@pytest.mark.parametrize("key", ["", "x", "007", " 7", "9" * 50, "-1", "1.0", "\u0667"])
def test_what_is_no_users_id_is_no_user(key):
    User.objects.create_user("olga", pk=7)
    assert users_among([key, "7"]) == {"7": "olga"}


def test_a_segment_that_does_not_exist_is_not_found(ada):
    assert ada.get("/admin/flaggate/segment/999/members/").status == 404


# --- taking out -------------------------------------------------------------------------------


def test_the_chosen_are_removed_with_who_and_why(importer, segment, people):
    page = importer.post(
        where(segment), {"key": ["7", "bob@example.com"], "comment": "Asked to go"}
    )
    assert page.messages == ["2 members were removed."]
    assert shown(importer, segment) == ["ada@example.com"]
    last = Revision.objects.first()
    assert (last.actor_name, last.source, last.comment) == ("ina", "admin", "Asked to go")


def test_those_of_the_other_list_stay(importer, segment, people):
    importer.post(where(segment, "?list=excluded"), {"key": ["7", "eve"]})
    assert (shown(importer, segment, "?list=excluded"), len(shown(importer, segment))) == ([], 3)


def test_nobody_chosen_changes_nothing(importer, segment, people):
    assert importer.post(where(segment)).messages == ["Nobody was chosen, and nothing changed."]
    assert SegmentMember.objects.count() == 4


def test_it_leads_back_to_the_same_page(importer, segment, people):
    page = importer.post(where(segment, "?q=example"), {"key": ["bob@example.com"]})
    assert page.response.context["query"] == "example"


def test_a_refusal_is_shown(importer, segment, people):
    page = importer.post(where(segment), {"key": ["x" * 201]})
    assert "is longer than 200 characters" in page.messages[0]
    assert SegmentMember.objects.count() == 4


# --- who may ----------------------------------------------------------------------------------

ROLES = {
    ("view_segment",): False,
    ("view_segment", "revert_segment", "change_flag"): False,
    ("view_segment", "import_members"): True,
    ("change_segment",): True,
}


@pytest.mark.parametrize("permissions", ROLES)
def test_only_who_may_import_members_removes_them(segment, people, permissions):
    browser = pages(user("fred", *permissions))
    page = browser.get(where(segment))
    assert ('name="key"' in page.text) is ROLES[permissions]
    assert ("Import members" in page.text) is ROLES[permissions]
    browser.post(where(segment), {"key": ["7"]})
    assert SegmentMember.objects.filter(targeting_key="7").exists() is not ROLES[permissions]


@pytest.mark.parametrize("page", ["members", "members/import", "matching"])
def test_who_may_not_see_segments_sees_none_of_their_pages(segment, page):
    browser = pages(user("fred", "import_members", "view_flag"))
    assert browser.get(f"/admin/flaggate/segment/{segment.pk}/{page}/").status == 403


def test_the_page_of_a_segment_links_to_its_members(importer, viewer, segment):
    page = address(type(segment), "change", segment.pk)
    assert where(segment) in viewer.get(page).text
    assert where(segment, "import/") not in viewer.get(page).text
    assert where(segment, "import/") in importer.get(page).text


def test_who_may_only_import_members_can_change_nothing_else(importer, segment):
    importer.post(
        address(type(segment), "change", segment.pk), {"seen": segment.version, "name": "new"}
    )
    segment.refresh_from_db()
    assert segment.name == "Beta testers"
