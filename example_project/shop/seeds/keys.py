"""API keys of machines. Their secrets are lost; make a key of your own to try one."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from flaggate.api import keys
from flaggate.models import ApiKey, Revision
from shop.seeds import history

# name → its scopes, and for how many days from now it is good; None for ever
KEYS: dict[str, tuple[list[str], int | None]] = {
    "Old CI pipeline": (["manage:toggle"], None),
    history.PIPELINE: (["manage:toggle"], 90),
    "Phone app": (["evaluate:client"], None),
    "Warehouse": (["evaluate:server"], 365),
}
REVOKED = "Old CI pipeline"


def seed() -> None:
    """Add the missing keys."""
    there = set(ApiKey.objects.values_list("name", flat=True))
    for name, (scopes, days) in KEYS.items():
        if name not in there:
            make(name, scopes, timezone.now() + timedelta(days=days) if days else None)


def make(name: str, scopes: list[str], expires_at: Any) -> None:
    how = {"actor": get_user_model().objects.get(username="admin"), "source": "admin"}
    key = keys.create(name, scopes, expires_at=expires_at, **how).key
    if name == REVOKED:
        keys.revoke(key, comment="The old pipeline is gone", **how)
    used = None if name == REVOKED else timezone.now() - timedelta(minutes=len(name))
    ApiKey.objects.filter(pk=key.pk).update(created=history.ago(history.BEGAN), last_used_at=used)
    history.date(Revision.objects.filter(key=key.prefix), history.BEGAN)
