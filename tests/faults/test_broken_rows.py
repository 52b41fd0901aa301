"""Whatever SQL wrote into any column of any table, only the flag that owns the row may suffer."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.databases import SharedDatabase

pytestmark = pytest.mark.database

# How many of the values the database takes: SQLite has no types.
TAKEN = {"sqlite": 700, "postgresql": 250, "mysql": 300}


def test_a_value_of_any_kind_in_any_column_hurts_no_other_flag(
    shared_database: SharedDatabase,
) -> None:
    printed = shared_database.run("from tests.faults import spoiling\nspoiling.run()")
    *complaints, spoilt = printed.splitlines()
    assert not complaints
    assert int(spoilt) > TAKEN[connection.vendor]


if connection.vendor == "sqlite":  # the others have a type for it

    def test_a_state_row_that_can_not_be_read_leaves_the_last_known_flags(
        shared_database: SharedDatabase,
    ) -> None:
        printed = shared_database.run(
            """
            from django.db import connection
            changes.create("x", enabled=True)
            say(flaggate.is_active("x"))
            connection.cursor().execute("UPDATE flaggate_state SET epoch = 'garbage'")
            store._due = 0
            say(flaggate.is_active("x"), flaggate.status().source)
            """
        )
        assert printed.splitlines() == ["True", "True last known good"]
