"""The filters of the list of flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from flaggate.admin import quarantine
from flaggate.models import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

CURRENT = Q(archived_at=None)
STATES = {
    "on": _("On"),
    "off": _("Off"),
    "scheduled": _("Scheduled"),
    "over": _("Over"),
    "quarantined": _("Quarantined"),
    "archived": _("Archived"),
    "any": _("All, with archived"),
}
# Choice → label and condition.
ROLLOUTS = {
    "running": (_("Running"), Q(rollout__isnull=False, rollout__paused_at=None)),
    "paused": (_("Paused"), Q(rollout__paused_at__isnull=False)),
    "none": (_("No rollout"), Q(rollout=None)),
}


class StateFilter(admin.SimpleListFilter):
    """The states that the column of the list shows; the archived only when they are asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(states(request).get(self.value() or "", CURRENT))

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("All but archived")}
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


def states(request: HttpRequest) -> dict[str, Q]:
    """Say which flags are in which state: as ``wording.switched`` does, and as they are served."""
    now, on = timezone.now(), Q(enabled=True)
    over, early = Q(active_until__lte=now), Q(active_from__gt=now)
    stored = {
        "on": on & ~over & ~early,
        "off": ~on,
        "scheduled": on & ~over & early,
        "over": on & over,
    }
    served = quarantine.served(request)
    return {
        **{name: CURRENT & _shown(name, each, served) for name, each in stored.items()},
        "quarantined": CURRENT & Q(key__in=served),
        "archived": ~CURRENT,
        "any": Q(),
    }


def _shown(name: str, stored: Q, served: dict[str, str]) -> Q:
    """Put those that are served as something else than they are stored where they are shown."""
    other = [key for key, instead in served.items() if instead]
    here = [key for key in other if served[key] == name]
    return (stored & ~Q(key__in=other)) | Q(key__in=here)


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
