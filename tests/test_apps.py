"""The app: what it makes after a migration, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models.signals import post_migrate
from django.test import override_settings

import flaggate
from flaggate import changes
from flaggate.models.state import State
from tests.fixtures import released

pytestmark = pytest.mark.django_db


class NotHere:
    """A router that keeps flags out of a database."""

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        return app_label != "flaggate"


def migrated() -> None:
    config = apps.get_app_config("flaggate")
    post_migrate.send(config, using="default", app_config=config, verbosity=0, interactive=False)


def test_its_name_in_admin():
    assert str(apps.get_app_config("flaggate").verbose_name) == "Feature flags"


def test_after_a_migration_there_is_the_state_row():
    State.objects.all().delete()
    migrated()
    assert State.objects.get().version == 0


def test_after_a_migration_a_state_row_that_is_there_stays():
    changes.create("new_checkout")
    before = State.objects.values().get()
    migrated()
    assert State.objects.values().get() == before


def test_a_database_that_flags_are_kept_out_of_gets_no_row():
    State.objects.all().delete()
    with override_settings(DATABASE_ROUTERS=[f"{__name__}.NotHere"]):
        migrated()
    assert not State.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_flushed_database_begins_anew():
    released("new_checkout")
    before = State.objects.get()
    assert flaggate.is_active("new_checkout")
    call_command("flush", "--no-input", verbosity=0)
    after = State.objects.get()
    assert after.epoch != before.epoch
    assert not flaggate.is_active("new_checkout")
