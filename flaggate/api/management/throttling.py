"""How many requests a caller may send: the rate ``flaggate`` of REST framework's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from flaggate.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class ManagementThrottle(SimpleRateThrottle):
    """Counts by API key or by user; without a rate it lets everything pass."""

    scope = "flaggate"

    def get_rate(self) -> str | None:
        rate = api_settings.DEFAULT_THROTTLE_RATES.get(self.scope)
        return None if rate is None else str(rate)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        key = request.auth
        ident = f"key:{key.pk}" if isinstance(key, ApiKey) else f"user:{request.user.pk}"
        return self.cache_format % {"scope": self.scope, "ident": ident}
