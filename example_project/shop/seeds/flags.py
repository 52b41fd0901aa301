"""The flags of the shop, as they began; `history` has what happened to them since."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from flaggate.changes import change
from flaggate.models import Flag, Revision, Rule, Segment, Tombstone
from shop.seeds import segments

# Keys below that are no columns of the model (conditions, variants, rules …) are its parts.
FLAGS: list[dict[str, Any]] = [
    {
        "key": "new_checkout",
        "description": "A bigger “Buy now” button, and a checkout of one page.",
        "owner": "Checkout team",
        "tags": ["checkout", "growth"],
        "enabled": True,
        "percentage": 0,
        "bucket_by": "visitor",  # so that a browser keeps its answer through login
    },
    {
        "key": "gift_wrap",
        "description": "Wrap an order as a present. Out for everyone: ready to be removed.",
        "owner": "Checkout team",
        "tags": ["checkout"],
        "expires_on": lambda: timezone.localdate() + timedelta(days=7),
        "enabled": True,
    },
    {
        "key": "makers_notes",
        "description": "The makers' handwritten notes under a product.",
        "owner": "Catalogue team",
        "enabled": True,
        "percentage": 25,
        "bucket_by": "visitor",
    },
    {
        "key": "early_access",
        "description": "Products that are not on the shelf yet: all of staff, half of our testers.",
        "owner": "Catalogue team",
        "tags": ["catalogue"],
        "enabled": True,
        "percentage": 0,
        "rules": [
            {"segments": ["staff"]},
            {"segments": ["beta_testers", "vip_customers"], "percentage": 50},
        ],
    },
    {
        "key": "pay_by_invoice",
        "description": "Pay within 14 days, where people expect to.",
        "owner": "Checkout team",
        "tags": ["checkout", "payments"],
        "enabled": True,
        "percentage": 0,
        "rules": [{"segments": ["germany"]}],
    },
    {
        "key": "vip_gift",
        "description": "A strip of page flags in the basket of our regulars.",
        "owner": "Customer care",
        "tags": ["loyalty"],
        "kind": "permission",
        "permanent": True,
        "enabled": True,
        "percentage": 0,
        "rules": [{"segments": ["vip_customers"]}],
    },
    {
        "key": "banner",
        "description": "Which announcement sells more, or none?",
        "owner": "Marketing",
        "tags": ["growth"],
        "kind": "experiment",
        "enabled": False,
        "bucket_by": "visitor",
        "off_variant": "none",
        "variants": [
            {"key": "none", "value": {}, "weight": 20},
            {
                "key": "spring",
                "value": {
                    "headline": "Spring in the margins.",
                    "text": "New ink, new paper, and a lot of light green.",
                },
                "weight": 40,
            },
            {
                "key": "free_shipping",
                "value": {
                    "headline": "Free shipping from €40.",
                    "text": "The postman reads your envelopes, not your mind.",
                },
                "weight": 40,
            },
        ],
    },
    {
        "key": "express_delivery",
        "description": "By courier, tomorrow. Only the new checkout knows how to ask for it.",
        "owner": "Logistics",
        "tags": ["delivery"],
        "enabled": True,
        "prerequisites": ["new_checkout"],
    },
    {
        "key": "shipping_rates",
        "description": "Ask the carrier for its rates. Killed while the carrier's service is down.",
        "owner": "Logistics",
        "tags": ["delivery", "kill switch"],
        "kind": "operational",
        "permanent": True,
        "enabled": True,
        "off_variant": "flat",
        "variants": [
            {"key": "live", "value": 3.9, "weight": 1},
            {"key": "flat", "value": 4.9, "weight": 0},
        ],
    },
    {
        "key": "last_post",
        "description": "A line on every page until the postman has been; open pages follow.",
        "owner": "Logistics",
        "tags": ["delivery"],
        "kind": "operational",
        "permanent": True,
        "enabled": True,
        "client_visible": True,
    },
    {
        "key": "autumn_collection",
        "description": "The autumn products, at a day that is already set.",
        "owner": "Catalogue team",
        "tags": ["catalogue", "season"],
        "enabled": True,
        "active_from": lambda: timezone.now() + timedelta(days=30),
    },
    {
        "key": "loyalty_card",
        "description": "A stamp for each order. Deployed dark, not released yet.",
        "owner": "Customer care",
        "tags": ["loyalty"],
        "enabled": False,
    },
    {
        "key": "paper_catalogue",
        "description": "The printed catalogue. We stopped printing it.",
        "owner": "Marketing",
        "enabled": True,
        "archived_at": timezone.now,
    },
    {
        "key": "ink_subscription",
        "description": "A bottle of ink each month. Rises by itself, a stage every few days.",
        "owner": "Growth team",
        "tags": ["growth", "payments"],
        "percentage": 0,
        "rules": [{"segments": ["staff"]}, {"segments": ["new_app"], "percentage": 50}],
    },
    {
        "key": "refill_reminders",
        "description": "A mail when a bottle should be empty; only for those who may subscribe.",
        "owner": "Growth team",
        "tags": ["growth", "mail"],
        "enabled": True,
        "percentage": 0,
        "rules": [{"segments": ["newsletter"], "percentage": 50}],
        "prerequisites": ["ink_subscription"],
    },
    {
        "key": "order_tracking",
        "description": "Where the parcel is, in the account and by mail.",
        "owner": "Logistics",
        "tags": ["delivery", "mail"],
        "percentage": 0,
        "rules": [{"segments": ["early_birds"]}],
    },
    {
        "key": "card_payments",
        "description": "Cards at the checkout. Turned off, the shop takes invoices only.",
        "owner": "Checkout team",
        "tags": ["payments", "kill switch"],
        "kind": "operational",
        "permanent": True,
        "critical": True,
        "overridable": False,
        "enabled": True,
    },
    {
        "key": "address_lookup",
        "description": "Suggest addresses while they are typed.",
        "owner": "Checkout team",
        "tags": ["checkout"],
        "enabled": True,
        "percentage": 5,
        "off_variant": "none",
        "variants": [
            {"key": "none", "value": {"provider": None}, "weight": 0},
            {"key": "street", "value": {"provider": "street", "after": 3}, "weight": 50},
            {"key": "postcode", "value": {"provider": "postcode", "after": 5}, "weight": 50},
        ],
    },
]

COMMENT = "Seeded, so that the shop has something to show."


def seed() -> list[Revision]:
    """Add the missing segments and flags, and return their revisions; a deleted flag stays so."""
    new_segments = missing(segments.SEGMENTS, keys(Segment))
    new_flags = missing(FLAGS, keys(Flag) | keys(Tombstone))
    with change(source="command", comment=COMMENT) as opened:
        segments.write(new_segments)
        for flag in new_flags:
            write(**flag)
    return opened.revisions


def keys(model: type[Flag | Segment | Tombstone]) -> set[str]:
    return set(model.objects.values_list("key", flat=True))


def missing(wanted: list[dict[str, Any]], there: set[str]) -> list[dict[str, Any]]:
    return [each for each in wanted if each["key"] not in there]


def write(*, variants: Any = (), rules: Any = (), prerequisites: Any = (), **columns: Any) -> None:
    values = {name: value() if callable(value) else value for name, value in columns.items()}
    # Salts are random elsewhere; here everybody who reads the guide sees the same people inside.
    flag = Flag.objects.create(salt=columns["key"], **values)
    for order, variant in enumerate(variants):
        flag.variants.create(order=order, **variant)
    for order, rule in enumerate(rules):
        write_rule(flag, order, **rule)
    for key in prerequisites:
        flag.prerequisites.create(required=Flag.objects.get(key=key))


def write_rule(flag: Flag, order: int, *, segments: list[str], percentage: int = 100) -> None:
    rule = Rule.objects.create(flag=flag, order=order, percentage=percentage)
    rule.segments.set(Segment.objects.filter(key__in=segments))
