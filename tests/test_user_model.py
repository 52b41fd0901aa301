"""A user model of the project's own, known by a UUID and an e-mail address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import SharedDatabase, fresh

pytestmark = pytest.mark.database

ADA = """
    from django.core.management import call_command
    from django.test import Client
    from tests.projects.people.models import Person
    Person.objects.filter(email="ada@example.com").delete()
    ada = Person.objects.create_superuser("ada", "ada@example.com")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedDatabase]:
    with fresh(tmp_path_factory.mktemp("people")) as url:
        database = SharedDatabase(url, "tests.projects.uuid_users")
        database.manage("migrate", "--verbosity=0")
        yield database
        database.stop()


def test_its_uuid_is_the_targeting_key(project: SharedDatabase) -> None:
    printed = project.run(
        ADA
        + """
    changes.create("x")
    changes.enable("x", for_keys=[str(ada.pk)])
    say(flaggate.is_active("x", ada), flaggate.is_active("x", str(ada.pk)))
    say(flaggate.is_active("x", Person(email="eve@example.com")))
    call_command("flags", "explain", "x", "--user", "ada@example.com", "--format", "json")
    """
    )
    first, second, *explained = printed.splitlines()
    assert (first, second) == ("True True", "False")
    assert '"active": true' in "".join(explained)


def test_admin_and_commands_record_who_made_a_change(project: SharedDatabase) -> None:
    printed = project.run(
        ADA
        + """
    flag = changes.create("y")
    client = Client()
    client.force_login(ada)
    seen = f"{flag.pk}:{flag.version}"
    client.post("/admin/flaggate/flag/do/turn-on/", {"seen": seen, "comment": ""})
    with open("/dev/null", "w") as nowhere:
        call_command("flags", "disable", "y", "--as", "ada@example.com", stdout=nowhere)
    for revision in Revision.objects.filter(key="y", actor=ada).order_by("pk"):
        say(revision.actor == ada, revision.actor_name, revision.source)
    """
    )
    assert printed.splitlines() == [
        "True ada@example.com admin",
        "True ada@example.com command",
    ]


def test_such_a_user_can_be_deleted_and_the_history_keeps_the_name(
    project: SharedDatabase,
) -> None:
    printed = project.run(
        ADA
        + """
    changes.create("z", actor=ada)
    ada.delete()
    say(Revision.objects.get(key="z").actor_name)
    """
    )
    assert printed == "ada@example.com"
