"""How often the flags were asked in the last two days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from flaggate.models import Flag, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HOURS = 48
ASLEEP = {"autumn_collection": 5, "loyalty_card": 30}  # since when nobody has asked, in hours
NEVER = {"paper_catalogue"}  # out of the code


def seed(keys: Iterable[str]) -> None:
    """Count answers of the flags with these keys."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    flags = Flag.objects.filter(key__in=set(keys) - NEVER).prefetch_related("variants")
    rows = [row for flag in flags for row in counted(flag, now)]
    Usage.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


def counted(flag: Flag, now: datetime) -> Iterator[Usage]:
    variants = [variant.key for variant in flag.variants.all()] or ["on", "off"]
    for ago in range(ASLEEP.get(flag.key, 0), HOURS):
        hour = now - timedelta(hours=ago)
        for place, variant in enumerate(variants):
            yield Usage(flag=flag.key, variant=variant, hour=hour, count=visits(hour, place))


def visits(hour: datetime, place: int) -> int:
    """Return how many came in an hour: few at night, most in the evening."""
    return (40 + 12 * hour.hour) // (place + 1)
