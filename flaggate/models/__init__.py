"""Everything that is stored."""

from flaggate.models.flags import Flag, Prerequisite, Rule, Tombstone, Variant
from flaggate.models.idempotency import IdempotencyKey
from flaggate.models.keys import ApiKey
from flaggate.models.recording import Usage
from flaggate.models.revisions import Revision
from flaggate.models.rollouts import Rollout, Stage
from flaggate.models.segments import Condition, Segment, SegmentMember
from flaggate.models.state import State

__all__ = [
    "ApiKey",
    "Condition",
    "Flag",
    "IdempotencyKey",
    "Prerequisite",
    "Revision",
    "Rollout",
    "Rule",
    "Segment",
    "SegmentMember",
    "Stage",
    "State",
    "Tombstone",
    "Usage",
    "Variant",
]
