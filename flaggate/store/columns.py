"""Stored columns, selected raw and read one value at a time.

Without the converters of model fields: one of those that raises on a value that somebody wrote by
SQL would take the rest of its table down with it. The readers raise ValueError.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connections

from flaggate.core import bucketing
from flaggate.core.messages import Message

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import Model

Row = tuple[Any, ...]


def grouped(
    using: str,
    model: type[Model],
    columns: str,
    only: Collection[int] | None = None,
    column: str = "flag_id",
) -> dict[Any, list[Row]]:
    """Select rows by their first column, which is left out of them."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in select(using, model, columns, column, only):
        groups[row[0]].append(row[1:])
    return groups


def select(
    using: str,
    model: type[Model],
    columns: str,
    column: str = "id",
    only: Collection[int] | None = None,
    *,
    chunked: bool = False,
) -> Iterator[Row]:
    """Select columns raw, in the order of their ids, perhaps only some rows.

    ``chunked`` leaves on the server what has not been asked for yet: for tables with many rows.
    """
    connection = connections[using]
    quote = connection.ops.quote_name
    fields = [model._meta.get_field(name.removesuffix("_id")) for name in columns.split()]
    table = quote(model._meta.db_table)
    names = ", ".join(_expression(connection, table, each) for each in fields)
    # Names of our own tables and columns, and nothing that anybody sends.
    sql = f"SELECT {names} FROM {table}"  # noqa: S608  # nosec
    parameters: list[int] = []
    if only is not None:
        if not only:
            return
        parameters = list(only)
        sql += f" WHERE {quote(column)} IN ({', '.join(['%s'] * len(parameters))})"
    with _cursor(connection, chunked) as cursor, _any_bytes(connection):
        cursor.execute(f"{sql} ORDER BY {quote('id')}", parameters)
        while rows := cursor.fetchmany(2000):
            yield from rows


def _cursor(connection: Any, chunked: bool) -> Any:
    # A connection pooler between transactions loses the server's cursors: see Django's settings.
    if chunked and not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return connection.chunked_cursor()
    return connection.cursor()


@contextmanager
def _any_bytes(connection: Any) -> Iterator[None]:
    """Let SQLite return texts that are no UTF-8, which would raise in the middle of a table."""
    if connection.vendor != "sqlite":
        yield
        return
    before = connection.connection.text_factory
    connection.connection.text_factory = _lenient
    try:
        yield
    finally:
        connection.connection.text_factory = before


_lenient = partial(str, encoding="utf-8", errors="surrogateescape")


def _expression(connection: Any, table: str, model_field: Any) -> str:
    # With its table: SQLite takes the quoted name alone, of a column that is missing, for a text.
    column = f"{table}.{connection.ops.quote_name(model_field.column)}"
    # SQLite's driver converts by a column's declared type, and an expression has none. It would
    # raise on what is no date, and take whatever is not 1 for false.
    return f"+{column}" if connection.vendor == "sqlite" else column


def text(value: Any, name: str) -> str:
    """Read a text that UTF-8 can express."""
    if not isinstance(value, str) or (not value.isascii() and bucketing.encode(value) is None):
        raise ValueError(Message("%(name)s: %(value)r is no text.", name=name, value=value))
    return value


def boolean(value: Any, name: str) -> bool:
    """Read true or false, however the database writes them."""
    if value not in (0, 1):
        raise ValueError(
            Message("%(name)s: %(value)r is neither true nor false.", name=name, value=value)
        )
    return bool(value)


def integer(value: Any, name: str) -> int:
    """Read a whole number."""
    if not isinstance(value, int):
        raise ValueError(Message("%(name)s: %(value)r is no whole number.", name=name, value=value))
    return value


def percentage(value: Any, name: str) -> Decimal:
    """Read a percentage."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError(
            Message("%(name)s: %(value)r is no number.", name=name, value=value)
        ) from None


def moment(value: Any, name: str) -> datetime | None:
    """Read a moment, aware; the databases keep UTC."""
    if value is None:
        return None
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(
            Message("%(name)s: %(value)r is no date and time.", name=name, value=value)
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def duration(value: Any, name: str) -> timedelta | None:
    """Read a duration; some databases keep microseconds."""
    if value is None or isinstance(value, timedelta):
        return value
    return timedelta(microseconds=integer(value, name))


def parsed(value: Any, name: str) -> Any:
    """Read JSON."""
    try:
        return json.loads(value)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(Message("%(name)s: holds no valid JSON.", name=name)) from None
