"""A stored value is read as what it is, or refused with the name of its column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from flaggate.models import Flag, Variant
from flaggate.store import columns
from tests.fixtures import layouts, released

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SUMMER_TIME = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("read", "stored", "expected"),
    [
        (columns.text, "", ""),
        (columns.text, "plain", "plain"),
        (columns.text, "é", "é"),
        (columns.boolean, 0, False),
        (columns.boolean, 1, True),
        (columns.boolean, True, True),
        (columns.integer, -1, -1),
        (columns.percentage, 5, Decimal(5)),
        (columns.percentage, 33.333, Decimal("33.333")),
        (columns.percentage, Decimal("0.001"), Decimal("0.001")),
        (columns.moment, None, None),
        (columns.moment, NOON, NOON),
        (columns.moment, "2026-05-04 12:00:00", NOON),
        (columns.moment, NOON.replace(tzinfo=None), NOON),
        (columns.moment, NOON.astimezone(SUMMER_TIME), NOON),
        (columns.duration, None, None),
        (columns.duration, timedelta(days=1), timedelta(days=1)),
        (columns.duration, 1_500_000, timedelta(seconds=1.5)),
        (columns.parsed, '{"n": [1, 1.0, true, null]}', {"n": [1, 1.0, True, None]}),
    ],
)
def test_it_is_read(read: Callable[..., Any], stored: object, expected: object) -> None:
    found = read(stored, "column")
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("read", "stored", "why"),
    [
        (columns.text, None, "is no text"),
        (columns.text, 5, "is no text"),
        (columns.text, b"bytes", "is no text"),
        (columns.text, "\udcff", "is no text"),
        (columns.boolean, None, "is neither true nor false"),
        (columns.boolean, 2, "is neither true nor false"),
        (columns.boolean, "1", "is neither true nor false"),
        (columns.integer, 7.0, "is no whole number"),
        (columns.integer, "7", "is no whole number"),
        (columns.percentage, None, "is no number"),
        (columns.percentage, "garbage", "is no number"),
        (columns.moment, "garbage", "is no date and time"),
        (columns.moment, "2026-13-45 99:99:99", "is no date and time"),
        (columns.moment, -1, "is no date and time"),
        (columns.duration, "garbage", "is no whole number"),
        (columns.parsed, None, "holds no valid JSON"),
        (columns.parsed, '{"a"', "holds no valid JSON"),
        (columns.parsed, "[" * 100_000, "holds no valid JSON"),
    ],
)
def test_it_is_refused(read: Callable[..., Any], stored: object, why: str) -> None:
    with pytest.raises(ValueError, match=f"^column: .*{why}") as refused:
        read(stored, "column")
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize("hour", ["12:00:00+02:00", "12:00:00Z"])
def test_a_moment_that_says_its_zone_keeps_it(hour: str) -> None:
    assert columns.moment(f"2026-05-04T{hour}", "column") == datetime.fromisoformat(
        f"2026-05-04T{hour}"
    )


# --- rows ---


@pytest.fixture
def pks(db: None) -> list[int]:
    """The ids of three flags, whose order is neither that of their keys nor that of asking."""
    return [released(key).pk for key in ("b", "c", "a")]


def selected(*arguments: Any, **options: Any) -> list[Any]:
    return list(columns.select("default", Flag, "id key", *arguments, **options))


@pytest.mark.database
def test_rows_come_in_the_order_of_their_ids(pks: list[int]) -> None:
    assert selected() == list(zip(pks, "bca", strict=True))


@pytest.mark.database
def test_only_the_named_rows_come(pks: list[int]) -> None:
    assert selected("id", [pks[2], pks[0]]) == [(pks[0], "b"), (pks[2], "a")]


@pytest.mark.database
def test_for_no_rows_nothing_is_asked(pks: list[int]) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert selected("id", []) == []
    assert len(queries) == 0


@pytest.mark.database
def test_all_rows_come_however_many_there_are(db: None) -> None:
    Flag.objects.bulk_create(Flag(key=f"flag_{number}") for number in range(2001))
    assert len(selected()) == 2001


@pytest.mark.database
def test_groups_have_the_rows_of_each_owner_without_its_id(db: None) -> None:
    first, second = layouts("first"), layouts("second")
    assert columns.grouped("default", Variant, "flag_id key weight") == {
        flag.pk: [("compact", 1), ("wide", 0)] for flag in (first, second)
    }
    only = columns.grouped("default", Variant, "flag_id key", [second.pk])
    assert only == {second.pk: [("compact",), ("wide",)]}


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was asked for a cursor that stays on the server."""
    asked: list[str] = []
    chunked = connection.chunked_cursor

    def counted() -> Any:
        asked.append(connection.alias)
        return chunked()

    monkeypatch.setattr(connections["default"], "chunked_cursor", counted)
    return asked


@pytest.mark.database
def test_only_a_chunked_selection_leaves_rows_on_the_server(
    pks: list[int], chunks: list[str]
) -> None:
    selected()
    assert not chunks
    assert len(selected(chunked=True)) == 3
    assert len(chunks) == 1


@pytest.mark.database
def test_behind_a_pooler_that_loses_its_cursors_nothing_is_left_on_the_server(
    pks: list[int], chunks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    assert len(selected(chunked=True)) == 3
    assert not chunks


if connection.vendor == "sqlite":

    @pytest.mark.parametrize("column", ["enabled", "active_from", "percentage"])
    def test_what_does_not_fit_its_column_comes_as_it_is_stored(
        pks: list[int], column: str
    ) -> None:
        Flag.objects.filter(key="b").delete()
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE flaggate_flag SET {column} = 'garbage'")
        assert list(columns.select("default", Flag, column)) == [("garbage",)] * 2

    def test_a_text_that_is_no_utf8_stops_no_other_row(pks: list[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE flaggate_flag SET key = CAST(x'ff' AS TEXT) WHERE key = 'b'")
        assert selected() == [(pks[0], "\udcff"), (pks[1], "c"), (pks[2], "a")]

    def test_afterwards_the_connection_reads_texts_as_it_did(pks: list[int]) -> None:
        rows = columns.select("default", Flag, "id key")
        next(rows)
        rows.close()
        assert connection.connection.text_factory is str
