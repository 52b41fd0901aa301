"""What tests of the store share: a process that begins, its clock, and a database that goes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from flaggate.models import state
from flaggate.store import freshness, store


class Clock:
    """The monotonic clock, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Clock:
    settings.FLAGGATE = {"MAX_STALENESS": 1.0}
    clock = Clock()
    monkeypatch.setattr(freshness.time, "monotonic", clock)
    store.__init__()
    return clock


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Take the database away, and give it back."""
    reads = state.read

    def switch(is_gone: bool) -> None:
        def refuse(using: str) -> None:
            raise OperationalError("server closed the connection")

        monkeypatch.setattr(state, "read", refuse if is_gone else reads)

    return switch


@pytest.fixture(autouse=True)
def fresh_store() -> Iterator[None]:
    """Begin, and leave, as a process that has not read any flag yet."""
    store.__init__()
    yield
    store.__init__()
