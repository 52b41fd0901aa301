"""Aligned text for people."""

import pytest

from flaggate.management import tables

HEADER = ("KEY", "STATE", "OWNER")


def table(*rows, width=None):
    return list(tables.table(HEADER, rows, wrap=1, width=width))


def test_columns_are_as_wide_as_their_widest_cell():
    assert table(("a", "off", "Ada"), ("long_key", "on for everyone", "Bo")) == [
        "KEY       STATE            OWNER",
        "a         off              Ada",
        "long_key  on for everyone  Bo",
    ]


def test_a_column_without_content_is_left_out():
    assert table(("a", "off", ""), ("b", "on", "")) == ["KEY  STATE", "a    off", "b    on"]


def test_one_column_is_wrapped_to_make_lines_fit():
    lines = table(("a", "on for segment beta_testers, then 5 %", "Ada"), width=33)
    assert lines == [
        "KEY  STATE                  OWNER",
        "a    on for segment         Ada",
        "     beta_testers, then 5",
        "     %",
    ]


def test_nothing_is_wrapped_where_nobody_looks():
    assert len(table(("a", "on " * 100, "Ada"))) == 2


def test_a_narrow_terminal_leaves_a_readable_column():
    lines = table(("a" * 50, "on for segment beta_testers", "Ada"), width=40)
    assert lines[1].split() == ["a" * 50, "on", "for", "segment", "Ada"]


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a \x1b b", "a\u202eb", "a \ud800 b"], ids=ascii)
def test_a_cell_is_one_line_and_steers_no_terminal(text):
    assert tables.line(text) == "a b"


def test_names_and_texts_are_aligned_and_empty_ones_left_out():
    entries = [("kind", "release"), ("owner", ""), ("expires on", "Monday")]
    assert list(tables.pairs(entries)) == ["  kind        release", "  expires on  Monday"]


def test_nothing_at_all_is_no_line():
    assert list(tables.pairs([])) == []
