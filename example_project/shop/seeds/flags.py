"""The segments and flags of the shop, one flag in each state that a flag can be in."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from flaggate.changes import change
from flaggate.models import Flag, Rule, Segment, Tombstone

# Keys below that are no columns of the model (conditions, variants, rules …) are its parts.
SEGMENTS: list[dict[str, Any]] = [
    {
        "key": "staff",
        "name": "Staff",
        "description": "Whoever may log in to admin.",
        "conditions": [{"attribute": "is_staff", "operator": "one_of", "values": [True]}],
    },
    {
        "key": "beta_testers",
        "name": "Beta testers",
        "description": "Customers who asked to see things early.",
        "conditions": [{"attribute": "groups", "operator": "one_of", "values": ["beta"]}],
    },
    {
        "key": "vip_customers",
        "name": "VIP customers",
        "description": "Hand-picked regulars.",
        "members": ["ada", "dora"],
    },
    {
        "key": "germany",
        "name": "Germany",
        "description": "Browsers that prefer German.",
        "conditions": [{"attribute": "language", "operator": "starts_with", "values": ["de"]}],
    },
]

FLAGS: list[dict[str, Any]] = [
    {
        "key": "new_checkout",
        "description": "A bigger “Buy now” button, and a checkout of one page.",
        "owner": "Checkout team",
        "enabled": True,
        "percentage": 0,
        "bucket_by": "visitor",  # so that a browser keeps its answer through login
    },
    {
        "key": "gift_wrap",
        "description": "Wrap an order as a present. Out for everyone: ready to be removed.",
        "owner": "Checkout team",
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
        "enabled": True,
        "percentage": 0,
        "rules": [{"segments": ["germany"]}],
    },
    {
        "key": "vip_gift",
        "description": "A strip of page flags in the basket of our regulars.",
        "owner": "Customer care",
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
        "kind": "experiment",
        "enabled": True,
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
        "enabled": True,
        "prerequisites": ["new_checkout"],
    },
    {
        "key": "shipping_rates",
        "description": "Ask the carrier for its rates. Killed while the carrier's service is down.",
        "owner": "Logistics",
        "kind": "operational",
        "permanent": True,
        "enabled": False,
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
        "kind": "operational",
        "permanent": True,
        "enabled": True,
        "client_visible": True,
    },
    {
        "key": "autumn_collection",
        "description": "The autumn products, at a day that is already set.",
        "owner": "Catalogue team",
        "enabled": True,
        "active_from": lambda: timezone.now() + timedelta(days=30),
    },
    {
        "key": "loyalty_card",
        "description": "A stamp for each order. Deployed dark, not released yet.",
        "owner": "Customer care",
        "enabled": False,
    },
    {
        "key": "paper_catalogue",
        "description": "The printed catalogue. We stopped printing it.",
        "owner": "Marketing",
        "enabled": True,
        "archived_at": timezone.now,
    },
]

COMMENT = "Seeded, so that the shop has something to show."


def seed() -> None:
    """Add the missing segments and flags; a deleted flag stays deleted."""
    segments = missing(SEGMENTS, keys(Segment))
    flags = missing(FLAGS, keys(Flag) | keys(Tombstone))
    if not segments and not flags:
        return
    with change(source="command", comment=COMMENT):
        for segment in segments:
            seed_segment(**segment)
        for flag in flags:
            seed_flag(**flag)


def keys(model: type[Flag | Segment | Tombstone]) -> set[str]:
    return set(model.objects.values_list("key", flat=True))


def missing(wanted: list[dict[str, Any]], there: set[str]) -> list[dict[str, Any]]:
    return [each for each in wanted if each["key"] not in there]


def seed_segment(*, conditions: Any = (), members: Any = (), **columns: Any) -> None:
    segment = Segment.objects.create(**columns)
    for condition in conditions:
        segment.conditions.create(**condition)
    for user in get_user_model().objects.filter(username__in=members):
        segment.members.create(targeting_key=str(user.pk))


def seed_flag(
    *, variants: Any = (), rules: Any = (), prerequisites: Any = (), **columns: Any
) -> None:
    values = {name: value() if callable(value) else value for name, value in columns.items()}
    flag = Flag.objects.create(**values)
    for order, variant in enumerate(variants):
        flag.variants.create(order=order, **variant)
    for order, rule in enumerate(rules):
        seed_rule(flag, order, **rule)
    for key in prerequisites:
        flag.prerequisites.create(required=Flag.objects.get(key=key))


def seed_rule(flag: Flag, order: int, *, segments: list[str], percentage: int = 100) -> None:
    rule = Rule.objects.create(flag=flag, order=order, percentage=percentage)
    rule.segments.set(Segment.objects.filter(key__in=segments))
