"""Who made a change is written down, wherever users live."""

from __future__ import annotations

import pytest

from flaggate import changes
from flaggate.models import Revision
from tests.databases import SharedDatabase

pytestmark = pytest.mark.database

TELL_CONSTRAINTS = """
    from django.db import connection
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "flaggate_revision")
    say(*(each["columns"] for each in found.values() if each["foreign_key"]))
"""


@pytest.mark.django_db(transaction=True)
def test_a_user_who_is_deleted_stays_named(django_user_model) -> None:
    ada = django_user_model.objects.create_superuser("ada")
    changes.create("x", actor=ada)
    ada.delete()
    assert Revision.objects.get().actor_name == "ada"


def test_a_revision_refers_to_its_actor_without_a_constraint(
    shared_database: SharedDatabase,
) -> None:
    assert shared_database.run(TELL_CONSTRAINTS) == ""
    shared_database.manage("migrate", "flaggate", "0003", "--verbosity=0")
    assert shared_database.run(TELL_CONSTRAINTS) == "['actor_id']"
    shared_database.manage("migrate", "flaggate", "--verbosity=0")
    assert shared_database.run(TELL_CONSTRAINTS) == ""
