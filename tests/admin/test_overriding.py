"""See a flag for oneself: the personal override as a form on the flag's page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from flaggate import changes
from flaggate.context import overrides
from flaggate.models import Flag, Revision
from tests.admin.conftest import pages, user
from tests.admin.pages import Page, Pages
from tests.fixtures import layouts

TESTER = ("view_flag", "override_flag")
WHERE = "/admin/flaggate/flag/override/"
FORM = 'class="flaggate-override"'


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.FLAGGATE = {"OVERRIDES": True}


@pytest.fixture
def flag() -> Flag:
    return changes.create("x", enabled=True, percentage=0)


@pytest.fixture
def tess() -> Pages:
    """Somebody who may look at flags, and see them for herself."""
    return pages(user("tess", *TESTER))


def see(browser: Pages, flag: Flag, choice: str, **data: str) -> Page:
    """Press a button of the form."""
    back = f"/admin/flaggate/flag/{flag.pk}/change/"
    sent = {"flag": flag.key, "choice": choice, "next": back, **data}
    return Page(browser, WHERE, browser.client.post(WHERE, sent, follow=True))


def asked(browser: Pages, key: str = "x") -> Any:
    """What this browser's requests get."""
    return browser.client.get("/admin/login/").wsgi_request.flags.evaluate(key)


def offer(page: Page) -> Any:
    return page.response.context["override"]


def test_a_flag_is_forced_for_whoever_presses_the_button_and_for_nobody_else(
    tess: Pages, flag: Flag
) -> None:
    page = see(tess, flag, "on")
    assert page.messages == ["You see x as on, in this browser."]
    assert "you see it as on." in page.words
    assert asked(tess).reason == "OVERRIDE"
    assert not asked(pages(user("otto", *TESTER))).active
    assert Revision.objects.filter(key="x").count() == 1


def test_it_leads_back_to_the_page_that_it_stands_on(tess: Pages, flag: Flag) -> None:
    page = tess.open(flag)
    assert f'name="next" value="{page.address}"' in page.text
    assert see(tess, flag, "on").response.redirect_chain == [(page.address, 302)]


@pytest.mark.parametrize("hours", ["abc", "99999", "-1", "nan"])
def test_what_is_refused_leads_back_there_too(tess: Pages, flag: Flag, hours: str) -> None:
    page = see(tess, flag, "on", hours=hours)
    assert page.response.redirect_chain == [(f"/admin/flaggate/flag/{flag.pk}/change/", 302)]
    assert page.messages == ["You can't see this flag in this way, or not for so long."]
    assert not asked(tess).active


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:x", ""])
def test_what_is_refused_leads_to_no_other_site(tess: Pages, flag: Flag, back: str) -> None:
    chain = see(tess, flag, "on", hours="abc", next=back).response.redirect_chain
    assert chain == [("/admin/flaggate/flag/", 302)]


def test_it_ends_when_it_is_cleared(tess: Pages, flag: Flag) -> None:
    assert "As for everybody" not in tess.open(flag).words
    assert "As for everybody" in see(tess, flag, "off").words
    page = see(tess, flag, "")
    assert page.messages == ["You see x as everybody does again."]
    assert offer(page).current == ""
    assert asked(tess).reason == "STATIC"


def test_variants_are_offered_by_name(tess: Pages) -> None:
    flag = layouts("x")
    assert offer(tess.open(flag)).choices == [
        ("compact", "compact for me"),
        ("wide", "wide for me"),
        ("off", "Off for me"),
    ]
    assert "you see it as wide." in see(tess, flag, "wide").words
    assert asked(tess).variant == "wide"


def test_it_lasts_as_long_as_is_said(tess: Pages, flag: Flag) -> None:
    assert 'name="hours" value="8" max="8"' in tess.open(flag).text
    see(tess, flag, "on", hours="0.5")
    request = tess.client.get("/admin/login/").wsgi_request
    _owner, forced = overrides.read(request, request.flags.now)
    assert 0 < (forced["x"][1] - request.flags.now).total_seconds() <= 1800


@pytest.mark.parametrize(
    ("choice", "hours"), [("wide", ""), ("on", "9"), ("on", "0"), ("on", "nan"), ("on", "a")]
)
def test_what_is_not_possible_is_said_not_to_be(
    tess: Pages, flag: Flag, choice: str, hours: str
) -> None:
    page = see(tess, flag, choice, hours=hours)
    assert page.messages == ["You can't see this flag in this way, or not for so long."]
    assert asked(tess).reason == "STATIC"


def test_what_somebody_else_forces_in_this_browser_is_not_shown_as_ones_own(
    tess: Pages, flag: Flag
) -> None:
    see(tess, flag, "on")
    otto = pages(user("otto", *TESTER))
    otto.client.cookies[overrides.COOKIE] = tess.client.cookies[overrides.COOKIE].value
    assert offer(otto.open(flag)).current == ""


@pytest.mark.parametrize("permissions", [("view_flag",), ("change_flag", "evaluate_flag")])
def test_it_is_hidden_from_and_forbidden_to_whoever_may_not(
    flag: Flag, permissions: tuple[str, ...]
) -> None:
    browser = pages(user("fred", *permissions))
    assert FORM not in browser.open(flag).text
    assert see(browser, flag, "on").status == 403


def test_it_takes_the_permission_to_view_flags_too(flag: Flag) -> None:
    assert see(pages(user("fred", "override_flag")), flag, "on").status == 403


def test_it_is_hidden_where_a_flag_forbids_it(tess: Pages, flag: Flag) -> None:
    assert FORM in tess.open(flag).text
    Flag.objects.update(overridable=False)
    assert FORM not in tess.open(flag).text


def test_it_is_hidden_where_the_project_does_not_allow_it(
    tess: Pages, flag: Flag, settings: Any
) -> None:
    settings.FLAGGATE = {}
    assert FORM not in tess.open(flag).text
    assert see(tess, flag, "on").status == 404


def test_nothing_happens_on_get_nor_without_a_token(tess: Pages, flag: Flag) -> None:
    assert tess.get(f"{WHERE}?flag=x&choice=on").status == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = tess.client.cookies
    assert strict.post(WHERE, {"flag": "x", "choice": "on"}).status_code == 403
    assert asked(tess).reason == "STATIC"


def test_it_does_not_stand_beside_what_is_added(ada: Pages) -> None:
    assert FORM not in ada.add(Flag).text
