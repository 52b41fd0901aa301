"""The list of flags: who gets what, and what can be done about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import OuterRef, Prefetch, Subquery, TextField, prefetch_related_objects
from django.db.models.functions import Cast
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from flaggate.admin import showing
from flaggate.admin.confirming import address, too_many
from flaggate.admin.filters import CURRENT, OwnerFilter, RolloutFilter, StateFilter, TagFilter
from flaggate.admin.verbs import VERBS
from flaggate.admin.write import RecordedAdmin
from flaggate.flags import pin
from flaggate.models import Prerequisite, Usage, wording
from flaggate.templatetags.flaggate_moments import ago, changed

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from flaggate.models import Flag

IN_BULK = {
    "turn-on": "toggle",
    "turn-off": "toggle",
    "share": "rollout",
    "archive": "archive",
    "restore": "archive",
}
STATE = StateFilter.parameter_name
SWITCHING = ("turn-on", "turn-off", "restore")
SHARING = ("share", "pause", "resume")
AT_LAST_STAGE = ("complete",)
REQUIRED = Prefetch("prerequisites", Prerequisite.objects.select_related("required"))
MOST_KNOWN = 5000

# The parts of flags, by the flag and its token, which is new with each change of them, and shared
# by all flags that one statement changed.
_known: dict[tuple[int, UUID], dict[str, Any]] = {}


def asking(name: str, permission: str) -> Callable[..., HttpResponse]:
    """Make the action that asks for a deed on the chosen flags."""

    @admin.action(description=VERBS[name].label, permissions=[permission])
    def ask(flags: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse:
        back = request.get_full_path()
        if refusal := too_many(chosen.count()):
            flags.message_user(request, refusal, messages.ERROR)
            return HttpResponseRedirect(back)
        return HttpResponseRedirect(address(name, chosen, back))

    ask.__name__ = name
    return ask


class FlagList(RecordedAdmin):
    """The list of flags."""

    list_display = ("key", "state", "audience", "about", "evaluated", "changed")
    actions = [asking(*entry) for entry in IN_BULK.items()]
    list_select_related = ("rollout",)
    list_filter = (StateFilter, RolloutFilter, "kind", OwnerFilter, TagFilter)
    search_fields = ("key", "description", "owner", "tags_text")
    search_help_text = _("Search in keys, descriptions, owners and tags.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        flags = super().get_queryset(request)
        usage = Usage.objects.filter(flag=OuterRef("key")).order_by("-hour")
        annotated: QuerySet[Any] = flags.annotate(
            tags_text=Cast("tags", TextField()),
            evaluated_at=Subquery(usage.values("hour")[:1]),
        )
        return annotated

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist: Any = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        changelist.hidden = hidden(request, changelist)
        changelist.with_archived = changelist.get_query_string({STATE: "any"})
        read_parts(changelist.result_list)
        quarantined, now = pin(request).snapshot.quarantined, timezone.now()
        for flag in changelist.result_list:
            flag.quarantined = broken = quarantined.get(flag.key)
            sharing = AT_LAST_STAGE if wording.at_last_stage(flag, now) else SHARING
            for name, verbs in (("switching", SWITCHING), ("sharing", sharing)):
                back = request.get_full_path()
                setattr(flag, name, showing.buttons(flag, request.user, verbs, back, broken))
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if not search_term.isascii():  # SQLite and MariaDB keep the JSON of the tags in ASCII
            escaped = json.dumps(search_term)[1:-1]
            found |= super().get_search_results(request, queryset, escaped)[0]
        return found, duplicates

    @admin.display(description=_("state"), ordering="enabled")
    def state(self, flag: Any) -> SafeString:
        notice = showing.quarantined() if flag.quarantined else ""
        switch = showing.switch(flag, flag.quarantined)
        return format_html("{} {} {}", switch, notice, flag.switching)

    @admin.display(description=_("who gets it"), ordering="percentage")
    def audience(self, flag: Any) -> SafeString:
        return format_html("{} {}", showing.audience(flag, flag.quarantined), flag.sharing)

    @admin.display(description=_("kind, owner"), ordering="kind")
    def about(self, flag: Flag) -> SafeString:
        return format_html("{}<br>{}", flag.get_kind_display(), flag.owner)

    @admin.display(description=_("last evaluated"), ordering="evaluated_at", empty_value="–")
    def evaluated(self, flag: Any) -> SafeString | None:
        return ago(flag.evaluated_at) if flag.evaluated_at else None

    @admin.display(description=_("last changed"), ordering="changed_at", empty_value="–")
    def changed(self, flag: Any) -> SafeString | None:
        return changed(flag)

    def has_toggle_permission(self, request: HttpRequest) -> bool:
        return VERBS["turn-off"].permitted(request.user)

    def has_rollout_permission(self, request: HttpRequest) -> bool:
        return VERBS["share"].permitted(request.user)

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return VERBS["archive"].permitted(request.user)


def hidden(request: HttpRequest, changelist: ChangeList) -> int:
    """Count the archived flags that a search would find, were they not hidden unasked."""
    if not changelist.query or STATE in changelist.params:
        return 0
    every = changelist.get_queryset(request, exclude_parameters=[STATE])
    return every.exclude(CURRENT).count()


def read_parts(flags: list[Any]) -> None:
    """Read the parts of flags that wording needs; only of those that have changed."""
    if len(_known) > MOST_KNOWN:
        _known.clear()
    new = [flag for flag in flags if (flag.pk, flag.token) not in _known]
    prefetch_related_objects(new, "rules__segments", REQUIRED, "stages")
    _known.update({(flag.pk, flag.token): flag._prefetched_objects_cache for flag in new})
    for flag in flags:
        flag._prefetched_objects_cache = _known[flag.pk, flag.token]
