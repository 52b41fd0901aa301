"""A connection that died while nobody looked is no news of the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connections

from flaggate import changes
from flaggate.models import state
from flaggate.store import store
from tests.store.conftest import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def dead(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """A kept connection that is found unusable; what could not be read by it is noted."""
    connection: Any = connections["default"]
    changes.create("x", enabled=True)
    kept, read, refused = connection.connection, state.read, []

    def refuse(using: str) -> Any:
        if connection.connection is not kept:
            return read(using)
        refused.append(kept)
        raise OperationalError("server closed the connection")

    def close() -> None:
        connection.connection = None

    monkeypatch.setattr(state, "read", refuse)
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", close)
    yield refused
    connection.connection, new = kept, connection.connection
    if new is not None and new is not kept:
        new.close()


def test_it_is_replaced_within_the_same_look(dead: list[object]) -> None:
    assert "x" in store.current()
    assert (len(dead), store.failures, store.loads) == (1, 0, 1)


def test_a_new_one_that_fails_too_is_a_failure(
    dead: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def refuse(using: str) -> None:
        attempts.append(using)
        connections[using].ensure_connection()
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(state, "read", refuse)
    store.current()
    assert (len(attempts), store.failures) == (2, 1)


def test_one_that_had_to_be_made_is_not_replaced(
    dead: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def refuse() -> None:
        attempts.append(1)
        raise OperationalError("connection refused")

    connection = connections["default"]
    monkeypatch.setattr(connection, "connection", None)
    monkeypatch.setattr(connection, "connect", refuse)
    store.current()
    assert (len(attempts), store.failures) == (1, 1)
