"""The one write path: every change of flags and segments goes through ``change()``."""

from flaggate.changes import members, rollouts, together
from flaggate.changes.actions import (
    archive,
    create,
    delete,
    disable,
    enable,
    include,
    restore,
    rollout,
    schedule,
)
from flaggate.changes.change import Change, change
from flaggate.changes.members import add_members
from flaggate.changes.rehearsing import rehearse
from flaggate.changes.reverting import copy, revert_flag, revert_segment, undo
from flaggate.changes.together import to_percentage

__all__ = [
    "Change",
    "add_members",
    "archive",
    "change",
    "copy",
    "create",
    "delete",
    "disable",
    "enable",
    "include",
    "members",
    "rehearse",
    "restore",
    "revert_flag",
    "revert_segment",
    "rollout",
    "rollouts",
    "schedule",
    "to_percentage",
    "together",
    "undo",
]
