"""The example shop, open to clients in other languages, with a flag for each kind of answer."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.example_project.shop import manage, served

PREPARE = """
import json
from flaggate import changes
from flaggate.api import keys
from flaggate.models import Flag

def serving(key, value, **fields):
    fields = {"enabled": True, "client_visible": True, **fields}
    changes.create(key, variants=[("a", value, 1)], **fields)

with changes.change():
    changes.create("on", enabled=True, client_visible=True)
    changes.create("off", client_visible=True)
    changes.create("flip", client_visible=True)
    changes.create("hidden", enabled=True)
    changes.create("share", enabled=True, percentage=50, salt="checkout", client_visible=True)
    serving("text", "blue")
    serving("integer", 3)
    serving("float", 1.0)
    serving("object", {"columns": 4})
    serving("list", [1, 2])
    serving("to_the_caller", "blue", enabled=False)
    with_rule = changes.create("gold", enabled=True, percentage=0, client_visible=True)
    audience = with_rule.rules.create(percentage=100).segments.create(key="gold")
    audience.conditions.create(attribute="plan", operator="one_of", values=["gold"])
    needs = changes.create("needs", enabled=True, client_visible=True)
    needs.prerequisites.create(required=Flag.objects.get(key="off"))
    changes.create("broken", enabled=True)
Flag.objects.filter(key="broken").update(percentage=-1)
scopes = {"server": "evaluate:server", "client": "evaluate:client", "other": "manage:toggle"}
print(json.dumps({name: keys.create(name, [scope]).secret for name, scope in scopes.items()}))
"""


@dataclass(frozen=True)
class Shop:
    """An open shop: where it is, its database, and the secrets of its keys."""

    address: str
    database: Path
    secrets: dict[str, str]

    def flags(self, *arguments: str) -> None:
        """Run ``manage.py flags``, as an operator does while clients are connected."""
        manage(self.database, "flags", *arguments)


@contextmanager
def opened(directory: Path, by: str = "runserver") -> Iterator[Shop]:
    """Prepare a shop, and open it."""
    database = directory / "db.sqlite3"
    manage(database, "migrate", "--verbosity=0")
    secrets = json.loads(manage(database, "shell", "--verbosity=0", "-c", PREPARE))
    with served(database, by) as address:
        yield Shop(address, database, secrets)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="session")
def asgi_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The same, served by uvicorn."""
    with opened(tmp_path_factory.mktemp("asgi"), "uvicorn") as shop:
        yield shop


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published packages, installed beside the scripts that use them."""
    source, directory = Path(__file__).parent, tmp_path_factory.mktemp("clients")
    for path in (*source.glob("*.mjs"), source / "package.json"):
        shutil.copy(path, directory)
    options = ("--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run(["npm", "install", *options], cwd=directory, check=True, timeout=300)
    return directory
