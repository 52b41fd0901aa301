"""The shop as it is seeded: new_checkout is enabled, and released to nobody."""

import re

import pytest

from tests.example_project.shop import DELIVERY, Browser

PAGES = [
    "/",
    "/products/midnight-ink/",
    "/basket/",
    "/checkout/",
    "/checkout/review/",
    "/checkout/express/",
    "/checkout/thanks/",
]
UNRELEASED = [
    "autumn_collection",
    "early_access",
    "express_delivery",
    "loyalty_card",
    "new_checkout",
    "paper_catalogue",
    "pay_by_invoice",
    "shipping_rates",
    "vip_gift",
]


@pytest.mark.parametrize("path", [*PAGES, "/admin/login/", "/nowhere/"])
def test_every_page_has_the_strict_policy(browser: Browser, path: str) -> None:
    policy = browser.get(path).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_anything_inline(browser: Browser, path: str) -> None:
    browser.post("/basket/add/midnight-ink/")

    text = browser.get(path).text

    scripts = set(re.findall(r"<script ([^>]*)>", text))
    assert scripts == {
        'type="module" src="/static/shop/shop.js"',
        'id="flaggate-flags" type="application/json"',  # no script to a browser, but data
    }
    assert not re.search(r"<style|\sstyle=|<script>|\son\w+=", text)


@pytest.mark.parametrize("path", PAGES)
def test_a_visitor_sees_no_name_of_an_unreleased_flag(browser: Browser, path: str) -> None:
    browser.post("/basket/add/midnight-ink/")

    page = browser.get(path)

    assert page.status == 200
    assert [key for key in UNRELEASED if key in page.without_bar] == []


def test_home_shows_the_shelf(browser: Browser) -> None:
    assert browser.get().text.count('class="tile"') == 12


def test_every_illustration_is_served(browser: Browser) -> None:
    pictures = re.findall(r'<img src="([^"]+)"', browser.get().text)

    assert len(pictures) == 13
    for picture in pictures:
        assert browser.get(picture).headers["Content-Type"] == "image/svg+xml"


def test_the_banner_keeps_its_variant_for_a_visitor(browser: Browser) -> None:
    tapes = [re.findall(r'class="tape".*', browser.get().text) for _ in range(3)]

    assert tapes[0] == tapes[1] == tapes[2]


def test_the_bar_says_why_new_checkout_is_off(browser: Browser) -> None:
    bar = browser.get().bar

    assert bar.startswith("You are visitor ")
    assert bar.endswith("new_checkout is off because it is released to 0 % of everyone.")


def test_the_bar_shows_the_visitor_whom_the_cookie_names(browser: Browser) -> None:
    browser.get()
    assert browser.visitor

    assert browser.visitor[:11] in browser.get().bar


def test_a_visitor_stays_the_same(browser: Browser) -> None:
    browser.get()
    first = browser.visitor
    browser.get("/basket/")

    assert browser.visitor == first


def test_become_another_visitor(browser: Browser) -> None:
    browser.get()
    first = browser.visitor

    page = browser.post("/demo/visitor/", next="/basket/")

    assert page.url.endswith("/basket/")
    assert browser.visitor != first


def test_a_button_of_the_bar_never_leads_to_another_host(browser: Browser) -> None:
    page = browser.post("/demo/visitor/", next="//example.com/")

    assert page.url == f"{browser.shop}/"


def test_log_in_keeps_the_visitor(browser: Browser) -> None:
    browser.get()
    first = browser.visitor

    assert "Log out ada" in browser.log_in_as("ada").text
    assert browser.visitor == first


def test_log_out(browser: Browser) -> None:
    browser.log_in_as("ada")

    assert "Log out" not in browser.post("/demo/log-out/", next="/").text


def test_only_seeded_users_can_be_logged_in(browser: Browser) -> None:
    assert browser.log_in_as("somebody").status == 404


