"""`manage.py seed` adds what is missing, and nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.example_project.shop import manage


def contents(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def ask(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_a_second_time_changes_nothing(database: Path) -> None:
    before = contents(database)

    manage(database, "seed")

    assert contents(database) == before


def test_what_an_operator_changed_stays(database: Path) -> None:
    manage(database, "flags", "rollout", "new_checkout", "5")
    before = contents(database)

    manage(database, "seed")

    assert contents(database) == before


def test_a_deleted_flag_stays_deleted(database: Path) -> None:
    manage(
        database,
        "shell",
        "-c",
        "from flaggate.models import Flag; Flag.objects.get(key='gift_wrap').delete()",
    )

    manage(database, "seed")

    assert ask(database, "SELECT 1 FROM flaggate_flag WHERE key = 'gift_wrap'") == []


def test_every_flag_and_segment_has_its_revision(seeded: Path) -> None:
    flags = ask(seeded, "SELECT key FROM flaggate_flag")
    segments = ask(seeded, "SELECT key FROM flaggate_segment")

    assert len(flags) == 13
    assert len(segments) == 4
    assert sorted(ask(seeded, "SELECT key FROM flaggate_revision")) == sorted(flags + segments)


def test_without_flags_the_shop_is_yours_to_begin(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    manage(database, "migrate", "--verbosity=0")

    manage(database, "seed", "--no-flags")

    assert ask(database, "SELECT COUNT(*) FROM flaggate_flag") == [(0,)]
    assert ask(database, "SELECT COUNT(*) FROM shop_product") == [(14,)]


def test_the_operator_may_change_flags_and_is_no_superuser(seeded: Path) -> None:
    operator = ask(seeded, "SELECT is_staff, is_superuser FROM auth_user WHERE username = 'olivia'")

    assert operator == [(1, 0)]
