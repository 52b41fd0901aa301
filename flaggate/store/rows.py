"""From stored rows to definitions, row by row, so that a broken one hurts only its flag.

The columns are read raw, without the converters of model fields: one of those that raises on a
value that somebody wrote by SQL would take all other flags down with it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import DateTimeField
from django.utils.dateparse import parse_datetime

from flaggate import models
from flaggate.core import bucketing
from flaggate.core import definitions as core
from flaggate.core.definitions import Quarantined
from flaggate.core.stages import Stage, schedule

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import Model

Row = tuple[Any, ...]


MOST_CHANGED = 500  # flags or segments that are read one by one; more are read with all others


@dataclass(slots=True)
class Definitions:
    """What the rows say, and which of them can't be read.

    ``flag_tokens`` and ``segment_tokens`` hold key and token by primary key: what has the same
    token later need not be read again.
    """

    flags: dict[str, core.Flag] = field(default_factory=dict)
    segments: dict[str, core.Segment] = field(default_factory=dict)
    unreadable: dict[str, Quarantined] = field(default_factory=dict)
    unreadable_segments: dict[str, str] = field(default_factory=dict)
    flag_tokens: dict[int, tuple[str, str]] = field(default_factory=dict)
    segment_tokens: dict[int, tuple[str, str]] = field(default_factory=dict)


def read(using: str, *, flags: Collection[int] | None = None, members: bool = True) -> Definitions:
    """Read all flags and segments, or only the flags of these primary keys, or without members.

    Raises DatabaseError where the database can't be read, never for what it holds.
    """
    found = _tokens(using)
    _read_segments(using, found, None, members=members)
    _read_flags(using, found, flags)
    return found


def reread(using: str, known: Definitions) -> Definitions:
    """Read only what has another token than before, and take over the rest."""
    found = _tokens(using)
    flags = _changed(found.flag_tokens, known.flag_tokens)
    segments = _changed(found.segment_tokens, known.segment_tokens)
    if max(len(flags), len(segments)) > MOST_CHANGED:
        return read(using)
    _keep(found.flag_tokens, flags, (found.flags, known.flags))
    _keep(found.flag_tokens, flags, (found.unreadable, known.unreadable))
    _keep(found.segment_tokens, segments, (found.segments, known.segments))
    _keep(found.segment_tokens, segments, (found.unreadable_segments, known.unreadable_segments))
    _read_segments(using, found, segments, members=True)
    _read_flags(using, found, flags)
    return found


def _tokens(using: str) -> Definitions:
    return Definitions(
        flag_tokens=_tokens_of(using, models.Flag), segment_tokens=_tokens_of(using, models.Segment)
    )


def _tokens_of(using: str, model: type[Model]) -> dict[int, tuple[str, str]]:
    return {pk: (str(key), str(token)) for pk, key, token in _rows(using, model, "id key token")}


def _changed(tokens: dict[int, tuple[str, str]], known: dict[int, tuple[str, str]]) -> set[int]:
    return {pk for pk, entry in tokens.items() if known.get(pk) != entry}


def _keep(
    tokens: dict[int, tuple[str, str]], changed: set[int], entries: tuple[dict[str, Any], Any]
) -> None:
    target, known = entries
    target.update(
        (key, known[key])
        for pk, (key, _token) in tokens.items()
        if pk not in changed and key in known
    )


def _read_segments(
    using: str, found: Definitions, only: Collection[int] | None, *, members: bool
) -> None:
    conditions = _grouped(
        using,
        models.Condition,
        "segment_id attribute operator values negate ignore_case id",
        only,
        "segment_id",
    )
    memberships = (
        _grouped(
            using, models.SegmentMember, "segment_id targeting_key excluded id", only, "segment_id"
        )
        if members
        else {}
    )
    for pk, key, match in _rows(using, models.Segment, "id key match", "id", only):
        try:
            found.segments[str(key)] = _segment(
                key, match, conditions.get(pk, ()), memberships.get(pk, ())
            )
        except Exception as error:  # whatever a row holds, the others go on
            found.unreadable_segments[str(key)] = _reason(error)


def _segment(key: Any, match: Any, conditions: Any, members: Any) -> core.Segment:
    if match not in ("all", "any"):
        raise ValueError(f"match: {match!r} is neither 'all' nor 'any'.")
    return core.Segment(
        _text(key, "key"),
        match == "all",
        tuple(_condition(row) for row in conditions),
        frozenset(_member(row) for row in members if not _boolean(row[1], "excluded")),
        frozenset(_member(row) for row in members if _boolean(row[1], "excluded")),
    )


def _condition(row: Row) -> core.Condition:
    attribute, operator, values, negate, ignore_case, _id = row
    operands = _json(values, "values")
    if not isinstance(operands, list):
        raise ValueError(f"values: {operands!r} is no list.")
    return core.Condition(
        _text(attribute, "attribute"),
        _text(operator, "operator"),
        tuple(operands),
        _boolean(negate, "negate"),
        _boolean(ignore_case, "ignore_case"),
    )


def _member(row: Row) -> bytes:
    return _text(row[0], "targeting_key").encode()


def _read_flags(using: str, found: Definitions, only: Collection[int] | None) -> None:
    parts = _Parts(using, found, only)
    for row in _rows(using, models.Flag, FLAG_COLUMNS, "id", only):
        pk, key, enabled, *_rest = row
        archived_at = row[-1]
        try:
            found.flags[str(key)] = _flag(row, parts)
        except Exception as error:  # whatever a row holds, the others go on
            found.unreadable[str(key)] = Quarantined(
                _reason(error), pk in parts.variants, not enabled or bool(archived_at)
            )


FLAG_COLUMNS = (
    "id key enabled percentage salt bucket_by off_variant active_from active_until client_visible "
    "archived_at"
)


class _Parts:
    """The rows that belong to flags, by flag id."""

    def __init__(self, using: str, found: Definitions, only: Collection[int] | None) -> None:
        self.segments = found.segment_tokens
        self.flags = found.flag_tokens
        self.variants = _grouped(using, models.Variant, "flag_id key value weight order", only)
        self.rules = _grouped(using, models.Rule, "flag_id order id percentage variant", only)
        rules = None if only is None else [row[1] for rows in self.rules.values() for row in rows]
        self.rule_segments = _grouped(
            using, models.Rule.segments.through, "rule_id segment_id id", rules, "rule_id"
        )
        self.stages = _grouped(using, models.Stage, "flag_id order id percentage holds", only)
        self.rollouts = _grouped(using, models.Rollout, "flag_id started_at paused_at", only)
        self.prerequisites = _grouped(
            using, models.Prerequisite, "flag_id id required_id variant", only
        )


def _flag(row: Row, parts: _Parts) -> core.Flag:
    pk, key, enabled, percentage, salt, bucket_by, off_variant, start, end, client, archived = row
    return core.Flag(
        _text(key, "key"),
        _boolean(enabled, "enabled"),
        _percentage(percentage, "percentage"),
        _text(salt, "salt"),
        _text(bucket_by, "bucket_by"),
        _text(off_variant, "off_variant"),
        _moment(start, "active_from"),
        _moment(end, "active_until"),
        archived is not None,
        _boolean(client, "client_visible"),
        _variants(parts.variants.get(pk, ())),
        tuple(_rule(each, parts) for each in sorted(parts.rules.get(pk, ()))),
        tuple(_prerequisite(each, parts) for each in sorted(parts.prerequisites.get(pk, ()))),
        _stages(parts.rollouts.get(pk), sorted(parts.stages.get(pk, ()))),
    )


def _variants(rows: Any) -> tuple[core.Variant, ...]:
    ordered = sorted(rows, key=lambda row: (_integer(row[3], "order"), row[0]))
    return tuple(
        core.Variant(_text(key, "variant"), _json(value, "value"), _integer(weight, "weight"))
        for key, value, weight, _order in ordered
    )


def _rule(row: Row, parts: _Parts) -> core.Rule:
    _order, pk, percentage, variant = row
    # A link to a segment that is gone keeps its place, so that the rule is seen to be broken.
    segments = [
        parts.segments.get(segment, (f"#{segment}", ""))[0]
        for segment, _id in parts.rule_segments.get(pk, ())
    ]
    return core.Rule(
        tuple(sorted(segments)), _percentage(percentage, "percentage"), _text(variant, "variant")
    )


def _prerequisite(row: Row, parts: _Parts) -> core.Prerequisite:
    _id, required, variant = row
    key, _token = parts.flags.get(required, (f"#{required}", ""))
    return core.Prerequisite(key, _text(variant, "variant"))


def _stages(rollouts: list[Row] | None, rows: list[Row]) -> tuple[Stage, ...]:
    if not rollouts:
        return ()
    started_at, paused_at = rollouts[0]
    start = _moment(started_at, "started_at")
    if start is None:
        raise ValueError("started_at: is null.")
    stages = [
        (_percentage(percentage, "percentage"), _duration(holds, "holds"))
        for _order, _id, percentage, holds in rows
    ]
    return schedule(start, _moment(paused_at, "paused_at"), stages)


def _grouped(
    using: str,
    model: type[Model],
    columns: str,
    only: Collection[int] | None = None,
    column: str = "flag_id",
) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in _rows(using, model, columns, column, only):
        groups[row[0]].append(row[1:])
    return groups


def _rows(
    using: str,
    model: type[Model],
    columns: str,
    column: str = "id",
    only: Collection[int] | None = None,
) -> Iterator[Row]:
    """Select columns raw, in the order of the first one's key, perhaps only some rows."""
    connection = connections[using]
    quote = connection.ops.quote_name
    fields = [model._meta.get_field(name.removesuffix("_id")) for name in columns.split()]
    names = ", ".join(_expression(connection, each) for each in fields)
    table = quote(model._meta.db_table)
    sql = f"SELECT {names} FROM {table}"  # noqa: S608 - names of our own tables and columns
    parameters: list[int] = []
    if only is not None:
        if not only:
            return
        parameters = list(only)
        sql += f" WHERE {quote(column)} IN ({', '.join(['%s'] * len(parameters))})"
    with connection.cursor() as cursor, _any_bytes(connection):
        cursor.execute(f"{sql} ORDER BY {quote('id')}", parameters)
        while rows := cursor.fetchmany(2000):
            yield from rows


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


def _expression(connection: Any, model_field: Any) -> str:
    column: str = connection.ops.quote_name(model_field.column)
    if connection.vendor == "sqlite" and isinstance(model_field, DateTimeField):
        # SQLite's driver parses by declared type, and raises on what is no date.
        return f"CAST({column} AS TEXT)"
    return column


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or (not value.isascii() and bucketing.encode(value) is None):
        raise ValueError(f"{name}: {value!r} is no text.")
    return value


def _boolean(value: Any, name: str) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{name}: {value!r} is neither true nor false.")
    return bool(value)


def _integer(value: Any, name: str) -> int:
    if not isinstance(value, int):
        raise ValueError(f"{name}: {value!r} is no whole number.")
    return value


def _percentage(value: Any, name: str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{name}: {value!r} is no number.") from None


def _moment(value: Any, name: str) -> datetime | None:
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else parse_datetime(value)
    if moment is None:
        raise ValueError(f"{name}: {value!r} is no date and time.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _duration(value: Any, name: str) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    return timedelta(microseconds=_integer(value, name))


def _json(value: Any, name: str) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(f"{name}: holds no valid JSON.") from None
