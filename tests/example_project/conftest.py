import os
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from tests.example_project.shop import MANAGE, Browser, address, demo, manage

# Each worker of a parallel run begins to look for a free port somewhere else.
PORT = 18200 + 100 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))

sys.path.append(str(MANAGE.parent))  # as manage.py itself does


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated and seeded database; copy it before you change it."""
    database = tmp_path_factory.mktemp("seeded") / "db.sqlite3"
    manage(database, "migrate", "--verbosity=0")
    manage(database, "seed")
    return database


@pytest.fixture
def database(seeded: Path, tmp_path: Path) -> Path:
    return Path(copy(seeded, tmp_path / "db.sqlite3"))


@pytest.fixture(scope="session")
def shop_database(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the open shop."""
    return Path(copy(seeded, tmp_path_factory.mktemp("shop") / "db.sqlite3"))


@pytest.fixture(scope="session")
def shop(shop_database: Path) -> Iterator[str]:
    """The address of an open shop, seeded and otherwise as in the demo."""
    with demo(shop_database, PORT) as said:
        yield address(said)


@pytest.fixture
def browser(shop: str) -> Browser:
    return Browser(shop)
