"""Spoils every column of every table in turn, by SQL; run in a process with a database of its own.

All constraints that the database can forget are taken away first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connection, transaction

import flaggate
from flaggate import changes
from flaggate.models import Flag, Rollout, Segment, Stage
from flaggate.store import status, store

VALUES: list[Any] = [
    None,
    "",
    "garbage",
    "2026-13-45 99:99:99",
    "\x01\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    -1,
    7.5,
    10**15,
    '{"a"',
    "null",
    "[" * 9000,
    b"\xff\xfe",
]

# Whatever is written here is not read by any answer; the state row is no flag's own.
SHARED = {"State"}

FORGET = {
    "sqlite": ["PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON"],
    "postgresql": [
        """
        DO $$ DECLARE found record; BEGIN
            FOR found IN SELECT conrelid::regclass AS name, conname
                FROM pg_constraint WHERE contype = 'f' LOOP
                EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.name, found.conname);
            END LOOP;
        END $$
        """
    ],
    "mysql": ["SET FOREIGN_KEY_CHECKS = 0", "SET check_constraint_checks = 0"],
}


def fill() -> None:
    """Make three flags that share nothing; each has a row in every table."""
    with changes.change():
        for name in ("first", "second", "third"):
            required = Flag.objects.create(key=f"{name}_required", enabled=True)
            audience = Segment.objects.create(key=f"{name}_people")
            audience.conditions.create(attribute="plan", operator="one_of", values=["gold"])
            audience.members.create(targeting_key="42")
            flag = Flag.objects.create(key=name, enabled=True, off_variant="b", percentage=0)
            flag.variants.create(key="a", value={"n": 1}, weight=1, order=0)
            flag.variants.create(key="b", value="off", weight=0, order=1)
            flag.rules.create(variant="a").segments.add(audience)
            flag.prerequisites.create(required=required)
            Stage.objects.create(flag=flag, percentage=0, holds=timedelta(days=1))
            Stage.objects.create(flag=flag, percentage=5, order=1)
            Rollout.objects.create(flag=flag, started_at=datetime.now(UTC))


def forget_constraints() -> None:
    """Take away what would refuse the values: types stay, where the database has any."""
    with connection.cursor() as cursor:
        for statement in FORGET[connection.vendor]:
            cursor.execute(statement)
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA writable_schema = ON")
            cursor.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '')")
            cursor.execute("PRAGMA writable_schema = RESET")
        if connection.vendor == "postgresql":
            for table, column in columns():
                if column != "id":
                    cursor.execute(f"ALTER TABLE {table} ALTER {quote(column)} DROP NOT NULL")


def columns() -> Iterator[tuple[str, str]]:
    """Find every column of every table of flaggate."""
    for model in apps.get_app_config("flaggate").get_models(include_auto_created=True):
        if model.__name__ not in SHARED:
            for field in model._meta.local_concrete_fields:
                yield model._meta.db_table, field.column


def spoil(table: str, column: str, value: object) -> bool:
    """Write a value into the first row, which is the first flag's; tell whether that was taken."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table} ORDER BY id")
        row = cursor.fetchone()
    if row is None:
        return False
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET {quote(column)} = %s WHERE id = %s", [value, row[0]]
            )
            bump(cursor)
    except (DatabaseError, ValueError):
        return False
    return True


def bump(cursor: Any) -> None:
    """Tell processes to read everything."""
    cursor.execute("UPDATE flaggate_state SET version = version + 1")


def rows_of(table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")
        return cursor.fetchall()


def put_back(table: str, rows: list[tuple[Any, ...]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")
        for row in rows:
            places = ", ".join(["%s"] * len(row))
            cursor.execute(f"INSERT INTO {table} VALUES ({places})", row)
        bump(cursor)


def complaints() -> Iterator[str]:
    """Ask everything; say what is not as it should be."""
    store._due = 0
    flags = flaggate.flags_for("42")
    for name in ("second", "third"):
        if flags.variant(name) != "a":
            yield f"{name} is {flags.evaluate(name)}"
    flags.evaluate("first")
    flags.explain("first")
    flags.all()
    if store.failures:
        yield store.error


def run() -> None:
    """Spoil everything, and print what more suffered than the flag that owns the row."""
    fill()
    forget_constraints()
    spoilt = 0
    for table, column in columns():
        before = rows_of(table)
        for value in VALUES:
            if not spoil(table, column, value):
                continue
            spoilt += 1
            for known in ("with a last good definition", "in a new process"):
                if known == "in a new process":
                    store.__init__()
                for complaint in complaints():
                    print(f"{table}.{column} = {value!r:.20}, {known}: {complaint}")
            put_back(table, before)
        store.__init__()
        if flaggate.variant("first", 42) != "a" or status().quarantined:
            print(f"{table}.{column} was not put back")
    print(spoilt)


quote = connection.ops.quote_name
