"""The Python samples of README.md and docs/ run, page by page, from top to bottom.

A page may prepare and check what its readers need not see, in a comment that does not show:
`<!-- invisible-code-block: python`, code, `-->`. `<!-- skip: next -->` leaves one sample out.
"""

import re
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from sybil import Document, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from flaggate.middleware import FlagsMiddleware
from tests.browser.screens import PICTURES

ROOT = Path(__file__).parent.parent

IMAGES = ROOT / "docs" / "images"
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")

samples = Sybil(parsers=[PythonCodeBlockParser(), SkipParser()])


def pages():
    """Find the pages that have samples."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path for path in paths if any(samples.parse(path).examples())]


@pytest.fixture
def names(admin_user):
    """The names that every sample may use."""
    request = RequestFactory().get("/")
    request.user = admin_user
    FlagsMiddleware(lambda request: HttpResponse())(request)
    return {
        "__name__": "docs",
        "INSTALLED_APPS": [],
        "MIDDLEWARE": [],
        "request": request,
        "user": admin_user,
    }


def run(page: Document) -> int:
    examples = list(page.examples())
    for example in examples:
        example.evaluate()
    return len(examples)


@pytest.mark.django_db
@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_samples_run(path, names):
    page = samples.parse(path)
    page.namespace.update(names)
    assert run(page)


def images():
    """Find what the pages show: (alternative text, path)."""
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for alternative, path in IMAGE.findall(page.read_text()):
            yield alternative, (page.parent / path).resolve()


def test_every_image_is_shown_and_every_one_that_is_shown_exists():
    assert {path for _alternative, path in images()} == set(IMAGES.iterdir())


def test_every_image_is_made_by_make_screenshots():
    assert {path.name for path in IMAGES.iterdir()} == {f"{name}.png" for name in PICTURES}


def test_every_image_says_what_is_seen():
    assert [path.name for alternative, path in images() if len(alternative) < 40] == []
