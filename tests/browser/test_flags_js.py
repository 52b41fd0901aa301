"""``flags.js`` on a page of the shop, whose policy forbids whatever is inline or from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from tests.example_project.shop import eventually, manage, served

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


# --- By event stream ------------------------------------------------------------------------

# The page's flags once more, which poll once an hour, and whose connections are noted.
FOLLOW = """
window.connections = [];
window.EventSource = class extends EventSource {
    constructor(...given) { super(...given); connections.push(this); }
};
window.heard = [];
const told = JSON.parse(document.getElementById("flaggate-flags").textContent);
window.own = new Flags(told);
own.addEventListener("change", ({ detail }) => heard.push(...detail));
window.end = own.watch(given ?? 3600);
"""
OPEN = "connections.some(({ readyState }) => readyState === EventSource.OPEN)"
ALL_CLOSED = "connections.every(({ readyState }) => readyState === EventSource.CLOSED)"
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def asgi_shop(seeded: Path, shop: str) -> Iterator[str]:
    """The same shop, where streams can be had; its own script is left out, because it polls."""
    with served(seeded, "uvicorn") as shop:
        yield shop


@pytest.fixture
def quiet(page: Page, asgi_shop: str) -> Page:
    page.route("**/shop/shop.js", lambda route: route.fulfill(content_type="text/javascript"))
    page.goto(asgi_shop)
    return page


def until(page: Page, condition: str) -> None:
    """Wait; the driver's own way of waiting is refused by the page's policy."""
    eventually(lambda: bool(page.evaluate(condition)), seconds=SOON / 1000)


def test_a_stream_tells_an_open_page_of_a_flip(quiet: Page, seeded: Path) -> None:
    run(quiet, FOLLOW)
    until(quiet, OPEN)
    with quiet.expect_request("**/ofrep/v1/evaluate/flags?flagConfigEtag=*"):
        manage(seeded, "flags", "disable", "last_post")
    until(quiet, "heard.length === 1")
    manage(seeded, "flags", "enable", "last_post")
    until(quiet, "heard.length === 2")
    assert quiet.evaluate('[heard, own.isActive("last_post"), connections.length]') == [
        ["last_post", "last_post"],
        True,
        1,
    ]


def test_a_page_that_listens_does_not_poll(quiet: Page) -> None:
    run(quiet, "window.setInterval = (look) => { window.look = look; return 1; };" + FOLLOW)
    until(quiet, OPEN)
    asked = """() => {
        let asked = 0;
        window.fetch = () => { asked++; return new Promise(() => {}); };
        look();
        const listening = asked;
        end();
        look();
        return [listening, asked];
    }"""
    assert quiet.evaluate(asked) == [0, 1]


def test_a_page_polls_where_the_stream_fails_and_tries_it_again(
    browser: Browser, asgi_shop: str, seeded: Path
) -> None:
    page = browser.new_page()  # the console of this one may tell of the failures
    page.route("**/shop/shop.js", lambda route: route.fulfill(content_type="text/javascript"))
    page.route("**/ofrep/v1/stream**", lambda route: route.abort())
    page.goto(asgi_shop)
    run(page, FOLLOW, 0.2)
    until(page, "connections.length > 0")
    for command, times in (("disable", 1), ("enable", 2)):
        manage(seeded, "flags", command, "last_post")
        until(page, f"heard.length === {times}")
    page.unroute("**/ofrep/v1/stream**")
    until(page, OPEN)
    page.context.close()


def test_a_page_that_is_hidden_for_long_hangs_up_until_it_is_seen_again(quiet: Page) -> None:
    def impatient(route: Route) -> None:
        answer = route.fetch()
        document = answer.json()
        document["eventStreams"][0]["inactivityDelaySec"] = 0.1
        route.fulfill(response=answer, json=document)

    quiet.route("**/ofrep/v1/evaluate/flags", impatient)
    run(quiet, FOLLOW)
    until(quiet, OPEN)
    quiet.evaluate(HIDE, True)
    until(quiet, ALL_CLOSED)
    with quiet.expect_request("**/ofrep/v1/evaluate/flags") as asked:
        quiet.evaluate(HIDE, False)
    assert "if-none-match" not in asked.value.headers
    until(quiet, OPEN)


def test_whoever_ends_the_watch_hangs_up(quiet: Page) -> None:
    run(quiet, FOLLOW)
    until(quiet, OPEN)
    quiet.evaluate("end()")
    assert quiet.evaluate(ALL_CLOSED)


def test_a_page_may_do_without_the_stream(quiet: Page) -> None:
    with quiet.expect_response("**/ofrep/v1/evaluate/flags") as answer:
        run(quiet, FOLLOW.replace("given ?? 3600", "0.2, { stream: false }"))
    assert "eventStreams" in answer.value.json()
    assert quiet.evaluate("connections.length") == 0
