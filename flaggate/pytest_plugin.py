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


def pytest_configure() -> None:
    """Change the defaults of the settings."""
    from flaggate import conf

    conf.DEFAULTS.update(MAX_STALENESS=None, RECORD_USAGE=False)
    conf.get.cache_clear()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: FixtureDef[Any], request: SubRequest
) -> Generator[None, object, object]:
    """Load the flags of the test database before the first test opens its transaction."""
    result = yield
    if fixturedef.argname == "django_db_setup":
        from django.apps import apps

        if apps.is_installed("flaggate"):
            from flaggate.store import store

            with request.getfixturevalue("django_db_blocker").unblock():
                store.current()
    return result
