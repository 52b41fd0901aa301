"""``flags.js`` on a page of the shop, whose policy forbids whatever is inline or from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.example_project.shop import manage, served

pytestmark = pytest.mark.browser

USAGE = "/flaggate/v1/usage"
MODULE = "/static/flaggate/flags.js"
SOON = 10_000  # milliseconds
# What a page is told when it is left; the driver does not see what a page sends after that.
LEAVE = """
Object.defineProperty(document, "hidden", { value: true });
document.dispatchEvent(new Event("visibilitychange"));
"""
BANNER = """
from flaggate.models import Flag
flag = Flag.objects.get(key="banner")
flag.client_visible = True
flag.save()
"""


@pytest.fixture(scope="module")
def shop(seeded: Path) -> Iterator[str]:
    manage(seeded, "shell", "--verbosity=0", "-c", BANNER)
    with served(seeded) as shop:
        yield shop


def last_post(page: Page) -> Locator:
    return page.get_by_text("The last post has not gone yet")


def run(page: Page, script: str, argument: Any = None) -> Any:
    """Run the body of an async function to which the module is given."""
    module = f"const {{ Flags, flags }} = await import({MODULE!r});"
    return page.evaluate(f"async (given) => {{ {module} {script} }}", argument)


def test_the_answers_are_in_the_page(shop: str, page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.method))
    page.goto(shop)
    expect(last_post(page)).to_be_visible()
    asked = """return [
        flags.isActive("last_post"), flags.variant("last_post"), flags.value("last_post"),
        flags.isActive("new_checkout"), flags.variant("new_checkout"),
        flags.value("new_checkout", 10), flags.isActive("constructor"),
    ]"""
    assert run(page, asked) == [True, "on", True, False, None, 10, False]
    banner = run(page, 'return [flags.variant("banner"), flags.value("banner")]')
    assert banner[0] in ("none", "spring", "free_shipping")
    assert ("headline" in banner[1]) is (banner[0] != "none")
    assert set(requests) == {"GET"}


def test_an_open_page_sees_a_flag_flip(shop: str, page: Page, seeded: Path) -> None:
    page.goto(shop)
    expect(last_post(page)).to_be_visible()
    run(
        page,
        """
        window.heard = [];
        flags.addEventListener("change", ({ detail }) => heard.push(...detail));
        """,
    )
    manage(seeded, "flags", "disable", "last_post")
    expect(last_post(page)).to_be_hidden(timeout=SOON)
    manage(seeded, "flags", "enable", "last_post")
    expect(last_post(page)).to_be_visible(timeout=SOON)
    assert page.evaluate("heard") == ["last_post", "last_post"]


def test_nothing_new_is_a_304_and_keeps_what_was_served(shop: str, page: Page) -> None:
    page.goto(shop)
    statuses: list[int] = []
    page.on("response", lambda response: statuses.append(response.status))
    same = """
        const before = flags.value("banner");
        flags.addEventListener("change", () => { throw new Error("nothing has changed") });
        const answered = [await flags.refresh(), await flags.refresh()];
        return [...answered, flags.value("banner") === before];
    """
    assert run(page, same) == [True, True, True]
    assert 304 in statuses
    assert set(statuses) <= {200, 204, 304}


def test_what_was_used_is_reported_once_a_page(shop: str, page: Page) -> None:
    page.goto(shop)
    with page.expect_response(f"**{USAGE}") as first:
        run(page, 'flags.isActive("last_post"); flags.isActive("last_post"); flags.report()')
    assert first.value.status == 204
    assert used(first.value.request) == [{"flag": "last_post", "variant": "on"}]
    again = """
        for (const flag of ["last_post", "banner", "no_such_flag"]) flags.isActive(flag);
        return flags.variant("banner");
    """
    variant = run(page, again)
    with page.expect_response(f"**{USAGE}") as last:
        page.evaluate(LEAVE)
    assert last.value.status == 204
    assert used(last.value.request) == [{"flag": "banner", "variant": variant}]


def used(request: Request) -> Any:
    return request.post_data_json["used"]


def test_without_a_server_the_last_answers_stay(shop: str, browser: Browser) -> None:
    page = browser.new_page()  # the console of this one may tell of the failure
    page.goto(shop)
    page.route("**/ofrep/**", lambda route: route.abort())
    assert run(page, 'return [await flags.refresh(), flags.isActive("last_post")]') == [False, True]


def test_a_page_that_is_refused_ends_its_watch(shop: str, browser: Browser) -> None:
    page = browser.new_page()  # the console of this one may tell of the refusal
    page.goto(shop)
    still = """
        const { fetch } = window;
        let asked = 0;
        window.fetch = (...given) => (asked++, fetch(...given));
        new Flags({ evaluate: "/ofrep/v1/evaluate/flags" }).watch(0.05); // without its token
        const after = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
        for (let times = 0; times < 20; times++) {
            const before = asked;
            await after(1);
            if (asked && asked === before) return true;
        }
        return false;
    """
    assert run(page, still)


def test_a_page_without_flags_asks_nobody(shop: str, page: Page) -> None:
    page.goto(shop)
    assert run(page, "return new Flags().refresh()") is False
