"""The page of a flag, and what can be done to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import prefetch_related_objects
from django.forms import Script
from django.http import QueryDict
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from flaggate import changes
from flaggate.admin import asking, overriding, quarantine, showing, supposing
from flaggate.admin.columns import listed, readable, shown
from flaggate.admin.confirming import ConfirmForm, confirm, told
from flaggate.admin.dependents import dependents
from flaggate.admin.fields import with_moments
from flaggate.admin.flag_form import FlagForm, must_state
from flaggate.admin.flag_list import FlagList
from flaggate.admin.inlines import (
    PERCENTAGES,
    PrerequisiteInline,
    RuleInline,
    StageInline,
    VariantInline,
)
from flaggate.admin.saving import Saving
from flaggate.admin.supposing import ASK, suppose
from flaggate.admin.timeline import timeline
from flaggate.admin.undoing import MOST_NAMED, with_undo
from flaggate.admin.verbs import VERBS
from flaggate.admin.write import RecordedAdmin, linked
from flaggate.exceptions import ChangeRefused
from flaggate.models import Flag, Prerequisite, Rule, Stage, Variant, state, wording
from flaggate.templatetags.flaggate_moments import changed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from flaggate.admin.saving import Review
    from flaggate.changes import Change
    from flaggate.changes.change import Difference

MODULES = ("order", "shares")


@admin.register(Flag)
class FlagAdmin(FlagList):
    """Release, watch and stop features."""

    form = FlagForm
    inlines = (RuleInline, VariantInline, PrerequisiteInline, StageInline)
    formfield_overrides = {**RecordedAdmin.formfield_overrides, **PERCENTAGES}

    class Media:
        js = [Script(f"flaggate/{name}.js", type="module") for name in MODULES]

    # --- the page -----------------------------------------------------------------------------

    tagged = shown(Flag, "tags", listed)
    begins = shown(Flag, "active_from")
    ends = shown(Flag, "active_until")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        may_write = self.has_change_permission(request, obj) if obj else True
        fieldsets = self._fieldsets(request, obj, may_write)
        if not may_write:
            for _name, options in fieldsets:
                options["fields"] = readable(options["fields"], COLUMNS)
        return fieldsets

    def _fieldsets(self, request: HttpRequest, obj: Any, may_write: bool) -> list[Any]:
        return [
            (None, {"fields": ["key", "description", "kind"]}),
            (_("Release"), {"fields": ["enabled", "percentage", "bucket_by", "off_variant"]}),
            *([(None, {"fields": ["people"]})] if may_write and _may_add_people(request) else []),
            # Not side by side in a tuple: Django would not open the section for an error of theirs.
            (_("Schedule"), {**SCHEDULE, "description": _in_zone() if may_write else ""}),
            (_("Lifecycle"), {"fields": LIFECYCLE, "classes": FOLDED}),
            *([_save_fieldset(obj)] if may_write else []),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        asked = super().get_changeform_initial_data(request)
        return {"percentage": 0, **with_moments(Flag, asked)}

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        running = obj is not None and wording.rollout_of(obj) is not None
        return [each for each in self.inlines if not (running and each is StageInline)]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> Any:
        typed = context["original"]
        if typed and (stored := self.get_object(request, str(typed.pk))):
            context |= self._header(request, stored) | self._supposed(request, stored, context)
        return super().render_change_form(request, context, *args, **options)

    def _header(self, request: HttpRequest, stored: Flag) -> dict[str, Any]:
        broken = quarantine.why(request, stored.key)
        return {
            "stored": stored,
            "state": showing.state(stored, broken),
            "last_changed": changed(stored),
            "deeds": showing.buttons(stored, request.user, VERBS, broken=broken),
            "timeline": [] if broken else list(timeline(stored, timezone.now())),
            "shares": showing.shares(stored),
            "override": overriding.offer(request, stored.key),
            "dependents": dependents([stored.pk]).get(stored.pk),
            "quarantined": broken,
        }

    def _supposed(self, request: HttpRequest, stored: Flag, context: Any) -> dict[str, Any]:
        review = Saving.of(request).review
        if review is None or review.definitions is None:
            return {}
        found = suppose(self.admin_site, request, stored.key, review.definitions)
        return {"supposed": found, "media": context["media"] + found.form.media}

    def review(self, request: HttpRequest, whole: Flag, differing: list[Difference]) -> Review:
        review = super().review(request, whole, differing)
        if ASK not in request.POST:
            return review
        asking.permit(request)
        return replace(review, definitions=supposing.read(whole, differing))

    def words(self, whole: Flag) -> str:
        return wording.state(Flag.objects.using(state.alias()).get(pk=whole.pk))

    def said(self, request: HttpRequest, whole: Flag, opened: Change) -> SafeString:
        # Where people were added, it may be that only the segment of those has changed.
        edited = {each.key for each in opened.revisions if each.subject == "flag"}
        flag = Flag.objects.get(pk=whole.pk)
        return with_undo(request, told([flag]), [flag] if flag.key in edited else [])

    def save_extras(self, form: Any, formsets: Any, change: bool) -> None:
        flag = form.instance
        if people := form.cleaned_data.get("people"):
            changes.include(flag, people)
        rules = next(formset for formset in formsets if formset.model is Rule)
        if change and not rules.initial_forms and flag.rules.exists():
            must_state(form)

    @admin.display(description=Flag._meta.get_field("percentage").verbose_name)
    def share(self, flag: Flag) -> str:
        now = timezone.now()
        share = wording.percent(wording.percentage(flag, now))
        stage = wording.progress(flag, now)
        return f"{share} ({stage})" if stage else share

    # --- what can be done to a flag -----------------------------------------------------------

    def get_urls(self) -> list[Any]:
        ask = path("do/<slug:name>/", self.admin_site.admin_view(self.do_view), name=DO)
        return [ask, *asking.urls(self), *overriding.urls(self), *super().get_urls()]

    def do_view(self, request: HttpRequest, name: str) -> HttpResponse:
        return confirm(self, request, name)

    # --- deletion -----------------------------------------------------------------------------

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        flag = self.get_object(request, unquote(object_id))
        if flag is None:
            return super().delete_view(request, object_id, extra_context)
        form = ConfirmForm([flag], request.POST or None)
        if request.POST and not form.is_valid():
            request.POST = QueryDict()  # with any, Django deletes
        more = {"form": form, "state": wording.state(flag), **(extra_context or {})}
        return super().delete_view(request, object_id, more)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        flags = list(objs)
        if "action" in request.POST:  # a flag's own page asks for its key
            _refuse_critical(flags)
        prefetch_related_objects(flags, *wording.READS)
        _links, *others = super().get_deleted_objects(flags, request)
        said = [format_html("{}: {}", linked(flag), wording.state(flag)) for flag in flags]
        return said, *others

    def users(self, whole: Flag) -> Iterable[Flag]:
        return Flag.objects.filter(prerequisites__required=whole)

    def parts(self, whole: Flag) -> dict[Any, int]:
        return {
            model._meta.verbose_name_plural: model._default_manager.filter(flag=whole).count()
            for model in (Variant, Rule, Prerequisite, Stage)
        }


DO = "flaggate_flag_verb"
COLUMNS = {
    "percentage": "share",
    "tags": "tagged",
    "active_from": "begins",
    "active_until": "ends",
}
FOLDED = ["collapse", "flaggate-after"]
SCHEDULE = {"fields": ["active_from", "active_until"], "classes": FOLDED}
LIFECYCLE = [
    "owner",
    "tags",
    "permanent",
    "expires_on",
    "critical",
    "client_visible",
    "overridable",
]


def _in_zone() -> str:
    """Say in which zone moments are typed: a browser need not be in it."""
    return gettext("Type moments in the zone %s.") % timezone.get_current_timezone_name()


def _save_fieldset(flag: Flag | None) -> Any:
    typed = ["typed_key"] if flag and flag.critical else []
    return (
        None,
        {
            "fields": ["comment", *typed, "seen", "stated"],
            "classes": ["flaggate-after", "flaggate-save"],
        },
    )


def _refuse_critical(flags: list[Flag]) -> None:
    """Raise ChangeRefused where a flag is critical."""
    keys = [flag.key for flag in flags if flag.critical]
    if keys:
        words = ngettext(
            "Nothing was deleted. The flag %(keys)s is critical: delete it from its own page, "
            "which asks for its key.",
            "Nothing was deleted. The flags %(keys)s are critical: delete each from its own page, "
            "which asks for its key.",
            len(keys),
        )
        raise ChangeRefused(words % {"keys": ", ".join(keys[:MOST_NAMED])})


def _may_add_people(request: HttpRequest) -> bool:
    return request.user.has_perms(("flaggate.add_segment", "flaggate.change_segment"))
