"""The laws of propagation hold in every order in which writers and readers can meet.

The code is the real one, of the store and of the write path. Scenarios say who takes part, and what
may fail; the laws stand in ``processes.py``. Then the code is broken, one idea of it at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connections, transaction

import flaggate.store
from flaggate import changes
from flaggate.core.snapshot import Version
from flaggate.models import state
from flaggate.store import freshness
from flaggate.store.freshness import Store
from flaggate.store.loaded import Loaded
from tests.store.processes import (
    HALF,
    LONG,
    NOT_QUIET,
    OLD,
    TWO_LOADS,
    UNCOMMITTED,
    Model,
    Process,
    current_process,
    current_thread,
    reader,
    restorer,
    writer,
)
from tests.store.replicas import DIES, LOST, UNLOCKED, Connection, Database, Session
from tests.store.schedules import Explored, explore

Scenario = Callable[[Model], None]
Check = Callable[[Scenario], Explored]
Break = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def backup(django_db_blocker: Any) -> Iterator[Session]:
    """A database with one flag that says 0 twice."""
    before = connections["default"]
    connections["default"] = connection = Connection(Database())
    try:
        with django_db_blocker.unblock():
            with connection.schema_editor() as editor:
                for model in apps.get_app_config("flaggate").get_models():
                    editor.create_model(model)
            connection.disable_constraint_checking()  # there is no table of users
            changes.create("x", enabled=True, percentage=0, variants=[("v", 0, 1)])
            yield connection.connection
            connection.close()
    finally:
        connections["default"] = before


@pytest.fixture
def check(
    backup: Session, monkeypatch: pytest.MonkeyPatch, settings: Any, django_db_blocker: Any
) -> Iterator[Check]:
    """Try a scenario in all orders."""
    settings.FLAGGATE = {"MAX_STALENESS": 1.0}
    clock = SimpleNamespace(monotonic=lambda: current_process().now)
    store = SimpleNamespace(committed=lambda: current_process().committed())
    monkeypatch.setattr(freshness, "time", clock)
    monkeypatch.setattr(freshness, "_jitter", lambda: 1.2)
    monkeypatch.setattr(flaggate.store, "store", store)
    monkeypatch.setattr(state, "uuid", SimpleNamespace(uuid4=lambda: current_thread().token()))
    monkeypatch.setitem(freshness.BEGIN_LOAD, "sqlite", freshness.CONSISTENT_READ)

    def build(scenario: Scenario) -> Model:
        model = Model(backup)
        scenario(model)
        return model

    with django_db_blocker.unblock():
        yield lambda scenario: explore(partial(build, scenario))


# --- scenarios --------------------------------------------------------------------------------


def polling(model: Model) -> None:
    """Two writers, by both ways to write, commit, roll back or die; a process polls."""
    Process(model, writer(1, changes.change), at_commit=(DIES,))
    Process(model, writer(2, transaction.atomic, may_give_up=False), at_commit=(DIES,))
    Process(model, reader(LONG), warm=True)


def losing(model: Model) -> None:
    """The reader's connection is lost at a statement between which others commit."""
    model.database.losses = 1
    Process(model, writer(1, changes.change, may_give_up=False))
    Process(model, writer(2, changes.change, may_give_up=False))
    Process(model, reader(LONG), warm=True)


def losing_anywhere(model: Model) -> None:
    """It is lost at any statement, of the first load or of the second."""
    model.database.losses = 1
    model.database.lost_anywhere = True
    Process(model, writer(1, transaction.atomic))
    Process(model, reader(0, LONG))


def writing_itself(model: Model) -> None:
    """The process that is asked writes, too, and may not hear that it has committed."""
    writes = writer(1, changes.change, asks=True)
    Process(model, writes, reader(0), at_commit=(LOST,), warm=True)
    Process(model, writer(2, changes.change, may_give_up=False))


def alone(model: Model) -> None:
    """A process is all by itself, and writes in one thread what it asks for in another."""
    Process(model, writer(1, changes.change, asks=True), reader(0), warm=True)


