"""The one write path: every change of flags and segments goes through ``change()``."""

from flaggate.changes.actions import (
    archive,
    create,
    delete,
    disable,
    enable,
    restore,
    rollout,
    to_percentage,
)
from flaggate.changes.change import Change, change

__all__ = [
    "Change",
    "archive",
    "change",
    "create",
    "delete",
    "disable",
    "enable",
    "restore",
    "rollout",
    "to_percentage",
]
