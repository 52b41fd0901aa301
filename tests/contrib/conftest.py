from collections.abc import Iterator

import pytest

from flaggate import flags


@pytest.fixture(autouse=True)
def same_observers() -> Iterator[None]:
    """Leave no observer behind: all other tests run without."""
    before = list(flags.observers)
    yield
    flags.observers[:] = before
