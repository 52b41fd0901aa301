"""Rollbacks, restores, flushes: what the database forgets, processes forget."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.serializers.base import DeserializationError
from django.db import connection, transaction

import flaggate
from flaggate import changes
from flaggate.models import Flag, State
from flaggate.store import status, store
from tests.fixtures import released, targeted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def look(key: str = "x") -> bool:
    """Ask a question that looks at the database."""
    store._due = 0
    return flaggate.is_active(key, 42)


def truncate(*tables: str) -> None:
    """Empty tables by SQL, past all signals."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
            return
        with connection.constraint_checks_disabled():
            verb = "TRUNCATE" if connection.vendor == "mysql" else "DELETE FROM"
            for table in tables:
                cursor.execute(f"{verb} {table}")


TABLES = [
    "flaggate_rule_segments",
    "flaggate_rule",
    "flaggate_condition",
    "flaggate_segmentmember",
    "flaggate_segment",
    "flaggate_flag",
]


def test_nobody_sees_what_is_rolled_back_in_the_end() -> None:
    targeted("x", ("targeting_key", "one_of", ["42"]))
    with pytest.raises(RuntimeError), transaction.atomic():
        changes.disable("x")
        with pytest.raises(KeyError), transaction.atomic():
            changes.enable("x")
            assert look()
            raise KeyError
        assert not look()
        raise RuntimeError
    assert look()


def test_an_older_database_that_is_restored_is_followed(tmp_path: Path) -> None:
    """Flags that were made after the dump are gone, and switched ones are back."""
    targeted("x", ("targeting_key", "one_of", ["42"]))
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "flaggate", output=str(dump), verbosity=0)
    changes.disable("x")
    released("later")
    assert [look("x"), look("later")] == [False, True]
    call_command("flush", verbosity=0, interactive=False)
    State.objects.all().delete()
    call_command("loaddata", str(dump), verbosity=0)
    assert [look("x"), look("later")] == [True, False]


def test_a_restored_state_row_with_its_old_version_and_token_is_another_state() -> None:
    released("x")
    assert look()
    old = State.objects.values().get()
    changes.disable("x")
    assert not look()
    with connection.cursor() as cursor:  # the whole row, and the flag, as they were
        cursor.execute("UPDATE flaggate_flag SET enabled = %s", [True])
        cursor.execute("UPDATE flaggate_state SET version = %s", [old["version"]])
    State.objects.update(token=old["token"])
    assert look()


@pytest.mark.parametrize("ways", ["flush", "truncate", "truncate all"])
def test_an_emptied_database_has_no_flags_and_takes_new_ones(ways: str) -> None:
    targeted("x", ("targeting_key", "one_of", ["42"]))
    assert look()
    if ways == "flush":
        call_command("flush", verbosity=0, interactive=False)
    else:
        truncate(*TABLES, *(["flaggate_state"] if ways == "truncate all" else []))
        if ways == "truncate":
            State.objects.update(version=0)  # what the docs ask for after SQL: another version
    assert not look()
    assert status().flags == 0
    assert status().failures == 0
    truncate("flaggate_tombstone")
    released("x")
    assert look()


def test_loaddata_is_followed_by_every_process(tmp_path: Path) -> None:
    released("x")
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "flaggate", output=str(dump), verbosity=0)
    changes.disable("x")
    seen_by_another = store.current()
    assert not look()
    call_command("loaddata", str(dump), verbosity=0, stdout=io.StringIO())
    assert look()
    assert store.snapshot.version != seen_by_another.version


def test_loaddata_that_fails_changes_nothing(tmp_path: Path) -> None:
    released("x")
    dump = tmp_path / "broken.json"
    dump.write_text('[{"model": "flaggate.flag", "pk": 1, "fields": {"key": "x", "enabled": ""}}]')
    with pytest.raises(DeserializationError, match="True or False"):
        call_command("loaddata", str(dump), verbosity=0)
    assert look()
    assert Flag.objects.get().enabled
