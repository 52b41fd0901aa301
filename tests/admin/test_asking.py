import json
from html import unescape
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from flaggate import changes, recording
from flaggate.models import Flag, Revision, State, Usage
from tests.admin.conftest import pages, user
from tests.admin.pages import address
from tests.fixtures import layouts, targeted

ASKER = ("view_flag", "evaluate_flag")


@pytest.fixture
def asker():
    """Somebody who may ask for others, and is not shown users by admin."""
    return pages(user("asta", *ASKER))


@pytest.fixture
def flag():
    """On for gold customers, then 25 %."""
    return targeted("x", ("plan", "one_of", ["gold"]), percentage=25, salt="checkout")


def where(flag):
    return f"/admin/flaggate/flag/{flag.pk}/who/"


def ask(browser, flag, **question):
    return browser.get(f"{where(flag)}?{urlencode(question)}")


def answer(page):
    return page.response.context["answer"]


def facts(page):
    return dict(answer(page)["facts"])


def steps(page):
    """All steps of the answer: met or not, in words."""

    def flat(found):
        for step in found:
            yield step.met, step.words
            yield from flat(step.steps)

    return [step for _title, found in answer(page)["sections"] for step in flat(found)]


# --- who is asked for -------------------------------------------------------------------------


def test_nobody_is_asked_for_before_somebody_is_chosen(asker, flag):
    page = asker.get(where(flag))
    assert (page.status, answer(page), page.response.context["sample"]) == (200, None, None)


@pytest.mark.parametrize("name", ["olga", "  olga "])
def test_a_user_is_found_by_name(asker, flag, name):
    User.objects.create_user("olga")
    assert answer(ask(asker, flag, user=name))["name"] == "olga"


def test_a_user_is_found_by_primary_key(asker, flag):
    olga = User.objects.create_user("olga")
    page = ask(asker, flag, user=str(olga.pk))
    assert answer(page)["name"] == "olga"
    assert f"by targeting_key {olga.pk}" in page.text


@pytest.mark.parametrize("name", ["nobody", "999999", "9" * 400, "a\0b", "\ud800"])
def test_a_user_who_does_not_exist_is_said_not_to(asker, flag, name):
    page = ask(asker, flag, user=name.encode("utf-8", "surrogatepass"))
    assert (page.status, answer(page)) == (200, None)
    assert "There is no" in page.text


def test_a_targeting_key_is_just_that(asker, flag):
    page = ask(asker, flag, targeting_key="42")
    assert answer(page)["name"] == "the targeting key 42"
    assert (False, 'plan is one of "gold"; the subject lacks this attribute') in steps(page)


def test_a_context_is_json(asker, flag):
    page = ask(asker, flag, context=json.dumps({"targeting_key": "42", "plan": "gold"}))
    assert answer(page)["active"]
    assert facts(page)["reason"] == "TARGETING_MATCH: rule 1 caught the subject"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "This is no JSON."),
        ("[1]", "This is no JSON object."),
        ("null", "Give a value"),
        ('{"a": NaN}', "This is no JSON."),
        ("[" * 5000, "This is no JSON."),
    ],
)
def test_what_is_no_context_is_said_to_be_none(asker, flag, text, words):
    page = ask(asker, flag, context=text)
    assert answer(page) is None
    assert words in page.text
    assert page.response.context["form"]["context"].value() == text


def test_an_anonymous_visitor_has_nothing_to_hash(asker, flag):
    page = ask(asker, flag, user="", targeting_key="", context="")
    assert answer(page)["name"] == "an anonymous visitor"
    assert facts(page)["reason"] == "ERROR: the subject has nothing to hash"


def test_two_subjects_are_one_too_many(asker, flag):
    page = ask(asker, flag, targeting_key="42", context="{}")
    assert "Fill in one of the three" in page.text
    assert answer(page) is None


# --- what is answered -------------------------------------------------------------------------


def test_it_shows_each_rule_and_condition_and_the_bucket_against_the_threshold(asker, flag):
    page = ask(asker, flag, targeting_key="1")
    assert [met for met, _words in steps(page)] == [False, False, False, False]
    assert steps(page)[-1][1] == (
        "25 %: bucket 49,641 of 100,000, by targeting_key 1; inside when below 25,000: outside"
    )
    assert '<rect class="flaggate-inside" width="25000"' in page.text
    assert '<rect class="flaggate-here" x="49641"' in page.text


