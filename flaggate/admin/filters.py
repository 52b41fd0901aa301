"""The filters of the list of flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from flaggate.models import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

CURRENT = Q(archived_at=None)
# Choice → label and condition.
STATES = {
    "on": (_("On"), CURRENT & Q(enabled=True)),
    "off": (_("Off"), CURRENT & Q(enabled=False)),
    "archived": (_("Archived"), ~CURRENT),
    "any": (_("All, with archived"), Q()),
}
ROLLOUTS = {
    "running": (_("Running"), Q(rollout__isnull=False, rollout__paused_at=None)),
    "paused": (_("Paused"), Q(rollout__paused_at__isnull=False)),
    "none": (_("No rollout"), Q(rollout=None)),
}


class StateFilter(admin.SimpleListFilter):
    """On, off or archived; the archived only when they are asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, (label, _condition) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _label, condition = STATES.get(self.value() or "", ("", CURRENT))
        return queryset.filter(condition)

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("On or off")}
        yield from others


class RolloutFilter(admin.SimpleListFilter):
    """Whether a rollout with stages is under way."""

    title = _("rollout")
    parameter_name = "rollout"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, (label, _condition) in ROLLOUTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _label, condition = ROLLOUTS.get(self.value() or "", ("", Q()))
        return queryset.filter(condition)


class OwnerFilter(admin.SimpleListFilter):
    """Who owns a flag."""

    title = _("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        owners = {owner for _pk, owner, _tags in labels(request) if owner}
        return [(owner, owner) for owner in sorted(owners, key=str.casefold)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(owner=self.value()) if self.value() else queryset


class TagFilter(admin.SimpleListFilter):
    """What flags are tagged with."""

    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        tags = {tag for _pk, _owner, tags in labels(request) for tag in tags}
        return [(tag, tag) for tag in sorted(tags, key=str.casefold)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        # By primary key: SQLite can't search inside a JSON list.
        tagged = [pk for pk, _owner, tags in labels(request) if self.value() in tags]
        return queryset.filter(pk__in=tagged)


def labels(request: HttpRequest) -> list[tuple[int, str, list[str]]]:
    """Read the owners and tags of all flags, once a request."""
    if not hasattr(request, "flaggate_labels"):
        rows = Flag.objects.values_list("pk", "owner", "tags")
        request.flaggate_labels = [  # type: ignore[attr-defined]
            (pk, owner, [tag for tag in tags if isinstance(tag, str)])
            for pk, owner, tags in rows
            if isinstance(tags, list)
        ]
    found: list[tuple[int, str, list[str]]] = request.flaggate_labels  # type: ignore[attr-defined]
    return found
