"""The Django app."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class FlaggateConfig(AppConfig):
    """Registers checks and receivers; makes no query."""

    name = "flaggate"
    verbose_name = _("Feature flags")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from flaggate import checks, recording, store

        checks.register()
        store.connect()
        recording.connect()
        if apps.is_installed("drf_spectacular"):
            import_module("flaggate.api.schema")
        post_migrate.connect(_renew_state, sender=self, dispatch_uid="flaggate.state")


def _renew_state(using: str, **_: Any) -> None:
    from django.db import router, transaction

    from flaggate.models import state

    if router.allow_migrate_model(using, state.State):
        with transaction.atomic(using=using):
            state.renew(using)
