"""The one write path: every change of flags and segments goes through ``change()``."""

from flaggate.changes import rollouts
from flaggate.changes.actions import (
    add_members,
    archive,
    create,
    delete,
    disable,
    enable,
    include,
    restore,
    rollout,
    to_percentage,
)
from flaggate.changes.change import Change, change

__all__ = [
    "Change",
    "add_members",
    "archive",
    "change",
    "create",
    "delete",
    "disable",
    "enable",
    "include",
    "restore",
    "rollout",
    "rollouts",
    "to_percentage",
]
