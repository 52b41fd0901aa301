"""Flags and segments as one JSON document each: what revisions keep and people compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaggate.models.flags import Flag, Rule
from flaggate.models.rollouts import Rollout
from flaggate.models.segments import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from django.db.models import QuerySet

Document = dict[str, Any]

# A longer list of members is written down as its length: a revision is read by people.
MOST_MEMBERS = 1000

PLAIN = (
    "description",
    "kind",
    "enabled",
    "bucket_by",
    "salt",
    "off_variant",
    "client_visible",
    "critical",
    "owner",
    "tags",
    "permanent",
    "overridable",
)


def of_flags(using: str, keys: Iterable[int]) -> dict[int, tuple[str, int, Document]]:
    """Return key, version and document of flags, by primary key."""
    flags = whole_flags(using).filter(pk__in=list(keys))
    return {flag.pk: (flag.key, flag.version, of_flag(flag)) for flag in flags}


def whole_flags(using: str) -> QuerySet[Any]:
    """Return flags that are read with all that a document holds."""
    flags: QuerySet[Any] = Flag.objects.using(using).select_related("rollout")
    return flags.prefetch_related(
        "variants", "rules__segments", "prerequisites__required", "stages"
    )


def of_segments(using: str, keys: Iterable[int]) -> dict[int, tuple[str, int, Document]]:
    """Return key, version and document of segments, by primary key."""
    segments = Segment.objects.using(using).filter(pk__in=list(keys))
    return {
        segment.pk: (segment.key, segment.version, of_segment(segment))
        for segment in segments.prefetch_related("conditions")
    }


def of_flag(flag: Flag) -> Document:
    """Write a flag down as a whole."""
    return {
        "key": flag.key,
        **{name: getattr(flag, name) for name in PLAIN},
        "percentage": number(flag.percentage),
        "active_from": _moment(flag.active_from),
        "active_until": _moment(flag.active_until),
        "expires_on": flag.expires_on.isoformat() if flag.expires_on else None,
        "archived_at": _moment(flag.archived_at),
        "variants": [
            {"key": each.key, "value": each.value, "weight": each.weight}
            for each in sorted(flag.variants.all(), key=lambda each: (each.order, each.key))
        ],
        "rules": [
            _rule(each) for each in sorted(flag.rules.all(), key=lambda each: (each.order, each.pk))
        ],
        "prerequisites": [
            {"flag": each.required.key, "variant": each.variant}
            for each in flag.prerequisites.all()
        ],
        "stages": [
            {
                "percentage": number(each.percentage),
                "holds": None if each.holds is None else each.holds.total_seconds(),
            }
            for each in sorted(flag.stages.all(), key=lambda each: (each.order, each.pk))
        ],
        "rollout": _rollout(flag),
    }


def of_segment(segment: Segment) -> Document:
    """Write a segment down as a whole."""
    return {
        "key": segment.key,
        **plain_of_segment(segment),
        "included": _members(segment, excluded=False),
        "excluded": _members(segment, excluded=True),
    }


def plain_of_segment(segment: Segment) -> Document:
    """Write a segment down without its key and its members, which may be millions."""
    return {
        "name": segment.name,
        "description": segment.description,
        "match": segment.match,
        "on_demand": segment.on_demand,
        "conditions": [
            {
                "attribute": each.attribute,
                "operator": each.operator,
                "values": each.values,
                "negate": each.negate,
                "ignore_case": each.ignore_case,
            }
            for each in segment.conditions.all()
        ],
    }


def _rollout(flag: Flag) -> Document | None:
    rollout: Rollout | None = getattr(flag, "rollout", None)
    if rollout is None:
        return None
    return {"started_at": _moment(rollout.started_at), "paused_at": _moment(rollout.paused_at)}


def number(percentage: Decimal | float) -> float | int:
    """Return a percentage as the shortest JSON number."""
    return int(percentage) if percentage == int(percentage) else float(percentage)


def _rule(rule: Rule) -> Document:
    return {
        "segments": sorted(segment.key for segment in rule.segments.all()),
        "percentage": number(rule.percentage),
        "variant": rule.variant,
    }


def _members(segment: Segment, *, excluded: bool) -> list[str] | dict[str, Any]:
    members = segment.members.filter(excluded=excluded).order_by("targeting_key")
    keys = list(members.values_list("targeting_key", flat=True)[: MOST_MEMBERS + 1])
    if len(keys) <= MOST_MEMBERS:
        return keys
    last = members.order_by("-pk").values_list("pk", flat=True)[0]
    return {"count": members.count(), "last": last}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
