"""Keep flags out of the way of a project's tests.

Flags are read once, after the test database has been made, and never polled, so that
``assertNumQueries`` stays exact; usage is not recorded. What a project sets itself wins.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _pytest.fixtures import FixtureDef, SubRequest

BLOCKER = pytest.StashKey[Any]()  # there once the test database is


def pytest_configure() -> None:
    """Change the defaults of the settings."""
    from flaggate import conf

    conf.DEFAULTS.update(MAX_STALENESS=None, RECORD_USAGE=False)
    conf.get.cache_clear()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: FixtureDef[Any], request: SubRequest
) -> Generator[None, object, object]:
    """Read the flags of the test database before the first test opens its transaction."""
    result = yield
    if fixturedef.argname == "django_db_setup":
        from django.apps import apps

        if apps.is_installed("flaggate"):
            from flaggate.store import store

            store.forget()
            request.config.stash[BLOCKER] = request.getfixturevalue("django_db_blocker")
            _read(request.config)
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Read them again where a test that commits has left others than there are now."""
    _read(item.config)


def _read(config: pytest.Config) -> None:
    if BLOCKER not in config.stash:
        return
    from flaggate.store import store

    if store.due():
        with config.stash[BLOCKER].unblock():
            store.current()
