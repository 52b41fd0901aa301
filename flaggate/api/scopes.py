"""What the scopes of an API key allow, in the words of Django's permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaggate.models import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.request import Request

Scope = ApiKey.Scope

# evaluate:client needs no permission: a browser may ask for itself without one.
GRANTS: dict[str, frozenset[str]] = {
    Scope.EVALUATE_CLIENT: frozenset(),
    Scope.EVALUATE_SERVER: frozenset({"evaluate_flag"}),
    Scope.MANAGE_TOGGLE: frozenset({"toggle_flag", "rollout_flag"}),
    Scope.MANAGE_WRITE: frozenset(
        {
            *("view_flag", "add_flag", "change_flag", "delete_flag"),
            *("toggle_flag", "rollout_flag", "archive_flag", "revert_flag", "evaluate_flag"),
            *("view_segment", "add_segment", "change_segment", "delete_segment"),
            *("import_members", "revert_segment"),
            *("view_revision", "view_usage"),
        }
    ),
}
# Who may change all of a flag may turn it on; see changes/permissions.py.
IMPLIED = {
    "toggle_flag": "change_flag",
    "rollout_flag": "change_flag",
    "archive_flag": "change_flag",
    "revert_flag": "change_flag",
    "import_members": "change_segment",
    "revert_segment": "change_segment",
}


class KeyActor:
    """Who makes a change with an API key; asked like a user for permissions and for a name."""

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.permissions = granted(key.scopes)

    def has_perm(self, permission: str, obj: Any = None) -> bool:
        """Tell whether the key's scopes grant a permission, such as ``flaggate.toggle_flag``."""
        return permission.removeprefix("flaggate.") in self.permissions

    def get_username(self) -> str:
        """Return what the history calls it."""
        return f"key:{self.key.name}"

    __str__ = get_username


def granted(scopes: Iterable[str]) -> frozenset[str]:
    """Return the permissions that scopes grant; a scope that nobody knows grants none."""
    return frozenset().union(*(GRANTS.get(scope, frozenset()) for scope in scopes))


def exceeding(actor: Any, scopes: Iterable[str]) -> list[str]:
    """Return the permissions that scopes would grant, and that an actor has not got."""
    return sorted(permission for permission in granted(scopes) if not _allowed(actor, permission))


def _allowed(actor: Any, permission: str) -> bool:
    names = (permission, IMPLIED.get(permission, permission))
    return any(actor.has_perm(f"flaggate.{name}") for name in names)


def actor_of(request: Request) -> Any:
    """Return who asks: the request's API key as an actor, or else its user."""
    key = request.auth
    return KeyActor(key) if isinstance(key, ApiKey) else request.user
