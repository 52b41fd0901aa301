import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flaggate import changes
from flaggate.models import Flag, Revision
from tests.admin.conftest import pages, user

TIMELINE = "/admin/flaggate/revision/of/flag/x/"
COMPARE = f"{TIMELINE}compare/"


@pytest.fixture(autouse=True)
def changed(flag):
    """A flag with three revisions."""
    changes.enable("x", comment="Let's go")
    changes.rollout("x", 25, source="command")


def revisions():
    """Those of the flag, the oldest first."""
    return list(Revision.objects.filter(key="x").order_by("pk"))


def entries(browser, query=""):
    return browser.get(TIMELINE + query).response.context["entries"]


# --- the timeline -----------------------------------------------------------------------------


def test_it_lists_each_revision_in_words_the_newest_first(viewer):
    assert [entry.lines for entry in entries(viewer)] == [
        ["percentage: 0 % → 25 %"],
        ["enabled: no → yes"],
        ["created", "percentage: 0 %"],
    ]


def test_it_says_who_from_where_and_why(ada, flag):
    ada.open(Flag.objects.get()).save(percentage="50", comment="<b>Half</b>")
    text = ada.get(TIMELINE).text
    assert "by ada, from admin" in text
    assert "from command" in text
    assert "&lt;b&gt;Half&lt;/b&gt;" in text


def test_it_says_what_was_changed_without_a_revision(viewer):
    Flag.objects.update(owner="Checkout")
    changes.rollout("x", 50)
    Flag.objects.update(owner="Payments")
    page = viewer.get(TIMELINE)
    assert page.response.context["entries"][0].unrecorded == ["owner: – → Checkout"]
    assert page.response.context["unrecorded"] == ["owner: Checkout → Payments"]


def test_the_unrecorded_of_the_last_entry_on_a_page_is_found_on_the_next_one(viewer):
    Flag.objects.update(owner="Checkout")
    for percentage in range(1, 26):
        changes.rollout("x", percentage)
    shown = entries(viewer)
    assert (len(shown), shown[-1].unrecorded) == (25, ["owner: – → Checkout"])
    assert len(entries(viewer, "?p=2")) == 3


@pytest.mark.parametrize("page", ["0", "-1", "99", "x"])
def test_any_page_shows_something(viewer, page):
    assert entries(viewer, f"?p={page}")


def test_a_deleted_flag_keeps_its_history(viewer):
    changes.delete("x")
    page = viewer.get(TIMELINE)
    assert "It was deleted; this is what remains." in page.text
    assert page.response.context["entries"][0].lines == ["deleted"]


def test_a_segment_has_one_too(viewer, segment):
    page = viewer.get("/admin/flaggate/revision/of/segment/beta/")
    assert page.response.context["entries"][0].lines[0] == "created"


def test_a_flag_without_a_revision_is_said_to_have_none(viewer):
    Flag.objects.create(key="raw")
    assert (
        "No change of it is recorded." in viewer.get("/admin/flaggate/revision/of/flag/raw/").text
    )


@pytest.mark.parametrize("place", ["flag/none", "segment/x", "tag/x"])
def test_what_never_was_is_not_found(viewer, place):
    assert viewer.get(f"/admin/flaggate/revision/of/{place}/").status == 404


@pytest.mark.database
def test_a_key_with_a_nul_is_not_found(viewer):
    for page in ("", "compare/?from=1&to=now"):
        assert viewer.get(f"/admin/flaggate/revision/of/flag/%00/{page}").status == 404


def queries_of(browser):
    browser.get("/admin/login/")  # loads the snapshot
    with CaptureQueriesContext(connection) as queries:
        browser.get(TIMELINE)
    return len(queries)


def test_its_queries_do_not_grow(viewer):
    few = queries_of(viewer)
    for percentage in range(1, 21):
        changes.rollout("x", percentage)
    assert queries_of(viewer) == few


# --- two compared -----------------------------------------------------------------------------


def compared(browser, older, newer):
    newer = newer if newer == "now" else newer.pk
    return browser.get(f"{COMPARE}?from={older.pk}&to={newer}")


def test_any_two_can_be_compared_in_words_and_as_json(viewer):
    first, _second, third = revisions()
    context = compared(viewer, first, third).response.context
    assert context["lines"] == ["enabled: no → yes", "percentage: 0 % → 25 %"]
    assert ("-", '  "percentage": 0,') in context["json"]
    assert ("+", '  "percentage": 25,') in context["json"]


def test_the_older_one_is_what_is_compared_from_whichever_was_chosen_first(viewer):
    first, second, _third = revisions()
    assert compared(viewer, second, first).response.context["lines"] == ["enabled: no → yes"]


def test_one_can_be_compared_with_now(viewer):
    Flag.objects.update(owner="Payments")
    page = compared(viewer, revisions()[-1], "now")
    assert page.response.context["lines"] == ["owner: – → Payments"]


