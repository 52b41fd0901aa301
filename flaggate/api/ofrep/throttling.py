"""How much a caller may ask and report: rates of REST framework's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from flaggate.api.authentication import is_visitor
from flaggate.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class EvaluationThrottle(SimpleRateThrottle):
    """Bounds what a user, a visitor, or with a key an address asks; nothing without a rate."""

    scope = "flaggate_evaluation"
    usual: ClassVar[str | None] = None  # the rate, unless the project's settings name one

    def get_rate(self) -> str | None:
        rate = api_settings.DEFAULT_THROTTLE_RATES.get(self.scope)
        return self.usual if rate is None else str(rate)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Name whom to count: everybody who sees a page shares its key."""
        if isinstance(request.auth, ApiKey):
            caller = f"key-{request.auth.pk}-{self.get_ident(request)}"
        elif is_visitor(request):
            caller = f"visitor-{request.auth}"
        else:
            caller = f"user-{request.user.pk or self.get_ident(request)}"
        return self.cache_format % {"scope": self.scope, "ident": caller}


class UsageThrottle(EvaluationThrottle):
    """Bounds the reports of what was used."""

    scope = "flaggate_usage"
    usual = "60/min"
