"""What is told of a look at the database: ``refreshed`` is sent for news, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from flaggate import changes
from flaggate.core.snapshot import EMPTY, Snapshot
from flaggate.store import refreshed, store
from flaggate.store.freshness import Store
from tests.store.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

News = list[tuple[Snapshot, Snapshot, str]]


@pytest.fixture
def news(clock: Clock) -> Iterator[News]:
    """Everything that was told: before, after, and the error."""
    told: News = []

    def hear(sender: Any, before: Snapshot, after: Snapshot, error: str, **_: Any) -> None:
        assert sender is Store
        told.append((before, after, error))

    refreshed.connect(hear)
    yield told
    refreshed.disconnect(hear)


def look(clock: Clock) -> Snapshot:
    clock.seconds += 3
    return store.current()


def test_the_first_flags_are_news(clock: Clock, news: News) -> None:
    changes.create("x")
    found = look(clock)
    assert news == [(EMPTY, found, "")]


def test_other_flags_are_news(clock: Clock, news: News) -> None:
    before = look(clock)
    changes.create("x")
    found = look(clock)
    assert news[1:] == [(before, found, "")]


def test_the_same_flags_are_no_news(clock: Clock, news: News) -> None:
    look(clock)
    look(clock)
    assert len(news) == 1


def test_what_is_not_committed_is_no_news(clock: Clock, news: News) -> None:
    look(clock)
    with transaction.atomic():
        changes.create("x")
        assert "x" in look(clock)
        assert len(news) == 1
    look(clock)
    assert len(news) == 2


def test_the_first_of_several_failures_is_news_and_so_is_their_end(
    clock: Clock, news: News, gone: Callable[[bool], None]
) -> None:
    known = look(clock)
    for is_gone in (True, True, True, False, False):
        gone(is_gone)
        look(clock)
    error = "OperationalError: server closed the connection"
    assert news[1:] == [(known, known, error), (known, known, "")]


def test_a_failure_before_there_are_flags_is_news(
    clock: Clock, news: News, gone: Callable[[bool], None]
) -> None:
    gone(True)
    look(clock)
    assert news == [(EMPTY, EMPTY, "OperationalError: server closed the connection")]


def test_flags_that_end_a_failure_are_one_piece_of_news(
    clock: Clock, news: News, gone: Callable[[bool], None]
) -> None:
    gone(True)
    look(clock)
    gone(False)
    found = look(clock)
    assert news[1:] == [(EMPTY, found, "")]


def test_who_hears_and_raises_stops_nobody(clock: Clock, news: News) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError

    refreshed.connect(broken)
    changes.create("x")
    assert "x" in look(clock)
    refreshed.disconnect(broken)
