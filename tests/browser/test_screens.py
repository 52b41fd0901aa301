"""Every own screen of admin: axe, focus, and the width of a phone; and pictures of some.

Stock admin has violations of its own, and our pages are made of its parts. One is put down to it
when it lies in a part that Django's templates and scripts write, and when a page of stock admin,
of the Django that is installed, breaks the same rule in the same part. All others are ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import django
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image, ImageChops
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import frozen
from tests.browser.screens import PICTURES, SCREENS, VISITS, log_in
from tests.example_project.shop import manage, served

pytestmark = pytest.mark.browser

STOCK_PAGES = (
    *("auth/", "auth/user/", "auth/user/1/change/", "auth/group/", "auth/group/1/change/"),
    "auth/group/1/delete/",
)
STOCK_PARTS = (
    ".breadcrumbs",
    "#changelist-filter",
    "#changelist-search",
    ".inline-group th.original",
    ".select2-container",
    ".vDateField",
    ".vTimeField",
)
MENDED = {".breadcrumbs", ".vDateField", ".vTimeField"}  # whole since Django 6.0
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASK = """
async ([tags, parts]) => {
  // Ended, and not waited for: a page that is not in front may never draw their last frame.
  document.getAnimations().forEach((each) => each.finish());
  const rules = {"target-size": {enabled: true}};
  const {violations} = await axe.run({runOnly: tags, rules});
  const partOf = (target) =>
    parts.find((part) => document.querySelector(target).closest(part)) ?? null;
  return violations.flatMap(({id, nodes}) =>
    nodes.map(({target: [target]}) => [id, partOf(target), target])
  );
}
"""
IMAGES = os.environ.get("FLAGGATE_TEST_IMAGES")  # where `make screenshots` wants the pictures
COLOURS = 128
WIDTH = 1100
MOST_BYTES = 60_000
TOP = "(element) => window.scrollTo(0, element.getBoundingClientRect().top + scrollY - 8)"
NOISE = 8  # of 255: by so much Chromium draws the edge of a box differently from time to time
# What the tabulator key reaches next although it stands above and to the left, or to the left in
# the same line; but for stock admin's marks of sorting, which float, and its filters, which stand
# on the right and, from Django 6.1 on, first.
STEPS_BACK = """
() => {
  const reached = "#content :is(a[href], button, input, select, textarea, summary)";
  const shown = (each) => each.checkVisibility() && !each.disabled && each.tabIndex >= 0;
  const boxes = [...document.querySelectorAll(reached)]
    .filter((each) => shown(each) && !each.closest(".sortoptions, #changelist-filter"))
    .map((each) => [each, each.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1);
  const back = (from, to) => to.right <= from.left && to.top < from.bottom;
  return boxes
    .filter(([, box], place) => place && back(boxes[place - 1][1], box))
    .map(([each]) => each.outerHTML.slice(0, 120));
}
"""
CLOSED_SIDEBAR = "localStorage.setItem('django.admin.navSidebarIsOpen', 'false')"

Found = tuple[str, str | None]  # a rule of axe, and the part of stock admin where it is broken


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[BrowserContext]:
    """A browser that is logged in to the seeded shop, at a moment that does not pass."""
    path: Path = tmp_path_factory.mktemp("screens") / "shop.sqlite3"
    script = Path(frozen.__file__)
    manage(path, "migrate", "--verbosity=0", script=script)
    manage(path, "seed", script=script)
    with served(path, script=script) as address:
        size: Any = {"width": WIDTH, "height": 800}
        context = browser.new_context(base_url=address, viewport=size, timezone_id="UTC")
        context.add_init_script(CLOSED_SIDEBAR)
        log_in(context.new_page()).close()
        yield context
        context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture(scope="module", params=SCREENS)
def screen(request: pytest.FixtureRequest, context: BrowserContext) -> Iterator[Page]:
    """Each of our screens in turn, for all that is asked of it."""
    page = context.new_page()
    SCREENS[request.param](page)
    yield page
    page.close()


@pytest.fixture(scope="module")
def baseline(context: BrowserContext) -> set[Found]:
    """What stock admin breaks, and where."""
    page, found = context.new_page(), set()
    for path in STOCK_PAGES:
        page.goto(f"/admin/{path}")
        for scheme in ("light", "dark"):
            found |= {(rule, part) for rule, part, _target in violations(page, scheme)}
    page.close()
    return {(rule, part) for rule, part in found if part}


def violations(page: Page, scheme: Any) -> list[tuple[str, str | None, str]]:
    """Return what axe finds in a page: rule, part of stock admin or None, and a selector."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(AXE_SCRIPT)
    return [tuple(each) for each in page.evaluate(ASK, [TAGS, STOCK_PARTS])]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_our_own_markup(
    screen: Page, baseline: set[Found], scheme: str
) -> None:
    assert [each for each in violations(screen, scheme) if each[:2] not in baseline] == []


def test_focus_goes_the_way_of_the_eye(screen: Page) -> None:
    assert screen.evaluate(STEPS_BACK) == []


def test_it_is_no_wider_than_a_phone(screen: Page) -> None:
    screen.set_viewport_size({"width": 400, "height": 800})
    assert screen.evaluate("document.documentElement.scrollWidth") <= 400
    screen.set_viewport_size({"width": WIDTH, "height": 800})


def test_stock_admin_has_violations_of_its_own(baseline: set[Found]) -> None:
    print("\nStock admin's own violations, by rule and part:", *sorted(baseline), sep="\n  ")
    assert baseline


def test_no_part_is_named_without_need(baseline: set[Found]) -> None:
    mended = MENDED if django.VERSION >= (6, 0) else set()
    assert {part for _rule, part in baseline} == set(STOCK_PARTS) - mended


def test_a_field_without_a_label_would_be_found(page: Page, baseline: set[Found]) -> None:
    SCREENS["ask-for-share"](page)
    page.get_by_label("Share").evaluate("(field) => field.labels[0].remove()")
    ours = [each for each in violations(page, "light") if each[:2] not in baseline]
    assert "label" in {rule for rule, _part, _target in ours}


def test_a_step_back_would_be_found(page: Page) -> None:
    SCREENS["history"](page)
    turned = "(each) => { each.style.flexDirection = 'row-reverse' }"
    page.locator(".flaggate-choose").last.evaluate(turned)
    assert len(page.evaluate(STEPS_BACK)) == 1


def test_the_pages_keep_their_strict_policy_while_axe_looks_at_them(page: Page) -> None:
    answer = page.goto("/admin/flaggate/flag/")
    assert answer
    assert "script-src 'self'" in (answer.header_value("content-security-policy") or "")


@pytest.mark.parametrize("name", PICTURES)
def test_the_docs_have_a_small_picture_of(page: Page, tmp_path: Path, name: str) -> None:
    start, height = PICTURES[name]
    page.set_viewport_size({"width": WIDTH, "height": height})
    VISITS[name](page)
    page.evaluate("document.activeElement.blur()")
    page.locator(start).first.evaluate(TOP)
    picture = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    picture = picture.quantize(COLOURS, dither=Image.Dither.NONE)
    path = Path(IMAGES or tmp_path) / f"{name}.png"
    if not looks_like(picture, path):
        picture.save(path, optimize=True)
    assert picture.size == (WIDTH, height)
    assert path.stat().st_size <= MOST_BYTES


def looks_like(picture: Image.Image, path: Path) -> bool:
    """Whether a picture is there already; but for noise, which would make a commit each time."""
    if not path.exists():
        return False
    old, new = Image.open(path).convert("RGB"), picture.convert("RGB")
    differing = ImageChops.difference(old, new).getextrema()
    return old.size == new.size and max(highest for _lowest, highest in differing) <= NOISE
