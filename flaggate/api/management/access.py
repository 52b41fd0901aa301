"""Who may: each action names the permissions of which one is enough to try it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission

from flaggate.api.scopes import actor_of
from flaggate.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.request import Request

# Whoever may do something to flags may see them; the same with segments.
OF_FLAGS = tuple(
    f"{verb}_flag"
    for verb in ("view", "add", "change", "delete", "toggle", "rollout", "archive", "revert")
)
OF_SEGMENTS = (
    *(f"{verb}_segment" for verb in ("view", "add", "change", "delete", "revert")),
    "import_members",
)

# No view has the method, which is answered next: 405.
NO_ACTION = (None, "metadata")


class MayManage(BasePermission):
    """Lets those pass who hold one of the permissions that a view names for the action.

    What a write really changes is judged once more, by the write path.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not known(request):
            return False
        if view.action in NO_ACTION:
            return True
        actor = actor_of(request)
        return any(actor.has_perm(f"flaggate.{name}") for name in view.permissions[view.action])


def known(request: Request) -> bool:
    """Tell whether the caller is a user of the project or holds an API key."""
    return isinstance(request.auth, ApiKey) or getattr(request.user, "is_authenticated", False)
