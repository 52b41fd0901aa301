"""Whatever somebody types into the shop, or writes on a product, its pages show it as text."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.example_project.shop import DELIVERY, Browser, Page
from tests.payloads import PAYLOADS, escapes

payloads = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())


def unharmed(page: Page) -> None:
    assert page.status < 500, page.url
    assert escapes(page.text) == [], page.url


@payloads
def test_what_is_typed_into_the_checkout(browser: Browser, payload: str) -> None:
    browser.buy()
    unharmed(browser.post("/checkout/", **dict.fromkeys(DELIVERY, payload)))
    for field, longest in (("name", 80), ("street", 120), ("city", 60)):
        unharmed(browser.post("/checkout/", **{**DELIVERY, field: payload[:longest]}))
    unharmed(browser.get("/checkout/review/"))
    unharmed(browser.post("/checkout/review/"))
    unharmed(browser.get("/checkout/thanks/"))


@payloads
def test_what_is_sent_to_the_basket_and_the_bar(browser: Browser, payload: str) -> None:
    browser.buy()
    unharmed(browser.post("/basket/put/midnight-ink/", quantity=payload))
    unharmed(browser.post("/demo/visitor/", next=payload))
    unharmed(browser.post("/demo/log-in/", username=payload, next="/"))
    unharmed(browser.get(f"/{quote(payload[:200])}/?{quote(payload[:200])}={quote(payload[:200])}"))


@pytest.fixture
def products(shop_database: Path) -> Iterator[sqlite3.Connection]:
    """The products of the open shop, which are as they were when the test is over."""
    with closing(sqlite3.connect(shop_database, timeout=20, isolation_level=None)) as connection:
        connection.execute("CREATE TEMP TABLE before AS SELECT * FROM shop_product")
        yield connection
        connection.execute("DELETE FROM shop_product")
        connection.execute("INSERT INTO shop_product SELECT * FROM before")


@payloads
def test_what_is_written_on_a_product(
    browser: Browser, products: sqlite3.Connection, payload: str
) -> None:
    kinds = products.execute("SELECT name, type FROM pragma_table_info('shop_product')").fetchall()
    texts = [name for name, kind in kinds if "text" in kind.lower() or "char" in kind]
    written = [name for name in texts if name not in ("slug", "shelf")]
    assert {"name", "tagline", "description", "details", "note"} <= set(written)
    browser.buy()
    for name in written:
        products.execute(f"UPDATE shop_product SET {name} = ?", [payload])
    for path in ("/", "/products/midnight-ink/", "/basket/", "/checkout/"):
        page = browser.get(path)
        assert page.status == 200
        unharmed(page)
