"""What a process says of the flags that it answers from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from flaggate import changes
from flaggate.models import Flag
from flaggate.store import Status, bootstrap, status, store
from flaggate.store.freshness import Store
from tests.store.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def travel(clock: Clock) -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def test_a_new_store_knows_nothing_and_is_about_to_look() -> None:
    new = Store()
    assert (new.snapshot, new.loaded.definitions, new.checked_at) == (None, None, None)
    assert (new.error, new.failures, new.loads) == ("", 0, 0)
    assert new.due()
    assert new.current() is new.snapshot


def test_a_process_that_has_not_looked_says_so() -> None:
    assert status() == Status("defaults", None, None, None, 0, {}, 0, 0, "")
    assert status().age is None


def test_a_process_that_has_looked_says_what_it_has_found() -> None:
    changes.create("x")
    changes.create("y")
    Flag.objects.filter(key="y").update(off_variant="gone")
    snapshot = store.current()
    assert status() == Status(
        "database", snapshot.version, NOON, NOON, 1, snapshot.quarantined, 1, 0, ""
    )
    assert status().age == 0


def test_loads_are_counted_and_looks_are_not(clock: Clock) -> None:
    for key in ("x", "y"):
        changes.create(key)
        for _ in range(2):
            clock.seconds += 1.21
            store.current()
    assert status().loads == 2


def test_a_look_that_finds_nothing_new_makes_flags_younger_and_loads_nothing(
    clock: Clock, travel: Any
) -> None:
    store.current()
    travel.shift(timedelta(seconds=90))
    assert status().age == 90
    clock.seconds += 90
    store.current()
    assert (status().age, status().loaded_at) == (0, NOON)


def test_a_look_that_fails_makes_nothing_younger(
    clock: Clock, travel: Any, gone: Callable[[bool], None]
) -> None:
    store.current()
    gone(True)
    for seconds in (90, 180):
        travel.shift(timedelta(seconds=90))
        clock.seconds += 90
        store.current()
        assert status().age == seconds
    assert (status().source, status().failures) == ("last known good", 2)
    assert status().error == "OperationalError: server closed the connection"


def test_what_was_forgotten_has_no_age(clock: Clock) -> None:
    store.current()
    store.forget()
    assert (status().source, status().age) == ("defaults", None)


def test_the_flags_of_a_file_are_as_old_as_the_file(
    clock: Clock, travel: Any, gone: Callable[[bool], None], settings: Any, tmp_path: Path
) -> None:
    bootstrap.write(tmp_path / "flags.json", {}, {})
    settings.FLAGGATE = {"BOOTSTRAP": str(tmp_path / "flags.json")}
    gone(True)
    travel.shift(timedelta(seconds=90))
    store.current()
    assert (status().source, status().failures) == ("bootstrap", 1)
    assert (status().loaded_at, status().checked_at, status().age) == (NOON, None, 90)


def test_a_look_that_succeeds_ends_the_failures(clock: Clock, gone: Callable[[bool], None]) -> None:
    gone(True)
    store.current()
    gone(False)
    clock.seconds += 2.41
    store.current()
    assert (status().source, status().failures, status().error) == ("database", 0, "")
