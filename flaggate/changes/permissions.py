"""Which permissions a change needs, by what it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaggate.changes.differences import same

if TYPE_CHECKING:
    from flaggate.models.documents import Document

# Whoever may change all of a flag or segment needs none of these; who has only some of these may
# change only what they name.
PARTIAL = {
    "flag": {
        "enabled": "toggle_flag",
        "percentage": "rollout_flag",
        "stages": "rollout_flag",
        "rollout": "rollout_flag",
        "active_from": "rollout_flag",
        "active_until": "rollout_flag",
        "archived_at": "archive_flag",
    },
    "segment": {"included": "import_members", "excluded": "import_members"},
}


def lacking(
    actor: Any,
    subject: str,
    before: Document | None,
    after: Document | None,
    *,
    reverted: bool,
) -> list[str]:
    """Return the permissions that an actor would need for a change, and lacks.

    ``reverted`` says that ``after`` is what the flag or segment was at an earlier revision.
    """
    if before is None or after is None:
        whole = "add" if before is None else "delete"
        return _missing(actor, {f"{whole}_{subject}"})
    if actor.has_perm(f"flaggate.change_{subject}"):
        return []
    if reverted and actor.has_perm(f"flaggate.revert_{subject}"):
        return []
    return _missing(actor, needed(subject, before, after))


def needed(subject: str, before: Document, after: Document) -> set[str]:
    """Return the narrowest permissions that allow the difference between two documents."""
    partial = PARTIAL[subject]
    return {
        partial.get(name, f"change_{subject}")
        for name in before.keys() | after.keys()
        if not same(before.get(name), after.get(name))
    }


def _missing(actor: Any, names: set[str]) -> list[str]:
    permissions = sorted(f"flaggate.{name}" for name in names)
    return [permission for permission in permissions if not actor.has_perm(permission)]
