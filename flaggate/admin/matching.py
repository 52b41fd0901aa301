"""How many users a segment contains: counted when somebody asks, because all are looked at."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.translation import gettext as _

from flaggate import context
from flaggate.admin import members
from flaggate.admin.refusals import words
from flaggate.flags import flags_for
from flaggate.models import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

    from flaggate.core.evaluation import EvaluationContext
    from flaggate.models import Segment

LONGEST = 5.0  # seconds
CHUNK = 500  # users read at once


@dataclass(frozen=True, slots=True)
class Matching:
    """How many users were looked at, how many of those a segment contains, and of how many."""

    contained: int
    looked_at: int
    users: int

    @property
    def all_of_them(self) -> bool:
        """Whether there was time for everybody."""
        return self.looked_at == self.users

    @property
    def share(self) -> str:
        """The share of those in the segment."""
        return wording.rounded(self.contained * 100 / (self.looked_at or 1), 3)


def matching(
    model_admin: ModelAdmin[Segment], request: HttpRequest, object_id: str
) -> TemplateResponse:
    """Count the users that a segment contains."""
    segment = members.segment_of(model_admin, request, object_id)
    found, problem = None, ""
    try:
        with translation.override(settings.LANGUAGE_CODE):  # not that of who asks
            found = count(segment.key)
    except Exception as error:  # a broken condition, or an attribute of the project's own
        problem = words(error) or type(error).__name__
    title = _("How many users are in %s?") % segment.key
    shared = members.context(model_admin, request, segment, title)
    return TemplateResponse(
        request,
        "admin/flaggate/segment/matching.html",
        {**shared, "matching": found, "problem": problem},
    )


def count(key: str) -> Matching:
    """Count the users in a segment, as long as there is time. Raises what reading them raises."""
    test = flags_for().snapshot.test(key)
    contained = looked_at = 0
    until = time.monotonic() + LONGEST
    for subject in _subjects():
        contained, looked_at = contained + bool(test(subject)), looked_at + 1
        if time.monotonic() > until:
            break
    return Matching(contained, looked_at, get_user_model()._default_manager.count())


def _subjects() -> Iterator[EvaluationContext]:
    users: Any = get_user_model()._default_manager.order_by("pk")
    grouped = hasattr(users.model, "groups")
    if grouped:
        users = users.prefetch_related("groups")
    now = datetime.now(UTC)
    for user in users.iterator(chunk_size=CHUNK):
        subject = context.of_subject(user, now)
        if grouped:  # or else each user's groups would be one more query
            subject.attributes["groups"] = [group.name for group in user.groups.all()]
        yield subject
