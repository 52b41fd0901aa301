"""Flags in a database of their own, and a replica that lags behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import connection

from tests.databases import SharedDatabase, fresh

pytestmark = pytest.mark.database

WITH_ADMIN = """
    from django.contrib.auth.models import User
    from django.test import Client
    User.objects.using("default").filter(username="ada").delete()
    ada = User.objects.db_manager("default").create_superuser("ada", id=7)

    def turn_on(key):
        flag = Flag.objects.get(key=key)
        post("flag/do/turn-on/", seen=f"{flag.pk}:{flag.version}", comment="")

    def post(path, **fields):
        client = Client()
        client.force_login(ada)
        response = client.post(f"/admin/flaggate/{path}", fields)
        if response.status_code != 302:
            say(response.status_code, response.context["errors"])
"""


@contextmanager
def routed(router: str, folder: Path, *aliases: str) -> Iterator[SharedDatabase]:
    """Two databases, migrated as far as the router allows."""
    with ExitStack() as stack:
        urls = {f"{alias.upper()}_URL": stack.enter_context(fresh(folder)) for alias in aliases}
        others = {**urls, "ROUTER": router, "ALIASES": " ".join(aliases)}
        project = SharedDatabase(urls["DEFAULT_URL"], "tests.projects.routed", others)
        stack.callback(project.stop)
        for alias in aliases:
            project.manage("migrate", "--verbosity=0", f"--database={alias}")
        yield project


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedDatabase]:
    """A project with flags in a database of their own; its tests name their own flags."""
    with routed("FlagsApart", tmp_path_factory.mktemp("apart"), "default", "flags") as project:
        yield project


@pytest.fixture(scope="module")
def lagging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedDatabase]:
    """A project that reads from a replica; its tests name their own flags."""
    folder = tmp_path_factory.mktemp("lagging")
    with routed("LaggingReplica", folder, "default", "replica") as project:
        yield project


def test_flags_live_in_the_database_that_the_router_names(apart: SharedDatabase) -> None:
    printed = apart.run(
        """
        from django.db import connections
        changes.create("x", enabled=True)
        say(flaggate.is_active("x"), flaggate.status().source)
        changes.disable("x")
        say(flaggate.is_active("x"))
        from django.contrib.auth.models import User
        for alias in ("default", "flags"):
            tables = connections[alias].introspection.table_names()
            say(*sorted({"django_session", "flaggate_flag", "flaggate_usage"} & set(tables)))
        say(User.objects.using("flags").count())
        """
    )
    assert printed.splitlines() == [
        "True database",
        "False",
        "django_session",
        "flaggate_flag flaggate_usage",
        "0",
    ]


def test_a_user_of_another_database_is_named_in_the_history(apart: SharedDatabase) -> None:
    printed = apart.run(
        WITH_ADMIN
        + """
    changes.create("named", actor=ada)
    turn_on("named")
    say(flaggate.is_active("named"))
    for revision in Revision.objects.filter(key="named").order_by("pk"):
        say(revision.actor_id, revision.actor_name, revision.source)
    """
    )
    assert printed.splitlines() == ["True", "7 ada code", "7 ada admin"]


def test_such_a_user_can_be_deleted_and_the_history_keeps_the_name(apart: SharedDatabase) -> None:
    printed = apart.run(
        WITH_ADMIN
        + """
    changes.create("by_somebody_gone", actor=ada)
    ada.delete()
    say(Revision.objects.get(key="by_somebody_gone").actor_name)
    """
    )
    assert printed == "ada"


def test_a_transaction_on_the_other_database_is_none_of_the_flags(apart: SharedDatabase) -> None:
    printed = apart.run(
        """
        from django.db import transaction
        changes.create("committed")
        say(flaggate.is_active("committed"))
        try:
            with transaction.atomic():
                changes.enable("committed")
                raise RuntimeError
        except RuntimeError:
            say(flaggate.is_active("committed"))
        """
    )
    assert printed.split() == ["False", "True"]


@pytest.mark.parametrize("name", ["apart", "lagging"])
def test_the_doctor_finds_nothing_wrong(name: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(name).manage("flags", "doctor")


def test_nothing_of_a_flag_is_read_from_a_replica(lagging: SharedDatabase) -> None:
    printed = lagging.run(
        """
        changes.create("required", enabled=True)
        with changes.change():
            flag = changes.create("x", variants=[("a", 1, 1)])
            flag.prerequisites.create(required=Flag.objects.get(key="required"))
            flag.rules.create(percentage=100).segments.add(Segment.objects.create(key="beta"))
            flag.percentage = 0
            flag.save()
        changes.enable("x", for_keys=["42"])
        changes.enable("x", for_keys=["43"])
        changes.rollouts.start("x", changes.rollouts.to_plan("0:1d,100"))  # whatever the salt
        changes.rollouts.stop("x")
        say(flaggate.is_active("x", 42), flaggate.is_active("x", 44), flaggate.status().source)
        say(Revision.objects.using("default").filter(key="x").count())
        say(Flag.objects.get(key="x").rules.count(), Flag.objects.all().db)
        """
    )
    assert printed.splitlines() == ["True False database", "4", "2 default"]


def test_admin_changes_a_flag_beside_a_lagging_replica(lagging: SharedDatabase) -> None:
    printed = lagging.run(
        WITH_ADMIN
        + """
    User(pk=7, username="ada", is_superuser=True, is_staff=True, password=ada.password).save(
        using="replica"
    )
    changes.create("by_admin")
    turn_on("by_admin")
    say(flaggate.is_active("by_admin"))
    """
    )
    assert printed == "True"


def test_commands_work_beside_a_lagging_replica(lagging: SharedDatabase) -> None:
    for arguments in (["create", "by_command"], ["enable", "by_command"], ["show", "by_command"]):
        lagging.manage("flags", *arguments)


if connection.vendor == "postgresql":  # the others have no schemas within a database
    TENANTS = """
        from django.db import connection
        cursor = connection.cursor()
        cursor.execute("CREATE SCHEMA one")
        cursor.execute("CREATE SCHEMA two")

        def enter(tenant):
            cursor.execute(f"SET search_path TO {tenant}, public")

        def give_flags_of_its_own(tenant):
            for table in connection.introspection.table_names():
                if table.startswith("flaggate_"):
                    cursor.execute(
                        f"CREATE TABLE {tenant}.{table} (LIKE public.{table} INCLUDING ALL)"
                    )
    """

    def test_tenants_by_schema_share_the_flags_of_the_public_schema(
        shared_database: SharedDatabase,
    ) -> None:
        printed = shared_database.run(
            TENANTS
            + """
        for tenant in ("one", "two"):
            enter(tenant)
            changes.create(f"by_{tenant}", enabled=True)
        for tenant in ("one", "two"):
            enter(tenant)
            store.forget()
            say(flaggate.is_active("by_one"), flaggate.is_active("by_two"))
        """
        )
        assert printed.splitlines() == ["True True", "True True"]

    def test_flags_in_each_tenants_schema_are_mixed_up_as_the_docs_warn(
        shared_database: SharedDatabase,
    ) -> None:
        printed = shared_database.run(
            TENANTS
            + """
        give_flags_of_its_own("one")
        give_flags_of_its_own("two")
        enter("one")
        changes.create("x", enabled=True)
        say(flaggate.is_active("x"))
        enter("two")
        say(flaggate.is_active("x"))
        """
        )
        assert printed.splitlines() == ["True", "True"]
