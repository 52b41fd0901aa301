"""Widgets that say what they took, and that work without JavaScript."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from flaggate.admin import operands
from flaggate.management import users
from flaggate.models import Revision

MOST_SHOWN = 20


class OperandsInput(forms.Textarea):
    """One value a line, and below it what each line was taken for."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        lines = super().render(name, value, attrs, renderer)
        return format_html("{}{}", lines, self._taken(operands.read_lines(value or "")))

    def _taken(self, values: list[Any]) -> SafeString | str:
        if not values:
            return ""
        taken = format_html_join(
            ", ", "{}", ((operands.described(v),) for v in values[:MOST_SHOWN])
        )
        if (more := len(values) - MOST_SHOWN) > 0:
            taken = format_html(_("{} and {} more"), taken, more)
        return format_html('<p class="flaggate-taken">{} {}</p>', _("Taken as:"), taken)


class _Keys(forms.Select):
    """An autocomplete beside which a browser without JavaScript gets a field for the keys."""

    field: Any

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if str(each).isdecimal()], attrs)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        select = super().render(name, value, attrs, renderer)
        return format_html(
            '{}<noscript><label class="flaggate-keys">{} '
            '<input type="text" name="{}-keys" value="{}"></label></noscript>',
            select,
            _("Or type keys:"),
            name,
            " ".join(each for each in self._listed(value) if not each.isdecimal()),
        )

    def typed(self, data: Any, name: str) -> list[str]:
        """Return what was typed, as primary keys where there is such a key."""
        keys = [key for key in re.split(r"[\s,\0]+", data.get(f"{name}-keys", "")) if key]
        if not keys:
            return []
        rows = self.field.remote_field.model.objects.filter(key__in=keys)
        found = dict(rows.values_list("key", "pk"))
        return [str(found.get(key, key)) for key in keys]

    def _listed(self, value: Any) -> list[str]:
        values = value if isinstance(value, list | tuple) else [value or ""]
        return [str(each) for each in values]


class OneByKey(_Keys, AutocompleteSelect):
    """Choose one row that has a key."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        typed = self.typed(data, name)
        return typed[0] if typed else super().value_from_datadict(data, files, name)


class ManyByKey(_Keys, AutocompleteSelectMultiple):
    """Choose any number of rows that have a key."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return [*super().value_from_datadict(data, files, name), *self.typed(data, name)]


class UserSelect(AutocompleteSelect):
    """Choose a user by typing; without JavaScript, a field for an id or a user name."""

    def __init__(self, admin_site: Any) -> None:
        super().__init__(Revision._meta.get_field("actor"), admin_site)

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, [pk for each in value for pk in _user_pks(each)], attrs)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        # The field has the name of the select and stands after it: what is typed is what counts.
        return format_html(
            '{}<noscript><label class="flaggate-keys">{} '
            '<input type="text" name="{}" value="{}"></label></noscript>',
            super().render(name, value, attrs, renderer),
            _("Or type an id or a user name:"),
            name,
            value or "",
        )


def _user_pks(text: Any) -> list[str]:
    try:
        return [str(users.found(text).pk)] if text and "\0" not in text else []
    except users.UnknownUser:
        return []