def starting(model: Model) -> None:
    """Two threads of a process ask for the first time."""
    Process(model, writer(1, transaction.atomic))
    Process(model, reader(0), reader(0))


def restoring(model: Model) -> None:
    """A backup is restored, and the next commit reaches the version of the one that was lost."""
    model.may_go_back = True
    Process(model, writer(1, transaction.atomic, may_give_up=False))
    Process(model, restorer(writer(2, transaction.atomic, may_give_up=False)))
    Process(model, reader(LONG), warm=True)


@pytest.mark.parametrize(
    "scenario", [polling, losing, losing_anywhere, writing_itself, starting, restoring]
)
def test_all_laws_hold_in_every_order(check: Check, scenario: Scenario) -> None:
    assert check(scenario).schedules > 50, "as many as worth the name"


def test_without_repeatable_read_everybody_still_comes_to_the_last_commit(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load reads the state row first, so what it mixes up is read again at the next look."""
    monkeypatch.delitem(freshness.BEGIN_LOAD, "sqlite")

    def tearing(model: Model) -> None:
        model.may_tear = True
        Process(model, writer(1, transaction.atomic, may_give_up=False))
        Process(model, reader(0))

    assert check(tearing).schedules > 10


# --- broken code ------------------------------------------------------------------------------


def rows_before_the_state_row(patch: pytest.MonkeyPatch) -> None:
    followed_by = Loaded.followed_by

    def with_a_later_version(self: Loaded, found: Any, version: Any) -> Loaded:
        return followed_by(self, found, state.read(state.alias()))

    patch.setattr(Loaded, "followed_by", with_a_later_version)


def no_token(patch: pytest.MonkeyPatch) -> None:
    def same(self: Version, other: Any) -> bool:
        return other is not None and (self.epoch, self.number) == (other.epoch, other.number)

    patch.setattr(Version, "__eq__", same)


def only_newer_versions(patch: pytest.MonkeyPatch) -> None:
    def no_newer(self: Version, other: Any) -> bool:
        return other is not None and self.number <= other.number

    patch.setattr(Version, "__eq__", no_newer)


def bump_outside_the_transaction(patch: pytest.MonkeyPatch) -> None:
    bump = state.bump

    def afterwards(using: str) -> None:
        transaction.on_commit(partial(bump, using), using=using)

    patch.setattr(state, "bump", afterwards)


def no_poll(patch: pytest.MonkeyPatch) -> None:
    succeeded = Store._succeeded

    def for_ever(self: Store, commits: int) -> None:
        succeeded(self, commits)
        self._due = math.inf

    patch.setattr(Store, "_succeeded", for_ever)


def no_repeatable_read(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(freshness.BEGIN_LOAD, "sqlite")


def no_lock_of_the_state_row(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(state, "lock", state.mark)


def no_lock_of_the_store(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "_refresh", Store._look)


def no_word_of_own_commits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "committed", lambda self: None)


def publishing_what_is_not_committed(patch: pytest.MonkeyPatch) -> None:
    local = Store._local

    def published(self: Store, connection: Any) -> Any:
        self.loaded = Loaded(local(self, connection))
        return self.snapshot

    patch.setattr(Store, "_local", published)


@pytest.mark.parametrize(
    ("broken", "scenario", "law"),
    [
        (rows_before_the_state_row, polling, NOT_QUIET),
        (no_token, restoring, NOT_QUIET),
        (only_newer_versions, restoring, NOT_QUIET),
        (bump_outside_the_transaction, polling, NOT_QUIET),
        (no_poll, polling, OLD),
        (no_repeatable_read, polling, HALF),
        (no_lock_of_the_state_row, polling, UNLOCKED),
        (no_lock_of_the_store, starting, TWO_LOADS),
        (no_word_of_own_commits, alone, OLD),
        (publishing_what_is_not_committed, alone, UNCOMMITTED),
    ],
)
def test_the_model_check_notices(
    check: Check, monkeypatch: pytest.MonkeyPatch, broken: Break, scenario: Scenario, law: str
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=law):
        check(scenario)
