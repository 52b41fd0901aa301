"""What all open streams of a process wait for: one task looks, however many they are."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from contextvars import Context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from flaggate.core.readers import instant
from flaggate.store import store

if TYPE_CHECKING:
    from flaggate.core.snapshot import Snapshot

logger = logging.getLogger("flaggate")

PAUSE = 0.25  # seconds between two looks at the clock; the database is asked once in MAX_STALENESS


class Watch:
    """The present state of the flags in one event loop, and whoever waits for another."""

    _latest: ClassVar[Watch | None] = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.streams = 0
        self._loop = loop
        self._state: str | None = None  # unknown until the first look
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def of_loop(cls) -> Watch:
        """Return the one of the running event loop; a process that serves has only that."""
        loop = asyncio.get_running_loop()
        if cls._latest is None or cls._latest._loop is not loop:
            cls._latest = cls(loop)
        return cls._latest

    def open(self) -> None:
        """Note another stream; the first one starts the task."""
        self.streams += 1
        if self._task is None:
            # In a context of its own: that of the request that happens to be first ends with it.
            self._task = self._loop.create_task(self._look(), context=Context())

    def close(self) -> None:
        """Note that a stream has ended; the last one ends the task."""
        self.streams -= 1
        if self.streams == 0 and self._task is not None:
            self._task.cancel()
            self._task = self._state = None

    async def other_than(self, seen: str) -> str:
        """Wait until the state is known, and another than ``seen``."""
        while self._state is None or self._state == seen:
            await self._changed.wait()
        return self._state

    async def _look(self) -> None:
        while True:
            try:
                self._tell(await _state())
            except Exception:
                logger.exception("Open streams can't be told of changes.")
            await asyncio.sleep(PAUSE)

    def _tell(self, state: str) -> None:
        if state == self._state:
            return
        self._state = state
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


async def _state() -> str:
    snapshot = await sync_to_async(_fresh)() if store.due() else store.current()
    return state_of(snapshot, datetime.now(UTC))


def _fresh() -> Snapshot:
    try:
        return store.current()
    finally:
        close_old_connections()


def state_of(snapshot: Snapshot, now: datetime) -> str:
    """Name what answers depend on: the version of the flags, and how many boundaries have passed.

    All processes give the same name to the same state.
    """
    moment: Any = instant(now)
    passed = bisect_right(snapshot.boundaries, moment)
    return f"{snapshot.version.token if snapshot.version else '-'}.{passed}"
