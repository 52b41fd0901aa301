from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from flaggate.admin.roundtrip import lines, survives
from flaggate.models import Flag

NOON = datetime(2026, 12, 25, 12, tzinfo=UTC)
EAST = timezone(timedelta(hours=9))
END = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(-timedelta(hours=9)))

SAME = [
    ("active_from", NOON, NOON.replace(microsecond=7)),
    ("active_from", NOON, NOON.astimezone(EAST)),
    ("active_from", "2026-12-25T12:00:00.5+00:00", "2026-12-25T21:00:00+09:00"),
    ("active_from", None, None),
    ("active_from", END, END.replace(microsecond=0)),
    ("description", "a\nb", "a\r\nb"),
    ("description", " a ", "a"),
    ("tags", ["a,b", " c"], ["a", "b", "c"]),
    ("enabled", True, True),
]
OTHERS = [
    ("active_from", NOON, NOON.replace(second=1)),
    ("active_from", NOON, None),
    ("description", "a b", "ab"),
    ("description", "a", "A"),
    ("tags", ["a"], ["a", "b"]),
    ("percentage", 5, 6),
    ("enabled", True, False),
]


@pytest.mark.parametrize(("name", "one", "other"), SAME)
def test_a_form_can_not_tell_these_apart(name, one, other):
    assert survives(Flag._meta.get_field(name), one, other)


@pytest.mark.parametrize(("name", "one", "other"), OTHERS)
def test_a_form_can_tell_these_apart(name, one, other):
    assert not survives(Flag._meta.get_field(name), one, other)


def test_lines_end_as_they_are_stored():
    assert lines("a\r\nb\nc\r\n") == "a\nb\nc\n"
