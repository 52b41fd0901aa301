"""Gate API views by a flag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.http import Http404
from rest_framework.permissions import BasePermission

from flaggate.flags import flags_for

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class FlagRequired(BasePermission):
    """Lets a request pass where the view's ``required_flag`` is active; all others get a 404.

    With ``required_variant`` the flag must serve that one. The 404 is raised here, so that this
    permission can't be combined by ``|`` or ``~``; put it behind the others.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        key: str = getattr(view, "required_flag", "")
        if not key:
            raise ImproperlyConfigured(
                f"{type(view).__name__}.required_flag is missing. Set it to the key of a flag."
            )
        variant: Any = getattr(view, "required_variant", None)
        answer = flags_for(request).evaluate(key)
        if not answer.active or variant not in (None, answer.variant):
            raise Http404  # without a word: an unreleased feature has no name
        return True