def test_the_operator_reaches_the_flags_in_admin(browser: Browser) -> None:
    browser.log_in_as("olivia")

    page = browser.get("/admin/flaggate/flag/")

    assert page.status == 200
    assert "new_checkout" in page.text


def test_in_the_view_checkout_takes_two_steps(browser: Browser) -> None:
    page = browser.buy()

    assert page.url.endswith("/checkout/")
    assert "Continue to review" in page.text


def test_in_the_template_there_is_no_buy_now(browser: Browser) -> None:
    page = browser.get("/products/midnight-ink/")

    assert "Add to basket" in page.text
    assert "Buy now" not in page.text


def test_on_the_url_the_express_checkout_is_the_old_one(browser: Browser) -> None:
    browser.buy()

    assert "Continue to review" in browser.get("/checkout/express/").text


def test_an_order_in_two_steps(browser: Browser) -> None:
    browser.buy()

    review = browser.post("/checkout/", **DELIVERY)
    assert "Rule Street 5" in review.text
    thanks = browser.post("/checkout/review/")

    assert thanks.url.endswith("/checkout/thanks/")
    assert "Ada Adler" in thanks.text
    assert "€16.90" in thanks.text  # the ink and the flat rate, because live rates are killed


def test_an_incomplete_address_is_sent_back(browser: Browser) -> None:
    browser.buy()

    page = browser.post("/checkout/", name="Ada Adler")

    assert page.url.endswith("/checkout/")
    assert 'class="error"' in page.text


@pytest.mark.parametrize(("quantity", "goods"), [("3", "€36.00"), ("99", "€108.00")])
def test_the_quantity_in_the_basket(browser: Browser, quantity: str, goods: str) -> None:
    browser.post("/basket/add/midnight-ink/")

    page = browser.post("/basket/put/midnight-ink/", quantity=quantity)

    assert f"<dt>Goods</dt><dd>{goods}</dd>" in page.text


def test_none_of_a_product_takes_it_out_of_the_basket(browser: Browser) -> None:
    browser.post("/basket/add/midnight-ink/")

    assert "It is empty" in browser.post("/basket/put/midnight-ink/", quantity="0").text


def test_shipping_is_free_from_forty_euros(browser: Browser) -> None:
    page = browser.post("/basket/add/brass-nib-fountain-pen/")

    assert "<dt>Shipping</dt><dd>free</dd>" in page.text


def test_an_unreleased_product_is_not_found(browser: Browser) -> None:
    assert browser.get("/products/date-stamp/").status == 404
    assert browser.post("/basket/add/date-stamp/").status == 404


def test_staff_see_the_early_shelf(browser: Browser) -> None:
    page = browser.log_in_as("olivia")

    assert "Date stamp" in page.text
    assert browser.get("/products/date-stamp/").status == 200


def test_a_scheduled_flag_is_off_for_staff_too(browser: Browser) -> None:
    assert "Leaf bookmarks" not in browser.log_in_as("olivia").text


def test_members_of_a_segment_get_their_gift(browser: Browser) -> None:
    browser.post("/basket/add/midnight-ink/")
    browser.log_in_as("ada")

    assert "for being a regular" in browser.get("/basket/").text


def test_others_get_no_gift(browser: Browser) -> None:
    browser.post("/basket/add/midnight-ink/")
    browser.log_in_as("chen")

    assert "for being a regular" not in browser.get("/basket/").text


@pytest.mark.parametrize(("language", "offered"), [("de", True), ("en", False)])
def test_only_german_browsers_pay_by_invoice(
    browser: Browser, language: str, offered: bool
) -> None:
    browser.buy()

    page = browser.get("/checkout/", **{"Accept-Language": language})

    assert ("Pay by invoice" in page.text) is offered


def test_what_needs_the_new_checkout_is_off_without_it(browser: Browser) -> None:
    assert "By courier" not in browser.buy().text
