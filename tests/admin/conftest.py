from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from flaggate import changes
from flaggate.models import Flag, Segment
from flaggate.store import store
from tests.admin.pages import Pages


@pytest.fixture(autouse=True)
def fresh_store():
    """Begin, and leave, as a process that has not read any flag yet."""
    store.__init__()
    yield
    store.__init__()


@pytest.fixture(autouse=True)
def _database(db: Any) -> None:
    """Every page reads the database."""


def user(name: str, *permissions: str) -> User:
    """Make somebody of staff with these permissions."""
    made = User.objects.create_user(name, is_staff=True)
    made.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return made


def pages(somebody: User) -> Pages:
    """Log somebody in."""
    client = Client()
    client.force_login(somebody)
    return Pages(client)


@pytest.fixture
def ada() -> Pages:
    """A superuser's browser, without JavaScript."""
    return pages(User.objects.create_superuser("ada"))


@pytest.fixture
def bob() -> Pages:
    """The browser of another superuser."""
    return pages(User.objects.create_superuser("bob"))


@pytest.fixture
def viewer() -> Pages:
    """The browser of somebody who may look, and nothing else."""
    return pages(user("vera", "view_flag", "view_segment", "view_revision", "view_usage"))


@pytest.fixture
def operator() -> Pages:
    """The browser of somebody who may change flags, and nothing else."""
    return pages(user("olga", "view_flag", "change_flag", "view_segment"))


@pytest.fixture
def flag() -> Flag:
    return changes.create("x", percentage=0)


@pytest.fixture
def segment() -> Segment:
    with changes.change():
        segment = Segment.objects.create(key="beta", name="Beta testers")
        segment.conditions.create(attribute="plan", operator="one_of", values=["gold"])
    return segment
