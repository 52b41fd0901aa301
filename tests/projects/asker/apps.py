"""Asks while Django starts, and in a system check."""

from typing import Any

from django.apps import AppConfig
from django.core import checks

import flaggate


def ask(**_: Any) -> list[checks.CheckMessage]:
    assert flaggate.is_active("x") in (True, False)
    return []


class AskerConfig(AppConfig):
    name = "tests.projects.asker"
    label = "asker"

    def ready(self) -> None:
        ask()
        checks.register(ask)
