"""What is stored, as it is shown to be read: in lists, and on pages of those who may only look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from flaggate.admin.moments import when

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model

NOTHING = "–"


def shown(
    model: type[Model], name: str, show: Callable[[Any], str] = when
) -> Callable[[Any, Any], str]:
    """Make what shows a field of each row in a ModelAdmin: as a moment, or as ``show`` does."""
    field: Any = model._meta.get_field(name)

    @admin.display(description=field.verbose_name, ordering=name)
    def column(_admin: Any, row: Any) -> str:
        value = getattr(row, name)
        return NOTHING if value in field.empty_values else show(value)

    return column
