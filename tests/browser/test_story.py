"""The main job: a feature is released in stages, and switched off, while two processes serve."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import sqrt
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.screens import log_in
from tests.example_project.shop import served

pytestmark = pytest.mark.browser

VISITORS = 200
FEW = 25  # enough to see what holds for all or for none
PRODUCT = "/products/midnight-ink/"


@pytest.fixture
def shop(database: Path) -> Iterator[tuple[str, str]]:
    """Two processes on one database."""
    with served(database) as first, served(database) as second:
        yield first, second


class Visitors:
    """Browsers, one after the other, each with its own visitor cookie."""

    def __init__(self, context: BrowserContext, shop: str) -> None:
        self.context = context
        self.page = context.new_page()
        self.shop = shop
        # What is judged are the words of the page; the drawings only take time.
        context.route("**/*.{svg,css,js}", lambda route: route.abort())
        self.cookies = [self._become_new() for _ in range(VISITORS)]

    def _become_new(self) -> str:
        self.context.clear_cookies()
        self.page.goto(self.shop + PRODUCT, wait_until="domcontentloaded")
        cookies = {each["name"]: each["value"] for each in self.context.cookies()}
        return cookies["flaggate_visitor"]

    def inside(self, of: int = VISITORS) -> set[str]:
        """Those who are offered the new checkout, of the first so many."""
        return {cookie for cookie in self.cookies[:of] if self._sees(cookie)}

    def _sees(self, cookie: str) -> bool:
        self.context.clear_cookies()
        self.context.add_cookies([{"name": "flaggate_visitor", "value": cookie, "url": self.shop}])
        self.page.goto(self.shop + PRODUCT, wait_until="domcontentloaded")
        return self.page.get_by_role("button", name="Buy now").count() == 1


def set_flag(admin: Page, *, percentage: str = "", enabled: bool = True) -> None:
    """Change the flag on its page in admin, and save."""
    if percentage:
        admin.get_by_label("Percentage", exact=False).first.fill(percentage)
    admin.get_by_label("Enabled").set_checked(enabled)
    review = admin.get_by_role("button", name="Review changes")
    if review.count():  # the page that adds a flag has nothing to compare with
        review.click()
        expect(admin.locator("#flaggate-review")).to_be_visible()
    admin.get_by_role("button", name="Save and continue editing").click()
    expect(admin.locator(".messagelist .success").first).to_be_visible()


def fits(found: set[str], percentage: int) -> bool:
    """Whether a share is within 4.5 standard deviations: wrong once in 150,000 runs."""
    share = percentage / 100
    return abs(len(found) - VISITORS * share) <= 4.5 * sqrt(VISITORS * share * (1 - share))


def test_the_new_checkout_goes_from_0_to_5_to_50_to_100_percent_and_off(
    shop: tuple[str, str], browser: Browser, page: Page
) -> None:
    first, second = shop
    elsewhere = browser.new_page()

    log_in(page, first)
    page.goto(f"{first}/admin/flaggate/flag/add/")
    page.get_by_label("Key", exact=False).first.fill("new_checkout")
    page.get_by_label("Bucket by").fill("visitor")
    set_flag(page, percentage="0")
    visitors = Visitors(browser.new_context(), first)
    assert visitors.inside(of=FEW) == set()

    inside = {}
    for percentage in (5, 50):
        set_flag(page, percentage=str(percentage))
        inside[percentage] = visitors.inside()
        assert fits(inside[percentage], percentage), len(inside[percentage])
    assert inside[5] < inside[50]

    set_flag(page, percentage="100")
    saved = time.monotonic()
    assert follows(elsewhere, second, on=True, since=saved) <= 1.5
    assert len(visitors.inside(of=FEW)) == FEW

    set_flag(page, enabled=False)
    saved = time.monotonic()
    assert follows(elsewhere, second, on=False, since=saved) <= 1.5
    assert visitors.inside(of=FEW) == set()


def follows(page: Page, shop: str, *, on: bool, since: float) -> float:
    """Reload a page of the other process until it has followed; return after how many seconds."""
    page.route("**/*.{svg,css,js}", lambda route: route.abort())
    while True:
        asked = time.monotonic()
        page.goto(shop + PRODUCT, wait_until="domcontentloaded")
        if (page.get_by_role("button", name="Buy now").count() == 1) is on:
            return asked - since
        assert asked - since < 30, "the second process never followed"
