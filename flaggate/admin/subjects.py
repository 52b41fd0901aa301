"""Users as subjects: read many at once, each with what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from flaggate import context
from flaggate.context.attributes import OF_REQUEST, VISITOR
from flaggate.context.memberships import memberships_of
from flaggate.core.evaluation import MEMBERSHIPS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Set
    from datetime import datetime

    from flaggate.core.evaluation import EvaluationContext

    Subject = tuple[Any, EvaluationContext]  # a user, and what is known of them

CHUNK = 200  # users read at once: in little of the time that a page has

# What only a request has: a user alone does not tell.
UNKNOWN = frozenset({*OF_REQUEST, VISITOR})


def unknown(key: str, attributes: Set[str]) -> str:
    """Say which of the attributes that a flag or segment reads no user tells; empty where none."""
    if not (missing := attributes & UNKNOWN):
        return ""
    words = _("%(key)s depends on what a user alone does not tell (%(attributes)s)")
    return words % {"key": key, "attributes": ", ".join(sorted(missing))}


def subjects(users: list[Any], attributes: Collection[str], now: datetime) -> Iterator[Subject]:
    """Tell what is known of users; what would be a query for each is read for all of them."""
    known: dict[str, dict[Any, Any]] = {}  # by attribute, and by user
    if "groups" in attributes and _have_groups():
        known["groups"] = _groups(users)
    if MEMBERSHIPS in attributes:
        known[MEMBERSHIPS] = _memberships(users)
    for user in users:
        subject = context.of_subject(user, now)
        subject.attributes.update({name: found[user.pk] for name, found in known.items()})
        yield user, subject


def _have_groups() -> bool:
    """Whether groups are rows that can be joined, and not something of the project's own."""
    return any(field.name == "groups" for field in get_user_model()._meta.many_to_many)


def _groups(users: list[Any]) -> dict[Any, list[str]]:
    found: dict[Any, list[str]] = {user.pk: [] for user in users}
    those = get_user_model()._default_manager.order_by().filter(pk__in=found)
    for pk, name in those.exclude(groups=None).values_list("pk", "groups__name"):
        found[pk].append(name)
    return found


def _memberships(users: list[Any]) -> dict[Any, dict[str, bool]]:
    keys = {user.pk: str(user.pk) for user in users}
    found = memberships_of(keys.values())
    return {pk: found.get(key, {}) for pk, key in keys.items()}
