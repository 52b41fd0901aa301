"""In which on-demand segments a subject is: one indexed look-up for all of them together."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from flaggate.models import Segment, SegmentMember, state

if TYPE_CHECKING:
    from collections.abc import Iterable


def memberships(targeting_key: str | None) -> dict[str, bool]:
    """Return the segments that include a targeting key, as True, or exclude it, as False.

    Raises DatabaseError.
    """
    if targeting_key is None:
        return {}
    return memberships_of([targeting_key]).get(targeting_key, {})


def memberships_of(targeting_keys: Iterable[str]) -> dict[str, dict[str, bool]]:
    """Return the same for many targeting keys, in one look-up; who is in none is left out.

    Raises DatabaseError.
    """
    using = state.alias()
    # A subquery and not a join, which SQLite would begin by reading all members there are.
    segments = Segment.objects.using(using).filter(on_demand=True).order_by()
    members = SegmentMember.objects.using(using).filter(
        segment__in=segments, targeting_key__in=list(targeting_keys)
    )
    rows = members.order_by("excluded").values_list("targeting_key", "segment__key", "excluded")
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for targeting_key, segment, excluded in rows:  # the last wins: the excluded
        found[targeting_key][segment] = not excluded
    return found
