"""In which on-demand segments a subject is: one indexed look-up for all of them together."""

from __future__ import annotations

from flaggate.models import Segment, SegmentMember, state


def memberships(targeting_key: str | None) -> dict[str, bool]:
    """Return the segments that include a targeting key, as True, or exclude it, as False.

    Raises DatabaseError.
    """
    if targeting_key is None:
        return {}
    using = state.alias()
    # A subquery and not a join, which SQLite would begin by reading all members there are.
    segments = Segment.objects.using(using).filter(on_demand=True).order_by()
    members = SegmentMember.objects.using(using).filter(
        segment__in=segments, targeting_key=targeting_key
    )
    rows = members.order_by("excluded").values_list("segment__key", "excluded")
    return {key: not excluded for key, excluded in rows}  # the last wins: the excluded
