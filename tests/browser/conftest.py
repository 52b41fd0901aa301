"""A Chromium, and a shop that two processes serve from one database."""

from __future__ import annotations

import faulthandler
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.example_project.shop import manage

FORGET = """
from flaggate.models import Flag, Prerequisite, Tombstone
Prerequisite.objects.filter(required__key="new_checkout").delete()
Flag.objects.filter(key="new_checkout").delete()
Tombstone.objects.all().delete()
"""
PATIENCE = 300  # seconds; the longest test takes one minute
CHROMIUM = os.environ.get("FLAGGATE_TEST_CHROMIUM") or shutil.which("chromium") or ""


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """End the process of a test that hangs: what is evaluated in a page has no other timeout."""
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose console must stay empty: a refused script or style would speak there."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop as it comes; the tests of a module share it."""
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite3"
    manage(path, "migrate", "--verbosity=0")
    manage(path, "seed")
    return path


@pytest.fixture
def database(seeded: Path, tmp_path: Path) -> Path:
    """A copy of the seeded shop, before anybody thought of a new checkout."""
    path = Path(shutil.copy(seeded, tmp_path))
    manage(path, "shell", "--verbosity=0", "-c", FORGET)
    return path
