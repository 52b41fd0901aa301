"""Admin's pages of flags, from log-in to result, in a browser with and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.screens import FLAGS, follow, log_in
from tests.example_project.shop import served

pytestmark = pytest.mark.browser

SMALL_TARGETS = """
() => [...document.querySelectorAll('.flaggate-button, .flaggate-move, .flaggate-undo button')]
  .map((each) => each.getBoundingClientRect())
  .filter((box) => box.height < 24 || box.width < 24).length
"""


@pytest.fixture(scope="module")
def shop(seeded: Path) -> Iterator[str]:
    """One seeded shop; each test has a flag of its own."""
    with served(seeded) as address:
        yield address


@pytest.fixture
def admin(page: Page, shop: str) -> Page:
    return log_in(page, shop)


@pytest.fixture
def plain(browser: Browser, shop: str) -> Iterator[Page]:
    """The page of a browser without JavaScript."""
    context = browser.new_context(java_script_enabled=False)
    yield log_in(context.new_page(), shop)
    context.close()


def row(page: Page, key: str) -> str:
    """What the list says of a flag."""
    return page.get_by_role("row").filter(has_text=key).inner_text()


def open_flag(page: Page, shop: str, key: str) -> None:
    page.goto(f"{shop}{FLAGS}?q={key}")
    follow(page.get_by_role("link", name=key, exact=True))


def succeeded(page: Page, words: str) -> None:
    expect(page.locator(".messagelist .success").last).to_contain_text(words)


# --- the daily work ---------------------------------------------------------------------------


@pytest.mark.parametrize("with_script", [True, False])
def test_a_flag_is_released_by_buttons_turned_off_and_undone(
    request: pytest.FixtureRequest, shop: str, with_script: bool
) -> None:
    page: Page = request.getfixturevalue("admin" if with_script else "plain")
    key = "gift_wrap"
    for share in ("5", "50", "100"):
        page.goto(f"{shop}{FLAGS}")
        page.get_by_role("link", name=f"Set the share: {key}").click()
        page.get_by_label("Share").fill(share)
        page.get_by_role("button", name="Continue").click()
        expect(page.locator(".flaggate-then")).to_contain_text(
            "On for everyone" if share == "100" else f"On for {share} %"
        )
        page.get_by_label("Why?").fill("The numbers are good.")
        page.get_by_role("button", name="Set the share").click()
        succeeded(page, f"{key} is on for {'everyone' if share == '100' else f'{share} %'}")

    page.goto(f"{shop}/admin/")
    page.get_by_role("link", name="Flags", exact=True).first.click()
    page.get_by_role("link", name=f"Turn off: {key}").click()
    page.get_by_role("button", name="Turn off").click()
    succeeded(page, f"{key} is off")
    page.get_by_role("button", name="Undo").click()
    succeeded(page, f"{key} is on for everyone")


def test_several_flags_are_one_deed(admin: Page, shop: str) -> None:
    admin.goto(f"{shop}{FLAGS}")
    for key in ("makers_notes", "pay_by_invoice"):
        admin.get_by_role("row").filter(has_text=key).get_by_role("checkbox").check()
    admin.get_by_label("Action:").select_option(label="Turn off")
    admin.get_by_role("button", name="Run").or_(admin.get_by_role("button", name="Go")).click()
    expect(admin.locator(".flaggate-outcome")).to_have_count(2)
    admin.get_by_role("button", name="Turn off").click()
    succeeded(admin, "makers_notes is off; pay_by_invoice is off.")
    admin.get_by_role("button", name="Undo").click()
    succeeded(admin, "makers_notes is on for 25 %")


def test_a_rollout_is_a_line_of_stages(admin: Page, shop: str) -> None:
    open_flag(admin, shop, "loyalty_card")
    admin.get_by_role("link", name="Start a rollout").click()
    admin.get_by_label("Stages").fill("10:1d,100")
    admin.get_by_role("button", name="Continue").click()
    admin.get_by_role("button", name="Start a rollout").click()
    succeeded(admin, "loyalty_card is on for 10 % (stage 1 of 2)")
    stages = admin.get_by_role("list", name="Stages of the rollout").get_by_role("listitem")
    expect(stages).to_have_count(2)
    expect(stages.first).to_have_attribute("aria-current", "step")
    expect(stages.first).to_contain_text("10 %")
    admin.get_by_role("link", name="Pause the rollout").click()
    admin.get_by_role("button", name="Pause the rollout").click()
    succeeded(admin, "paused")
    expect(stages.last).to_contain_text("after the pause")


# --- the page of a flag -----------------------------------------------------------------------


def add_rules(page: Page, shop: str, key: str) -> None:
    """Give a flag of its own two rules, staff and then germany."""
    page.goto(f"{shop}{FLAGS}add/")
    page.get_by_label("Key", exact=False).first.fill(key)
    for position, segment in enumerate(("staff", "germany")):
        if position:
            page.get_by_text("Add another Rule").click()
        rule = page.locator(f"#rules-{position}")
        rule.get_by_role("searchbox").fill(segment)
        page.get_by_role("option", name=segment).click()
    page.get_by_role("button", name="Save and continue editing").click()
    succeeded(page, "was added successfully")


def said(page: Page) -> list[str]:
    """What a review lists."""
    expect(page.locator("#flaggate-review")).to_be_visible()
    return page.locator("#flaggate-review li").all_inner_texts()


@pytest.mark.parametrize("keyboard", [False, True])
def test_rules_are_moved_by_buttons_and_by_the_keyboard(
    admin: Page, shop: str, keyboard: bool
) -> None:
    add_rules(admin, shop, f"moved_{keyboard}")
    second = admin.locator("#rules-1")
    if keyboard:
        second.get_by_label("Percentage").or_(second.locator(".field-percentage input")).press(
            "Alt+ArrowUp"
        )
        expect(second.locator(".field-percentage input")).to_be_focused()
    else:
        second.get_by_role("button", name="Move up").click()
        expect(second.get_by_role("button", name="Move up")).to_be_focused()
    expect(admin.get_by_role("status")).to_have_text("Now in place 1 of 2")
    admin.get_by_role("button", name="Review changes").click()
    assert said(admin) == [
        "rule 1: added, 100 % of germany",
        "rule 2: removed, 100 % of germany",
    ]
    admin.get_by_role("button", name="Save", exact=True).click()
    open_flag(admin, shop, f"moved_{keyboard}")
    expect(admin.locator("#rules-0 .field-segments")).to_contain_text("Germany")


def test_a_row_that_was_moved_and_another_that_was_removed_are_saved_as_shown(
    admin: Page, shop: str
) -> None:
    add_rules(admin, shop, "moved_and_removed")
    admin.get_by_text("Add another Rule").click()
    added = admin.locator("#rules-3")
    added.get_by_role("searchbox").fill("vip")
    admin.get_by_role("option", name="VIP customers").click()
    for _step in range(3):
        added.get_by_role("button", name="Move up").click()
    admin.locator("#rules-2 .inline-deletelink").click()
    admin.get_by_role("button", name="Review changes").click()
    assert said(admin) == ["rule 1: added, 100 % of vip_customers"]


def test_the_shares_of_variants_follow_what_is_typed(admin: Page, shop: str) -> None:
    open_flag(admin, shop, "banner")
    admin.locator("#variants-0 .field-weight input").fill("80")
    admin.get_by_label("Percentage", exact=False).first.fill("50")
    expect(admin.locator("#flaggate-shares")).to_have_text(
        "none 25 %, spring 12.5 %, free_shipping 12.5 %, 50 % remain off"
    )


def test_without_javascript_a_flag_is_changed_as_a_whole(plain: Page, shop: str) -> None:
    open_flag(plain, shop, "vip_gift")
    plain.locator('[name="rules-1-segments-keys"]').fill("staff")
    plain.locator('[name="rules-1-percentage"]').fill("50")
    plain.get_by_role("button", name="Review changes").click()
    assert said(plain) == ["rule 2: added, 50 % of staff"]
    plain.get_by_role("button", name="Save and continue editing").click()
    succeeded(plain, "vip_gift is on for segment vip_customers, then 50 % of segment staff")


@pytest.mark.parametrize("with_script", [True, False])
def test_who_would_get_a_flag_is_asked_before_it_is_saved(
    request: pytest.FixtureRequest, shop: str, with_script: bool
) -> None:
    page: Page = request.getfixturevalue("admin" if with_script else "plain")
    key = "early_access"
    open_flag(page, shop, key)
    page.get_by_label("Percentage", exact=False).first.fill("100")
    page.get_by_role("button", name="Who would get this?").click()
    supposed = page.get_by_role("region", name="Who would get this, if it were saved?")
    expect(supposed).to_contain_text("Would gain it")
    if with_script:
        supposed.locator(".select2-selection").click()
        page.get_by_role("searchbox").last.fill("chen")
        page.get_by_role("option", name="chen", exact=True).click()
    else:
        supposed.get_by_label("Or type an id or a user name:").fill("chen")
    supposed.get_by_role("button", name="Ask", exact=True).click()
    expect(supposed.get_by_role("row", name="gets off on")).to_be_visible()
    expect(page.get_by_label("Percentage", exact=False).first).to_have_value("100")
    page.goto(f"{shop}{FLAGS}?q={key}")  # and nothing was saved
    assert "100 %" not in row(page, key)


@pytest.mark.parametrize("with_script", [True, False])
def test_a_flag_is_seen_for_oneself_and_then_as_everybody_does(
    request: pytest.FixtureRequest, shop: str, with_script: bool
) -> None:
    page: Page = request.getfixturevalue("admin" if with_script else "plain")
    open_flag(page, shop, "vip_gift")
    page.get_by_text("See this for yourself").click()
    page.get_by_label("for how many hours:").fill("2")
    page.get_by_role("button", name="Off for me").click()
    succeeded(page, "You see vip_gift as off, in this browser.")
    own = page.locator(".flaggate-override")
    expect(own).to_contain_text("you see it as off.")
    own.get_by_role("button", name="As for everybody").click()
    succeeded(page, "You see vip_gift as everybody does again.")
    expect(own).not_to_contain_text("you see it as")


def test_the_second_of_two_operators_applies_the_own_changes_on_top(
    admin: Page, browser: Browser, shop: str
) -> None:
    context = browser.new_context()
    other = log_in(context.new_page(), shop)
    for page in (admin, other):
        open_flag(page, shop, "early_access")
    admin.get_by_label("Description").fill("First words")
    admin.get_by_role("button", name="Review changes").click()
    admin.get_by_role("button", name="Save", exact=True).click()
    other.get_by_label("Percentage", exact=False).first.fill("3")
    other.get_by_role("button", name="Review changes").click()
    meeting = other.get_by_role("region", name="It was changed meanwhile")
    expect(meeting).to_contain_text("You changed it just now, in another tab or window")
    expect(meeting).to_contain_text("First words")
    expect(meeting).to_contain_text("percentage: 0 % → 3 %")
    expect(other.get_by_label("Percentage", exact=False).first).to_have_value("3")
    meeting.get_by_role("button", name="Apply mine on top").click()
    expect(other.get_by_label("Description")).to_have_value("First words")
    expect(other.locator(".flaggate-now").first).to_contain_text("then 3 %")
    context.close()


def test_moments_are_those_of_the_viewers_zone(browser: Browser, shop: str) -> None:
    shown = [
        stage_in(browser.new_context(timezone_id=zone), shop) for zone in ("UTC", "Asia/Tokyo")
    ]
    assert shown[0] != shown[1]


def stage_in(context: BrowserContext, shop: str) -> str:
    page = log_in(context.new_page(), shop)
    open_flag(page, shop, "ink_subscription")
    text = page.locator("time.flaggate-moment").first.inner_text()
    context.close()
    return text


@pytest.mark.parametrize("key", ["", "banner", "makers_notes"])
def test_no_own_button_is_smaller_than_24_pixels(admin: Page, shop: str, key: str) -> None:
    if key:
        open_flag(admin, shop, key)
        admin.get_by_text("See this for yourself").click()
    else:
        admin.goto(f"{shop}{FLAGS}")
    expect(admin.locator(".flaggate-button").last).to_be_visible()
    assert admin.evaluate(SMALL_TARGETS) == 0


# --- long keys --------------------------------------------------------------------------------

PAGES_OF = ("", "{pk}/change/", "do/turn-on/?flag={pk}", "{pk}/history/", "{pk}/delete/")
OVERFLOWS = """
() => {
  const table = document.querySelector("#result_list");
  const wide = table && table.offsetWidth > 1100;
  return document.documentElement.scrollWidth > innerWidth || wide;
}
"""


@pytest.mark.parametrize("width", [1366, 400])
def test_a_key_of_100_letters_fits_into_each_page(admin: Page, shop: str, width: int) -> None:
    key = ("m" if width < 1000 else "w") * 100
    admin.goto(f"{shop}{FLAGS}add/")
    admin.get_by_label("Key:", exact=True).fill(key)
    admin.get_by_role("button", name="Save and continue editing").click()
    succeeded(admin, "was added successfully")
    pk = admin.url.rstrip("/").split("/")[-2]
    admin.set_viewport_size({"width": width, "height": 900})
    for path in PAGES_OF:
        admin.goto(f"{shop}{FLAGS}{path.format(pk=pk)}")
        assert not admin.evaluate(OVERFLOWS), path
