import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.utils import timezone

from flaggate import changes
from flaggate.api import keys
from flaggate.models import Flag, Revision
from flaggate.store import store
from flaggate.templatetags.flaggate_admin import freshness
from tests.admin.conftest import pages, user

PAGES = ["/admin/", "/admin/flaggate/"]


def card(browser, where="/admin/"):
    """The card, in lines of text."""
    text = browser.get(where).text
    begin = text.find('<section class="flaggate-card')
    return text[begin : text.index("</section>", begin)] if begin >= 0 else ""


@pytest.mark.parametrize("where", PAGES)
def test_it_stands_on_the_front_page_and_on_that_of_the_app_once(viewer, flag, where):
    assert viewer.get(where).text.count("flaggate-card module") == 1


def test_it_does_not_stand_on_the_page_of_another_app(ada):
    assert not card(ada, "/admin/auth/")


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [(("view_flag",), True), (("change_flag",), True), (("view_segment", "view_revision"), False)],
)
def test_it_is_for_those_who_may_view_flags(flag, permissions, shown):
    browser = pages(user("fred", *permissions))
    for where in PAGES:
        assert bool(card(browser, where)) is shown


def test_it_says_what_changed_in_the_last_24_hours(viewer, flag):
    changes.create("old")
    Revision.objects.filter(key="old").update(created=timezone.now() - timedelta(hours=25))
    changes.enable("x", source="command")
    said = card(viewer)
    assert "enabled: no → yes" in said
    assert "from command" in said
    assert "All 2 changes" in said
    assert "old" not in said


def test_each_links_to_the_history_of_what_was_changed(ada, flag, segment):
    keys.create("deploy", ["manage:toggle"])
    links = re.findall(r'(?:flag|segment|API key) <a href="([^"]+)">', card(ada))
    found = [ada.go(link).response for link in links]
    assert [each.status_code for each in found] == [200, 200, 200]
    assert [each.redirect_chain[-1][0].partition("fgk_")[0] for each in found] == [
        "/admin/flaggate/revision/?subject__exact=key&key__exact=",
        "/admin/flaggate/revision/of/segment/beta/",
        "/admin/flaggate/revision/of/flag/x/",
    ]


def test_of_keys_it_tells_only_who_may_see_keys(viewer, flag):
    keys.create("deploy", ["manage:toggle"])
    assert "API key" not in card(viewer)
    assert "1 change<" in card(viewer)


def test_its_link_leads_to_all_of_them(viewer, flag):
    changes.create("old")
    Revision.objects.filter(key="old").update(created=timezone.now() - timedelta(hours=25))
    said = card(viewer)
    where = said[said.index("/admin/flaggate/revision/?created__gte") :].partition('"')[0]
    page = viewer.get(where)
    assert page.status == 200
    assert [each.key for each in page.response.context["cl"].result_list] == ["x"]


def test_what_changed_is_for_those_who_may_view_revisions(flag):
    assert "Changed in the last" not in card(pages(user("fred", "view_flag")))


def test_it_shows_running_rollouts_with_their_stage(viewer, flag):
    changes.rollouts.start("x", changes.rollouts.to_plan("5:1d,100"))
    assert "</a>: 5 %, stage 1 of 2</li>" in card(viewer)
    changes.disable("x")
    assert "</a>: off (5 %, stage 1 of 2)</li>" in card(viewer)
    changes.archive("x")
    assert "stage 1 of 2" not in card(viewer)


@pytest.mark.parametrize("plan", ["5:1m,100", "5:1m,100:1m"])
def test_it_says_that_a_rollout_at_its_last_stage_is_to_be_completed(viewer, flag, plan):
    yesterday = timezone.now() - timedelta(days=1)
    changes.rollouts.start("x", changes.rollouts.to_plan(plan), at=yesterday)
    assert "</a>: 100 %, stage 2 of 2: the last, to be completed</li>" in card(viewer)


def test_it_says_that_there_is_nothing(viewer):
    assert card(viewer).count("None.") == 2
    assert "Nothing." in card(viewer)


@pytest.mark.django_db(transaction=True)
def test_it_shows_broken_flags_with_the_reason(viewer, flag):
    Flag.objects.filter(pk=flag.pk).update(off_variant="<gone>")
    said = card(viewer)
    assert f'<a href="/admin/flaggate/flag/{flag.pk}/change/">x</a></strong>: off_variant' in said
    assert "&lt;gone&gt;" in said


@pytest.mark.django_db(transaction=True)
def test_it_says_how_fresh_this_process_is(viewer, flag):
    assert "1 flag from the database, version 1, known to be current 0." in card(viewer)


def test_a_process_that_has_read_nothing_says_so():
    from flaggate.store import status

    store.forget()
    assert freshness(status()) == "This process has not read any flags yet."


@pytest.mark.django_db(transaction=True)
def test_a_process_that_can_not_read_says_why(flag):
    from flaggate.store import status

    store.current()
    store.failures, store.error = 1, "OperationalError: no route"
    said = freshness(status())
    assert "as they were before the database could not be read" in said
    assert said.endswith("OperationalError: no route")


def test_its_queries_do_not_grow(viewer, django_assert_max_num_queries):
    for number in range(20):
        key = f"flag_{number}"
        changes.create(key)
        changes.rollouts.start(key, changes.rollouts.to_plan("5:1d,100"))
    viewer.get("/admin/login/")  # loads the snapshot
    with django_assert_max_num_queries(12):
        viewer.get("/admin/")


def test_a_project_with_an_index_page_of_its_own_keeps_it():
    import importlib

    import flaggate.admin

    assert admin.site.index_template == "admin/flaggate/index.html"
    admin.site.index_template = "own.html"
    try:
        importlib.reload(flaggate.admin)
        assert admin.site.index_template == "own.html"
    finally:
        admin.site.index_template = "admin/flaggate/index.html"
