"""Asking, looking back and keeping lists, in admin and in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.screens import log_in
from tests.example_project.shop import manage, served

pytestmark = pytest.mark.browser

CHANGES = """
from flaggate import changes
changes.rollout("makers_notes", 50, source="command", comment="Halfway")
changes.disable("loyalty_card")
changes.enable("loyalty_card", source="command")
"""


@pytest.fixture(scope="module")
def shop(seeded: Path) -> Iterator[str]:
    """The seeded shop, with a history; each test has a flag or segment of its own."""
    manage(seeded, "shell", "--verbosity=0", "-c", CHANGES)
    with served(seeded) as address:
        yield address


@pytest.fixture
def without_script(browser: Browser) -> Iterator[Page]:
    """A browser in which no script runs."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def open_one(page: Page, kind: str, key: str) -> None:
    """Go from the front page to the page of a flag or segment."""
    page.locator("#content-main").get_by_role("link", name=kind, exact=True).click()
    page.get_by_role("link", name=key, exact=True).first.click()


# --- going back -------------------------------------------------------------------------------


def revert(page: Page, shop: str, key: str) -> None:
    """Go back to the first version of a flag, and undo that."""
    log_in(page, shop)
    open_one(page, "Flags", key)
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="Revert to version 1…").click()
    page.get_by_label("Why?").fill("Too many notes")
    page.get_by_role("button", name="Revert to version 1").click()
    expect(page.locator(".messagelist .success")).to_contain_text("is again what it was")
    expect(page.locator(".flaggate-entry").nth(1)).to_contain_text("Too many notes")
    page.locator(".messagelist").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Revert to version").click()
    expect(page.locator(".flaggate-entry").nth(1)).to_contain_text("by admin, from admin")


def test_a_flag_goes_back_and_that_is_undone(shop: str, page: Page) -> None:
    revert(page, shop, "makers_notes")
    expect(page.locator(".flaggate-entry").nth(1)).to_contain_text("percentage: 25 % → 50 %")


def test_it_goes_back_without_javascript(shop: str, without_script: Page) -> None:
    revert(without_script, shop, "loyalty_card")
    expect(without_script.locator(".flaggate-entry").nth(1)).to_contain_text("enabled: no → yes")


def test_two_states_are_compared(shop: str, page: Page) -> None:
    log_in(page, shop)
    page.goto(f"{shop}/admin/flaggate/revision/of/flag/makers_notes/")
    page.get_by_label("from version 1", exact=True).check()
    page.get_by_label("to version 2", exact=True).check()
    page.get_by_role("button", name="Compare the chosen two").click()
    expect(page.locator(".flaggate-lines")).to_have_text("percentage: 25 % → 50 %")
    expect(page.locator(".flaggate-diff ins")).to_contain_text('"percentage": 50')


def test_moments_are_in_the_zone_of_the_browser(shop: str, browser: Browser) -> None:
    shown = []
    for zone in ("UTC", "Asia/Tokyo"):
        context = browser.new_context(timezone_id=zone)
        page = context.new_page()
        log_in(page, shop)
        page.goto(f"{shop}/admin/flaggate/revision/of/flag/gift_wrap/")
        moment = page.locator("time.flaggate-moment").first
        shown.append((moment.text_content(), moment.get_attribute("title")))
        context.close()
    (utc, title), (tokyo, same_title) = shown
    assert utc != tokyo
    assert title == same_title


# --- counting ---------------------------------------------------------------------------------


def test_what_takes_long_is_counted_on_without_a_click(shop: str, page: Page) -> None:
    """The shop's users are counted at once: the first answer is given a link to go on by."""

    def unfinished(route: Route) -> None:
        answer = route.fetch()
        text = answer.text().replace('href="?"', 'href="?so_far=1"')
        route.fulfill(response=answer, body=text.replace(" users are in", " were looked at"))

    log_in(page, shop)
    open_one(page, "Segments", "early_birds")
    page.route("**/matching/", unfinished)
    page.get_by_role("link", name="Count matching users").click()
    counted = page.locator("#flaggate-counting")
    expect(counted).to_contain_text("4,009 users are in this segment")
    expect(counted).to_have_attribute("aria-busy", "false")


# --- who gets this ----------------------------------------------------------------------------


def test_a_user_is_chosen_by_typing_and_the_answer_can_be_shared(shop: str, page: Page) -> None:
    log_in(page, shop)
    open_one(page, "Flags", "early_access")
    page.get_by_role("link", name="Who gets this?").click()
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("oliv")
    page.get_by_role("option", name="olivia", exact=True).click()
    page.get_by_role("button", name="Ask").click()
    answer = page.locator(".flaggate-answer")
    expect(answer.get_by_role("heading", level=2)).to_contain_text("Active for olivia")
    expect(answer).to_contain_text("TARGETING_MATCH: rule 1 caught the subject")
    expect(answer).to_contain_text("is_staff is one of true; it is true")
    page.goto(page.url)
    expect(answer.get_by_role("heading", level=2)).to_contain_text("Active for olivia")