def test_those_of_two_pages_can_be_compared_by_their_versions(viewer):
    assert "from_version" not in viewer.get(TIMELINE).text
    for percentage in range(1, 26):
        changes.rollout("x", percentage)
    first, last = revisions()[0], revisions()[-1]
    assert 'name="to_version" min="1" max="28"' in viewer.get(TIMELINE).text
    typed = f"from={last.pk}&from_version=1&to=now&to_version=3"
    page = viewer.get(f"{COMPARE}?{typed}")
    assert page.response.context["lines"] == ["enabled: no → yes", "percentage: 0 % → 25 %"]
    assert page.response.context["older"] == first
    page = viewer.get(f"{COMPARE}?from={last.pk}&from_version=2&to=now&to_version=")
    assert page.response.context["newer"] is None


@pytest.mark.database
def test_a_version_that_left_no_revision_is_the_last_one_before(viewer):
    Flag.objects.update(owner="Checkout")  # version 4
    changes.rollout("x", 50)
    context = viewer.get(f"{COMPARE}?from_version=4&to_version={'9' * 18}").response.context
    assert (context["older"].version, context["newer"].version) == (3, 5)


def chosen(browser, where=TIMELINE):
    """What is compared by one click, in words."""
    text = browser.get(where).text
    ends = dict(re.findall(r'<input type="radio" name="(from|to)" value="(\w+)" checked>', text))
    return browser.get(f"{where}compare/?{urlencode(ends)}").response.context["lines"]


def test_one_click_compares_the_newest_with_the_one_before(viewer):
    assert chosen(viewer) == ["percentage: 0 % → 25 %"]


def test_one_click_compares_with_now_where_something_unrecorded_happened_since(viewer):
    Flag.objects.update(owner="Checkout")
    assert chosen(viewer) == ["owner: – → Checkout"]


def test_one_click_compares_a_deleted_flag_with_what_it_was(viewer):
    changes.delete("x")
    assert "deleted" in chosen(viewer)


def test_an_only_revision_is_compared_with_now(viewer, segment):
    assert chosen(viewer, "/admin/flaggate/revision/of/segment/beta/") == []


def test_one_is_the_same_as_itself(viewer):
    first = revisions()[0]
    assert "Nothing differs." in compared(viewer, first, first).text


def test_the_order_of_keys_is_no_difference(viewer):
    newest = revisions()[-1]
    newest.after = dict(reversed(newest.after.items()))
    newest.save()
    assert compared(viewer, newest, "now").response.context["json"] == []


@pytest.mark.parametrize(
    "query",
    [
        *("", "?from=1", "?from=x&to=now", "?from=999&to=now", "?from=-1&to=now"),
        *(f"?from={'9' * digits}&to=now" for digits in (18, 19, 20, 5000)),
        *(f"?from_version={typed}&to=now" for typed in ("0", "-1", "x", "1.5", "9" * 5000)),
    ],
)
@pytest.mark.database
def test_two_that_exist_have_to_be_chosen(viewer, query):
    assert viewer.get(COMPARE + query).status == 404


def test_a_revision_of_another_flag_is_not_to_be_compared(viewer):
    changes.create("y")
    other = Revision.objects.get(key="y")
    assert compared(viewer, other, "now").status == 404


# --- who may see it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permissions", "linked"),
    [((), False), (("view_segment",), True), (("change_segment",), True)],
)
def test_who_may_not_view_segments_is_led_to_none(segment, permissions, linked):
    browser = pages(user("fred", "view_flag", "view_revision", *permissions))
    page = browser.get("/admin/flaggate/revision/of/segment/beta/")
    crumbs = page.text.partition('<div class="breadcrumbs">')[2].partition("</div>")[0]
    for where in ("", f"{segment.pk}/change/"):
        assert (f'<a href="/admin/flaggate/segment/{where}">' in crumbs) is linked
    assert "Segments" in crumbs
    assert "beta" in crumbs


def test_who_may_not_see_revisions_sees_none_of_its_pages():
    browser = pages(user("fred", "view_flag", "change_flag", "revert_flag"))
    first = revisions()[0]
    for where in (TIMELINE, f"{COMPARE}?from={first.pk}&to=now", f"{TIMELINE}revert/1/"):
        assert browser.get(where).status == 403


@pytest.mark.parametrize(
    ("permissions", "offered"),
    [
        ((), False),
        (("toggle_flag",), False),
        (("revert_segment",), False),
        (("revert_flag",), True),
        (("change_flag",), True),
    ],
)
def test_reverting_to_what_is_no_longer_so_is_offered_to_those_who_may(permissions, offered):
    browser = pages(user("fred", "view_revision", *permissions))
    assert [bool(entry.revert_url) for entry in entries(browser)] == [False, offered, offered]


def test_going_back_beyond_a_deletion_is_not_offered(ada):
    changes.create("y")
    changes.delete("y")
    changes.create("y")
    changes.rollout("y", 5)
    page = ada.get("/admin/flaggate/revision/of/flag/y/")
    urls = [bool(entry.revert_url) for entry in page.response.context["entries"]]
    assert urls == [False, True, False, False]
