"""How many users a segment contains: all are looked at, so it is counted slice by slice.

A page says how far it has come, and a script, or a link, goes on from there: no request takes
long, however many users there are.
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.translation import gettext as _

from flaggate.admin import members
from flaggate.admin.refusals import words
from flaggate.admin.subjects import CHUNK, subjects, unknown
from flaggate.core import references
from flaggate.flags import flags_for
from flaggate.models import wording

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

    from flaggate.admin.subjects import Subject
    from flaggate.models import Segment

LONGEST = 0.2  # seconds that a request counts


@dataclass(frozen=True, slots=True)
class Matching:
    """How many users were looked at, of how many, and how many of those a segment contains."""

    contained: int = 0
    looked_at: int = 0
    users: int = 0
    last: str = ""  # the primary key of whom was looked at last; empty when all were

    @property
    def share(self) -> str:
        """The share of those in the segment."""
        return wording.rounded(self.contained * 100 / (self.looked_at or 1), 3)


def matching(
    model_admin: ModelAdmin[Segment], request: HttpRequest, object_id: str
) -> TemplateResponse:
    """Count the users that a segment contains."""
    segment = members.segment_of(model_admin, request, object_id)
    found, problem = Matching(), ""
    key = f"flaggate.matching.{segment.pk}.{segment.version}"  # what is changed is counted anew
    try:
        if reason := unknown(segment.key, _attributes(segment.key)):
            problem = f"{reason}."
        else:
            with translation.override(settings.LANGUAGE_CODE):  # not that of who asks
                found = count(segment.key, _so_far(request, key))
    except Exception as error:  # a broken condition, or an attribute of the project's own
        problem = words(error) or type(error).__name__
    title = _("How many users are in %s?") % segment.key
    more = {
        "matching": found,
        "problem": problem,
        "so_far": signing.dumps(astuple(found), salt=key) if found.last else "",
    }
    shared = members.context(model_admin, request, segment, title)
    return TemplateResponse(request, "admin/flaggate/segment/matching.html", {**shared, **more})


def _so_far(request: HttpRequest, key: str) -> Matching:
    """Read how far an earlier request has come; where that can't be, begin anew."""
    try:
        return Matching(*signing.loads(request.GET.get("so_far", ""), salt=key))
    except signing.BadSignature:
        return Matching()


def count(key: str, so_far: Matching = Matching()) -> Matching:
    """Count the users in a segment, as long as there is time. Raises what reading them raises."""
    snapshot = flags_for().snapshot
    test = snapshot.test(key)
    attributes = _attributes(key)
    contained, looked_at = so_far.contained, so_far.looked_at
    users = so_far.users or get_user_model()._default_manager.count()
    until = time.monotonic() + LONGEST
    for user, subject in _in_order(so_far.last, attributes):
        contained, looked_at = contained + bool(test(subject)), looked_at + 1
        if time.monotonic() > until:
            return Matching(contained, looked_at, max(users, looked_at), str(user.pk))
    return Matching(contained, looked_at, looked_at)


def _attributes(key: str) -> set[str]:
    """Return the attributes that a segment may read, and those nested in it."""
    return references.asked_by(references.reached([key], flags_for().snapshot.segments))


def _in_order(after: Any, attributes: Collection[str]) -> Iterator[Subject]:
    """Read users by primary key, after one of them."""
    users = get_user_model()._default_manager.order_by("pk")
    now = datetime.now(UTC)
    # Not iterator(): on PostgreSQL it would make the database keep all that are left.
    while found := list((users.filter(pk__gt=after) if after else users)[:CHUNK]):
        yield from subjects(found, attributes, now)
        after = found[-1].pk
