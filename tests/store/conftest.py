from collections.abc import Iterator

import pytest

from flaggate.store import store


@pytest.fixture(autouse=True)
def fresh_store() -> Iterator[None]:
    """Begin, and leave, as a process that has not read any flag yet."""
    store.__init__()
    yield
    store.__init__()
