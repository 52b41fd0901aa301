"""A store that has not read any flag yet, threads with connections, a proxy, and waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from flaggate.store import store
from tests.faults.proxy import Proxy


@pytest.fixture(autouse=True)
def fresh_store(settings: Any) -> Iterator[None]:
    """Begin, and leave, as a process that has not read any flag yet."""
    settings.FLAGGATE = {"MAX_STALENESS": 1.0}
    store.__init__()
    yield
    store.__init__()


@pytest.fixture
def proxy(transactional_db: None) -> Iterator[Proxy]:
    """A proxy between this process and its database server."""
    at = connection.settings_dict
    before = {name: at[name] for name in ("HOST", "PORT", "OPTIONS")}
    proxy = Proxy(at["HOST"], int(at["PORT"]))
    connection.close()
    at.update(HOST="127.0.0.1", PORT=proxy.port, OPTIONS=dict(at["OPTIONS"]))
    yield proxy
    connection.close()
    proxy.close()
    at.update(before)


@pytest.fixture
def options() -> Iterator[Callable[..., None]]:
    """Connect with other options, until the test ends."""
    at = connection.settings_dict
    before = at["OPTIONS"]

    def reconnect(**options: object) -> None:
        connection.close()
        at["OPTIONS"] = {**at["OPTIONS"], **options}

    yield reconnect
    connection.close()
    at["OPTIONS"] = before
