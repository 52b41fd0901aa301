"""A change of which nothing stays: what it would do, or why it would be refused."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flaggate.changes.change import change
from flaggate.models import state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaggate.changes.change import Change


class _Over(Exception):
    """Ends a rehearsal, and takes back all that it wrote."""


@contextmanager
def rehearse(**how: Any) -> Iterator[Change]:
    """Open the write path for a change that is taken back when the block ends.

    Takes what ``change()`` takes. Inside the block, what was written can be read, and ``check()``
    raises what would refuse the change. Raises RuntimeError inside another change.
    """
    if state.observer(state.alias()) is not None:
        raise RuntimeError("A rehearsal can't take place inside a change: it would take that back.")
    try:
        with change(**how) as opened:
            yield opened
            raise _Over
    except _Over:
        pass