def test_drawings_and_links_keep_their_numbers_where_thousands_are_separated(asker, flag, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    assert 'x="49641"' in ask(asker, flag, targeting_key="1").text


def test_it_shows_variant_and_value(asker):
    page = ask(asker, layouts(), targeting_key="1")
    assert facts(page)["value"] == '{"columns": 4} (variant compact)'


def test_it_shows_each_prerequisite(asker, flag):
    required = changes.create("required")
    with changes.change():
        flag.prerequisites.create(required=required)
    page = ask(asker, flag, targeting_key="1")
    assert steps(page) == [
        (False, "required is active; it is off: the flag is not on"),
    ]
    assert "another flag is not as this one requires" in page.text


def test_it_says_which_rules_were_not_asked(asker, flag):
    other = targeted("y", ("plan", "exists", []))
    with changes.change():
        flag.rules.create(order=2).segments.add(other.rules.get().segments.get())
    page = ask(asker, flag, context='{"plan": "gold"}')
    assert steps(page)[-1] == (None, "The rules after it (1) were not asked.")


def test_it_says_what_is_broken(asker, flag):
    flag.variants.bulk_create([])
    Flag.objects.filter(pk=flag.pk).update(off_variant="gone")
    assert "gone" in facts(ask(asker, flag, targeting_key="1"))["broken"]


def test_the_language_is_that_of_the_project_and_not_of_who_asks(asker, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    flag = targeted("german", ("language", "starts_with", ["de"]))
    User.objects.create_user("olga")
    asker.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    with translation.override("en"):  # what the middleware activates ends with this test
        assert not answer(ask(asker, flag, user="olga"))["active"]


def test_a_users_groups_are_known(asker):
    flag = targeted("grouped", ("groups", "one_of", ["beta"]))
    User.objects.create_user("olga").groups.add(Group.objects.create(name="beta"))
    assert answer(ask(asker, flag, user="olga"))["active"]


# --- a sample ---------------------------------------------------------------------------------


def test_a_sample_says_which_share_gets_it(asker, flag):
    User.objects.bulk_create(User(username=f"u{number}") for number in range(250))
    with changes.change():
        flag.rules.all().delete()
    sample = ask(asker, flag, sample="1").response.context["sample"]
    assert sample.asked == 200
    assert 20 < sample.active < 80
    assert sum(count for _what, count, _share in sample.counts) == 200
    assert len(sample.people) == 20
    assert sample.people[0][0].username == "u249"


def test_a_sample_says_how_many_get_which_variant(asker):
    sample = ask(asker, layouts(), sample="1").response.context["sample"]
    assert sample.counts == [("compact", 1, "100 %")]


def test_a_samples_queries_do_not_grow_with_users(asker, flag):
    def queries():
        asker.get("/admin/login/")  # loads the snapshot
        with CaptureQueriesContext(connection) as found:
            ask(asker, flag, sample="1")
        return len(found)

    few = queries()
    User.objects.bulk_create(User(username=f"u{number}") for number in range(100))
    assert queries() == few


# --- what it leaves alone, and who may --------------------------------------------------------


def test_asking_records_nothing(asker, flag):
    recording.counts.clear()
    before = State.objects.get().version, Revision.objects.count()
    ask(asker, flag, targeting_key="1")
    ask(asker, flag, sample="1")
    assert not recording.counts
    assert not Usage.objects.exists()
    assert (State.objects.get().version, Revision.objects.count()) == before


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        (ASKER, 200),
        (("change_flag", "evaluate_flag"), 200),
        (("view_flag",), 403),
        (("evaluate_flag",), 403),
        (("change_flag", "toggle_flag", "revert_flag", "view_user"), 403),
    ],
)
def test_it_takes_a_permission_of_its_own(flag, permissions, status):
    browser = pages(user("fred", *permissions))
    for question in ("", "?targeting_key=1", "?sample=1"):
        assert browser.get(where(flag) + question).status == status


@pytest.mark.parametrize(("permissions", "linked"), [(ASKER, True), (("view_flag",), False)])
def test_the_page_of_a_flag_links_to_it_for_those_who_may(flag, permissions, linked):
    browser = pages(user("fred", *permissions))
    text = browser.get(address(Flag, "change", flag.pk)).text
    assert (where(flag) in text) is linked


def test_users_are_offered_only_to_those_who_may_see_them(asker, flag):
    seeing = pages(user("sven", *ASKER, "view_user"))
    assert "admin-autocomplete" in seeing.get(where(flag)).text
    assert "admin-autocomplete" not in asker.get(where(flag)).text


def test_without_an_admin_of_users_their_name_is_typed(ada, flag, monkeypatch):
    from django.contrib import admin

    monkeypatch.delitem(admin.site._registry, User)
    assert "admin-autocomplete" not in ada.get(where(flag)).text


def test_the_user_who_was_chosen_stays_chosen(flag):
    olga = User.objects.create_user("olga")
    seeing = pages(user("sven", *ASKER, "view_user"))
    page = ask(seeing, flag, user="olga")
    assert f'<option value="{olga.pk}" selected>olga</option>' in page.text
    assert '<input type="text" name="user" value="olga">' in page.text


def test_the_answer_is_escaped(asker, flag):
    payload = "<script>alert(1)</script>"
    for question in ({"targeting_key": payload}, {"user": payload}, {"context": payload}):
        assert payload not in ask(asker, flag, **question).text
    assert payload in unescape(ask(asker, flag, targeting_key=payload).text)


def test_a_flag_that_does_not_exist_is_not_found(asker):
    assert asker.get("/admin/flaggate/flag/999/who/").status == 404
