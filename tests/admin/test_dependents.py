"""Where a flag is turned off, the flags that require it are named."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flaggate import changes
from flaggate.models import Flag
from tests.admin.pages import address


def require(required, *keys):
    with changes.change():
        for key in keys:
            flag = changes.create(key, enabled=True)
            flag.prerequisites.create(required=required)


def link(key):
    return f'<a href="{address(Flag, "change", Flag.objects.get(key=key).pk)}">{key}</a>'


@pytest.fixture
def on():
    return changes.create("x", enabled=True)


@pytest.mark.parametrize("verb", ["turn-off", "archive"])
def test_the_page_that_asks_names_what_falls_with_it(ada, on, verb):
    require(on, "c", "b")
    page = ada.ask(verb, on)
    assert "Required by: b, c enabled" in page.words.replace("archived at", "enabled")
    assert f"{link('b')}, {link('c')}" in page.text


def test_of_many_flags_each_names_its_own(ada, on):
    other, off = changes.create("y", enabled=True), changes.create("z")
    require(on, "a")
    require(other, "b")
    require(off, "c")
    page = ada.ask("turn-off", on, other, off)
    assert page.words.count("Required by") == 2
    assert all(link(key) in page.text for key in "ab")


def test_the_number_of_flags_costs_no_queries(ada, on):
    def count(*flags):
        with CaptureQueriesContext(connection) as queries:
            ada.ask("turn-off", *flags)
        return len(queries)

    others = [changes.create(f"y{n}", enabled=True) for n in range(5)]
    for flag in others:
        require(flag, f"of_{flag.key}")
    count(*others)
    assert count(*others) == count(*others[:2])


@pytest.mark.parametrize("verb", ["turn-on", "share"])
def test_what_leaves_it_on_names_none(ada, verb):
    flag = changes.create("x", percentage=0)
    require(flag, "a")
    assert "Required by" not in ada.ask(verb, flag, value="5").words


def test_the_head_of_the_page_names_them(ada, on):
    require(on, "a")
    page = ada.open(on)
    assert "Required by: a" in page.words
    assert link("a") in page.text


def test_ten_are_named(ada, on):
    require(on, *(f"a{n:02}" for n in range(12)))
    assert "a08, a09 and 2 more" in ada.open(on).words


def test_what_is_in_the_archive_does_not_fall(ada, on):
    require(on, "a")
    changes.archive("a")
    assert "Required by" not in ada.open(on).words
