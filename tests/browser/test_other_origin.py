"""A page of another origin, with django-cors-headers set up as the how-to says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.example_project.shop import ROOT, eventually, manage, served

pytestmark = pytest.mark.browser

STATIC = ROOT / "flaggate/static/flaggate"
KEY = """
from flaggate.api import keys
print(keys.create("website", ["evaluate:client"]).secret)
"""
ASK = """async ([shop, headers]) => {
    const ask = (more) => fetch(shop + "/ofrep/v1/evaluate/flags", {
        method: "POST",
        headers: { ...headers, ...more, "Content-Type": "application/json" },
        body: '{"context": {"targetingKey": "1"}}',
    });
    const first = await ask();
    const etag = first.headers.get("ETag");
    const again = await ask({ "If-None-Match": etag });
    const keys = (await first.json()).flags.map(({ key }) => key);
    return [first.status, keys.includes("last_post"), again.status];
}"""
FOLLOW = """async ([shop, headers]) => {
    const { Flags } = await import("/flags.js");
    window.flags = new Flags({
        evaluate: shop + "/ofrep/v1/evaluate/flags",
        usage: shop + "/flaggate/v1/usage",
        headers,
    });
    flags.context = { targetingKey: "1" };
    flags.watch(3600);
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another origin, with a page and a copy of the module."""
    directory = tmp_path_factory.mktemp("site")
    (directory / "index.html").write_text("<!doctype html><link rel=icon href=data:,>")
    (directory / "flags.js").write_bytes((STATIC / "flags.js").read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory)))
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def secret(seeded: Path) -> str:
    return manage(seeded, "shell", "--verbosity=0", "-c", KEY).strip()


@pytest.fixture(scope="module")
def shop(seeded: Path, site: str) -> Iterator[str]:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.browser.cors_settings", "ALLOWED_ORIGIN": site}
    with served(seeded, "uvicorn", **settings) as shop:
        yield shop


@pytest.mark.parametrize(
    ("header", "prefix"), [("Authorization", "Bearer "), ("X-API-Key", "")], ids=["bearer", "key"]
)
def test_a_page_of_an_allowed_origin_asks_with_a_key_and_reads_the_etag(
    page: Page, site: str, shop: str, secret: str, header: str, prefix: str
) -> None:
    page.goto(site)
    assert page.evaluate(ASK, [shop, {header: prefix + secret}]) == [200, True, 304]


def test_a_page_of_any_other_origin_may_not(
    browser: Browser, site: str, shop: str, secret: str
) -> None:
    page = browser.new_page()  # the console of this one tells of the refusal
    page.goto(site.replace("127.0.0.1", "localhost"))
    refused = f"(given) => ({ASK})(given).catch(({{ name }}) => name)"
    given = [shop, {"Authorization": f"Bearer {secret}"}]
    assert page.evaluate(refused, given) == "TypeError"
    page.close()


def test_the_module_follows_the_stream_and_reports_from_another_origin(
    page: Page, site: str, shop: str, secret: str, seeded: Path
) -> None:
    def active() -> bool:
        return bool(page.evaluate('flags.isActive("last_post")'))

    page.goto(site)
    with page.expect_event("request", lambda each: "/ofrep/v1/stream" in each.url):
        page.evaluate(FOLLOW, [shop, {"Authorization": f"Bearer {secret}"}])
    assert active()
    manage(seeded, "flags", "disable", "last_post")
    eventually(lambda: not active())
    with page.expect_response("**/flaggate/v1/usage") as reported:
        page.evaluate("flags.report()")
    assert reported.value.status == 204
