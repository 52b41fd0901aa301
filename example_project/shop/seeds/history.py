"""What has happened to the flags in the last weeks: by whom, from where, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.utils import timezone

from flaggate import changes
from flaggate.api.scopes import KeyActor
from flaggate.changes import rollouts
from flaggate.models import ApiKey, Flag, Revision, Rollout, state
from shop.seeds import customers

if TYPE_CHECKING:
    from collections.abc import Iterable

BEGAN = 40  # days ago, when the shop got its flags
PIPELINE = "CI pipeline"  # the API key that changes flags
BROKEN = "address_lookup"


def start(key: str, plan: str, days: float) -> None:
    """Start a rollout as if that had been some days ago."""
    rollouts.start(key, rollouts.to_plan(plan), at=ago(days))


def pause(key: str, days: float) -> None:
    Rollout.objects.filter(flag__key=key).update(paused_at=ago(days))


def describe(key: str, words: str) -> None:
    Flag.objects.filter(key=key).update(description=words)


def subscribe(key: str, every: int) -> None:
    changes.members.add(key, customers.keys()[5::every])


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


# How many days ago, by whom, why, what, of which flag or segment, and with what.
EVENTS: list[tuple[Any, ...]] = [
    (24, "rosa", "First people outside the team", changes.rollout, "new_checkout", 5),
    (22, "rosa", "No complaints, 3 % more orders", changes.rollout, "new_checkout", 25),
    (21.1, "sam", "Payments fail in Firefox, ticket 4711", changes.disable, "new_checkout"),
    (21, "olivia", "Nobody, until it is fixed", changes.rollout, "new_checkout", 0),
    (18, "olivia", "Fixed in release 2.31", changes.enable, "new_checkout"),
    (16, "olivia", "Texts are approved", changes.enable, "banner"),
    (9.2, PIPELINE, "The provider has maintenance", changes.disable, "card_payments"),
    (9, PIPELINE, "The provider is back", changes.enable, "card_payments"),
    (6.1, "rosa", "As agreed on Monday", start, "order_tracking", "10:2d,50:4d,100", 6.1),
    (3, "rosa", "Ten days to everyone", start, "ink_subscription", "5:2d,25:3d,50:5d,100", 3),
    (2.1, "rosa", "Some parcels are tracked twice", pause, "order_tracking", 2.1),
    (1.1, "admin", "From the mailing tool", subscribe, "newsletter", 50),
    (0.8, "olivia", "", describe, "vip_gift", "A strip of page flags, while they last."),
    (0.3, "rosa", "A try with a few", changes.rollout, "address_lookup", 20),
    (0.1, "sam", "The carrier's service answers 503", changes.disable, "shipping_rates"),
]


def seed(seeded: list[Revision]) -> None:
    """Let happen what concerns the newly seeded flags and segments, each at its own moment."""
    date(seeded, BEGAN)
    keys = {revision.key for revision in seeded}
    for days, actor, comment, deed, key, *arguments in EVENTS:
        if key in keys:
            with changes.change(actor=actor_of(actor), source=source(actor), comment=comment) as it:
                deed(key, *arguments)
            date(it.revisions, days)
    if BROKEN in keys:
        break_by_hand(BROKEN)


def date(revisions: Iterable[Revision], days: float) -> None:
    """Say that revisions were made some days ago."""
    pks = [revision.pk for revision in revisions]
    Revision.objects.using(state.alias()).filter(pk__in=pks).update(created=ago(days))


def break_by_hand(key: str) -> None:
    """Spoil a flag by SQL, past every check, so that admin has a quarantined one to show."""
    pk = Flag.objects.values_list("pk", flat=True).get(key=key)
    with connections[state.alias()].cursor() as cursor:
        cursor.execute("UPDATE flaggate_flag SET off_variant = 'manual' WHERE id = %s", [pk])


def source(actor: str) -> str:
    return "api" if actor == PIPELINE else "admin"


def actor_of(name: str) -> Any:
    if name == PIPELINE:
        return KeyActor(ApiKey.objects.get(name=name))
    return get_user_model().objects.get(username=name)