def test_a_user_is_typed_without_javascript(shop: str, without_script: Page) -> None:
    log_in(without_script, shop)
    open_one(without_script, "Flags", "early_access")
    without_script.get_by_role("link", name="Who gets this?").click()
    without_script.get_by_label("Or type an id or a user name:").fill("chen")
    without_script.get_by_role("button", name="Ask").click()
    expect(without_script.locator(".flaggate-answer")).to_contain_text("Off for chen")
    without_script.get_by_role("link", name="newest users").click()
    found = re.compile(r"Of the 200 newest users, [1-8] get it")  # some of eight testers
    expect(without_script.locator(".flaggate-sample")).to_contain_text(found)


# --- segments ---------------------------------------------------------------------------------


def import_members(page: Page, shop: str, key: str) -> None:
    """Paste members, look at the preview, and agree."""
    log_in(page, shop)
    open_one(page, "Segments", key)
    page.get_by_role("link", name="Import members").click()
    page.get_by_label("Paste targeting keys").fill("1\n2\n2\nvisitor-abc")
    page.get_by_role("button", name="Show what would change").click()
    preview = page.locator(".flaggate-preview")
    expect(preview.get_by_role("row", name="repeated in the list")).to_contain_text("1")
    expect(preview.get_by_role("row", name="unknown")).to_contain_text("1")
    page.get_by_label("Why?").fill("From the CRM")
    page.get_by_role("button", name="Add them").click()
    expect(page.locator(".messagelist .success")).to_contain_text("3 added")
    expect(page.locator(".flaggate-members")).to_contain_text("visitor-abc")


def test_members_are_pasted(shop: str, page: Page) -> None:
    import_members(page, shop, "beta_testers")
    page.locator(".flaggate-members").get_by_label("visitor-abc").check()
    page.get_by_role("button", name="Remove the chosen ones").click()
    expect(page.locator(".messagelist .success")).to_contain_text("1 member was removed.")


def test_members_are_pasted_without_javascript(shop: str, without_script: Page) -> None:
    import_members(without_script, shop, "germany")


def test_members_are_uploaded(shop: str, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,user_id\nAda,1\nDora,4\nNew,5\n")
    log_in(page, shop)
    open_one(page, "Segments", "vip_customers")
    page.get_by_role("link", name="Import members").click()
    page.get_by_label("or choose a file").set_input_files(file)
    page.get_by_label("Replace: just these, all others go").check()
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator("#content")).to_contain_text("column “user_id”")
    page.get_by_role("button", name="Replace them").click()
    expect(page.locator(".messagelist .success")).to_contain_text(
        "1 added, 0 removed, 2 left alone."
    )


def offered(page: Page, row: int) -> list[str]:
    """The operators that a condition offers."""
    expect(page.locator(f"#id_conditions-{row}-operator")).to_be_visible()
    options = page.locator(f"#id_conditions-{row}-operator option:not([hidden])")
    return [text for text in options.all_text_contents() if text != "---------"]


def test_operators_fit_the_attribute(shop: str, page: Page) -> None:
    log_in(page, shop)
    open_one(page, "Segments", "staff")
    assert offered(page, 0) == ["is one of", "exists"]
    page.locator("#id_conditions-1-attribute").fill("date_joined")
    assert offered(page, 1)[2:] == ["is after", "is on or after", "is before", "is on or before"]
    page.locator("#id_conditions-1-attribute").fill("plan")
    assert len(offered(page, 1)) == 21
    page.locator("#conditions-group .add-row a").click()
    page.locator("#id_conditions-2-attribute").fill("ip")
    assert offered(page, 2) == ["is one of", "exists", "is in the network"]


def test_an_operator_that_was_chosen_stays_offered(shop: str, page: Page) -> None:
    log_in(page, shop)
    open_one(page, "Segments", "germany")
    page.locator("#id_conditions-0-attribute").fill("date_joined")
    assert "starts with" in offered(page, 0)


# --- API keys ---------------------------------------------------------------------------------


def test_a_new_secret_is_seen_whole(shop: str, page: Page) -> None:
    log_in(page, shop)
    page.goto(f"{shop}/admin/flaggate/apikey/add/")
    page.get_by_label("Name:").fill("deploy")
    page.locator("[name=scopes]").first.check()
    page.get_by_role("button", name="Save", exact=True).click()
    secret = page.get_by_label("Secret")
    assert secret.evaluate("field => field.scrollWidth <= field.clientWidth")
