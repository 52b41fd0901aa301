"""What is stored, as it is shown to be read: in lists, and on pages of those who may only look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from flaggate.admin import operands
from flaggate.templatetags.flaggate_moments import when

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model


def shown(
    model: type[Model], name: str, show: Callable[[Any], str] = when
) -> Callable[[Any, Any], str]:
    """Make what shows a field of each row in a ModelAdmin: as a moment, or as ``show`` does."""
    field: Any = model._meta.get_field(name)

    @admin.display(description=field.verbose_name, ordering=name)
    def column(model_admin: Any, row: Any) -> str:
        value = getattr(row, name)
        empty: str = model_admin.get_empty_value_display()
        return empty if value in field.empty_values else show(value)

    return column


def listed(values: Any) -> str:
    """Show a list of values: "beta, staff"."""
    if not isinstance(values, list):  # of raw SQL
        return operands.as_json(values)
    return ", ".join(map(operands.write, values))


def readable(fields: Any, columns: dict[str, str]) -> list[Any]:
    """Name, instead of fields to be typed into, what shows them to those who may only look."""
    return [columns.get(name, name) for name in fields]
