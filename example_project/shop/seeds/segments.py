"""The audiences of the shop: by conditions of several types, by hand, and by a long list."""

from typing import Any

from django.contrib.auth import get_user_model

from flaggate.changes import add_members
from flaggate.models import Segment
from shop.seeds import customers

# Keys below that are no columns of the model (conditions, members) are its parts.
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
    {
        "key": "newsletter",
        "name": "Newsletter readers",
        "description": "From the mailing tool, as of this morning.",
        "members": customers.readers,
        "excluded": customers.complainers,
    },
    {
        "key": "early_birds",
        "name": "Early birds",
        "description": "With us since before 2025, or more than ten orders.",
        "match": "any",
        "conditions": [
            {
                "attribute": "date_joined",
                "operator": "before",
                "values": ["2025-01-01T00:00:00Z"],
            },
            {"attribute": "orders", "operator": "gt", "values": [10]},
            {"operator": "in_segment", "values": ["vip_customers"]},
        ],
    },
    {
        "key": "new_app",
        "name": "The new app",
        "description": "Phones whose app can show the subscription; not our own test devices.",
        "conditions": [
            {
                "attribute": "platform",
                "operator": "one_of",
                "values": ["ios", "android"],
                "ignore_case": True,
            },
            {"attribute": "app_version", "operator": "semver_gte", "values": ["2.4"]},
            {"attribute": "ip", "operator": "in_cidr", "values": ["10.20.0.0/16"], "negate": True},
        ],
    },
]


def write(segments: list[dict[str, Any]]) -> None:
    """Write segments; to be called inside a change."""
    for segment in segments:
        write_one(**segment)


def write_one(
    *, conditions: Any = (), members: Any = (), excluded: Any = (), **columns: Any
) -> None:
    segment = Segment.objects.create(**columns)
    for condition in conditions:
        segment.conditions.create(**condition)
    add_members(segment, keys_of(members))
    add_members(segment, keys_of(excluded), excluded=True)


def keys_of(members: Any) -> list[str]:
    """Return targeting keys: of users by their names, or what a function finds."""
    if callable(members):
        return list(members())
    users = get_user_model().objects.filter(username__in=members)
    return [str(pk) for pk in users.values_list("pk", flat=True)]
