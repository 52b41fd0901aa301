"""`manage.py seed` adds what is missing, and nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.example_project.shop import manage


def contents(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def ask(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def states(seeded: Path) -> dict[str, str]:
    """What is said of each flag."""
    table = manage(seeded, "flags", "list", "--state=all").splitlines()
    return dict(line.split(maxsplit=1) for line in table)


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


def test_every_flag_and_segment_begins_with_a_revision(seeded: Path) -> None:
    flags = ask(seeded, "SELECT key FROM flaggate_flag")
    segments = ask(seeded, "SELECT key FROM flaggate_segment")
    first = "SELECT key FROM flaggate_revision WHERE version = 1 AND subject != 'key'"

    assert len(flags) == 18
    assert len(segments) == 7
    assert sorted(ask(seeded, first)) == sorted(flags + segments)


def test_what_happened_since_is_told_in_its_order(seeded: Path) -> None:
    moments = ask(seeded, "SELECT created FROM flaggate_revision ORDER BY id")

    assert moments == sorted(moments)
    assert len(set(moments)) > 10


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("new_checkout", "on for nobody"),
        ("gift_wrap", "on for everyone"),
        ("loyalty_card", "off"),
        ("autumn_collection", "scheduled"),
        ("paper_catalogue", "archived"),
        ("ink_subscription", "stage 2 of 4)"),
        ("order_tracking", "stage 2 of 3, paused)"),
        ("express_delivery", "if new_checkout is active"),
        ("address_lookup", "broken"),
    ],
)
def test_there_is_a_flag_in_every_state(states: dict[str, str], key: str, state: str) -> None:
    assert state in states[key]


def test_a_flag_that_was_mended_is_not_broken_again(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE flaggate_flag SET off_variant = 'none' WHERE off_variant = 'manual'"
        )

    manage(database, "seed")

    off = ask(database, "SELECT off_variant FROM flaggate_flag WHERE key = 'address_lookup'")
    assert off == [("none",)]


def test_customers_are_enough_to_count(seeded: Path) -> None:
    people = "SELECT COUNT(*) > 4000 FROM auth_user"
    members = "SELECT COUNT(*) > 3000 FROM flaggate_segmentmember"

    assert ask(seeded, people) == ask(seeded, members) == [(1,)]


@pytest.mark.parametrize(
    ("group", "may", "may_not"),
    [
        ("release managers", "rollout_flag", "change_flag"),
        ("support", "toggle_flag", "rollout_flag"),
        ("viewers", "view_flag", "toggle_flag"),
    ],
)
def test_each_role_may_do_its_own(seeded: Path, group: str, may: str, may_not: str) -> None:
    granted = ask(
        seeded,
        "SELECT p.codename FROM auth_permission p "
        "JOIN auth_group_permissions gp ON gp.permission_id = p.id "
        f"JOIN auth_group g ON g.id = gp.group_id WHERE g.name = '{group}'",
    )

    assert (may,) in granted
    assert (may_not,) not in granted


def test_without_flags_the_shop_is_yours_to_begin(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    manage(database, "migrate", "--verbosity=0")

    manage(database, "seed", "--no-flags")

    assert ask(database, "SELECT COUNT(*) FROM flaggate_flag") == [(0,)]
    assert ask(database, "SELECT COUNT(*) FROM shop_product") == [(14,)]


def test_the_operator_may_change_flags_and_is_no_superuser(seeded: Path) -> None:
    operator = ask(seeded, "SELECT is_staff, is_superuser FROM auth_user WHERE username = 'olivia'")

    assert operator == [(1, 0)]
