"""The shop while new_checkout is released to everyone, and as it gets there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.example_project.shop import DELIVERY, Browser, eventually, manage

VISITORS = 60


@pytest.fixture(scope="module", autouse=True)
def _released(shop: str, shop_database: Path) -> Iterator[None]:
    rollout(shop, shop_database, "100")
    yield
    rollout(shop, shop_database, "0")


def rollout(shop: str, database: Path, percentage: str) -> None:
    manage(database, "flags", "rollout", "new_checkout", percentage)
    browser = Browser(shop)
    eventually(lambda: f"released to {percentage} %" in browser.get("/basket/").bar)


def is_in(browser: Browser) -> bool:
    return "Buy now" in browser.get("/products/midnight-ink/").text


def test_the_bar_says_why_new_checkout_is_on(browser: Browser) -> None:
    bar = browser.get().bar

    assert bar.endswith("new_checkout is on because it is released to 100 % of everyone.")


def test_in_the_view_checkout_leads_to_one_page(browser: Browser) -> None:
    page = browser.buy()

    assert page.url.endswith("/checkout/express/")
    assert "Express checkout" in page.text


def test_in_the_template_there_is_buy_now(browser: Browser) -> None:
    assert is_in(browser)


def test_buy_now_goes_straight_to_the_one_page(browser: Browser) -> None:
    page = browser.post("/basket/add/midnight-ink/", buy="1")

    assert page.url.endswith("/checkout/express/")
    assert "1 × Midnight ink" in page.text


def test_an_order_on_one_page(browser: Browser) -> None:
    browser.buy()

    thanks = browser.post("/checkout/express/", **DELIVERY, courier="on")

    assert thanks.url.endswith("/checkout/thanks/")
    assert "€22.90" in thanks.text  # the ink, the flat rate, and the courier


def test_what_needs_the_new_checkout_is_on_with_it(browser: Browser) -> None:
    assert "By courier" in browser.buy().text


def test_whoever_is_in_early_stays_in_and_through_login(shop: str, shop_database: Path) -> None:
    visitors = [Browser(shop) for _ in range(VISITORS)]

    rollout(shop, shop_database, "20")
    early = [visitor for visitor in visitors if is_in(visitor)]
    for visitor in early:
        visitor.log_in_as("chen")
    assert all(is_in(visitor) for visitor in early)
    rollout(shop, shop_database, "60")
    later = [visitor for visitor in visitors if is_in(visitor)]
    rollout(shop, shop_database, "100")

    assert set(early) < set(later) < set(visitors)
