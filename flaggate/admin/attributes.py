"""What kind of value each attribute has that flaggate knows of, and which operators fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from flaggate.core.operators import OPERATORS
from flaggate.models import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator

# Kind → label, and the operators that ask for it. "any" fits each attribute.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "any": (gettext_noop("Any value"), ("one_of", "exists")),
    "text": (gettext_noop("Texts"), ("contains", "starts_with", "ends_with", "matches")),
    "number": (gettext_noop("Numbers"), ("gt", "gte", "lt", "lte")),
    "moment": (gettext_noop("Moments"), ("after", "on_or_after", "before", "on_or_before")),
    "version": (
        gettext_noop("Versions"),
        ("semver_eq", "semver_gt", "semver_gte", "semver_lt", "semver_lte"),
    ),
    "network": (gettext_noop("Networks"), ("in_cidr",)),
    "segment": (gettext_noop("Segments"), ("in_segment",)),
}
KIND_OF = {operator: kind for kind, (_label, operators) in KINDS.items() for operator in operators}

# Attributes of a project's own are not here: they are offered every operator.
ATTRIBUTES = {
    "targeting_key": "text",
    "visitor": "text",
    "now": "moment",
    "username": "text",
    "email": "text",
    "is_authenticated": "any",
    "is_staff": "any",
    "is_superuser": "any",
    "groups": "text",
    "permissions": "text",
    "date_joined": "moment",
    "language": "text",
    "path": "text",
    "method": "text",
    "host": "text",
    "ip": "network",
}


WRITTEN = ("text", "network")  # texts, which a version, a moment or an address may be, too


def fits(attribute: str, operator: str) -> bool:
    """Tell whether an attribute's values can ever match; those of a project's own may be any."""
    kind, needed = ATTRIBUTES.get(attribute), KIND_OF.get(operator)
    if kind is None or needed in (None, "any", "segment", kind):
        return True
    return kind in WRITTEN and needed != "number"


def misfit(attribute: str) -> str:
    """Say which operators can match an attribute."""
    names = [name for name, kind in KIND_OF.items() if kind != "segment" and fits(attribute, name)]
    return _("No value of %(attribute)s can match this. Choose one of: %(operators)s.") % {
        "attribute": attribute,
        "operators": ", ".join(_(OPERATORS[name].label) for name in names),
    }


class OperatorSelect(forms.Select):
    """Operators by kind of value; a script offers those that fit the attribute."""

    def create_option(self, *args: Any, **options: Any) -> dict[str, Any]:
        option = super().create_option(*args, **options)
        if kind := KIND_OF.get(str(option["value"])):
            option["attrs"]["data-kind"] = kind
        return option


def operators() -> list[tuple[str, Any]]:
    """Return all operators as the choices of a select, grouped by kind."""
    groups = [
        (_(label), [(name, _(OPERATORS[name].label)) for name in names])
        for label, names in KINDS.values()
    ]
    return [("", "---------"), *groups]


def known() -> Iterator[tuple[str, str]]:
    """Find the attributes to suggest, with their kind: built in, or in use by some condition."""
    yield from ATTRIBUTES.items()
    used = Condition.objects.values_list("attribute", flat=True).order_by("attribute").distinct()
    for name in used:
        if name and name not in ATTRIBUTES:
            yield name, ""
