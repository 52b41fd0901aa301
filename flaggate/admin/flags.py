"""The page of a flag, and what can be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import path
from django.utils.translation import gettext_lazy as _

from flaggate import changes
from flaggate.admin import asking, showing
from flaggate.admin.confirming import confirm
from flaggate.admin.flag_form import FlagForm, must_state
from flaggate.admin.flag_list import FlagList
from flaggate.admin.inlines import (
    PERCENTAGES,
    PrerequisiteInline,
    RuleInline,
    VariantInline,
)
from flaggate.admin.moments import changed
from flaggate.admin.verbs import VERBS
from flaggate.admin.write import RecordedAdmin
from flaggate.models import Flag, Prerequisite, Rule, Stage, Variant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest, HttpResponse


@admin.register(Flag)
class FlagAdmin(FlagList):
    """Release, watch and stop features."""

    form = FlagForm
    inlines = (RuleInline, VariantInline, PrerequisiteInline)
    formfield_overrides = {**RecordedAdmin.formfield_overrides, **PERCENTAGES}

    # --- the page -----------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        may_write = self.has_change_permission(request, obj) if obj else True
        return [
            (None, {"fields": ["key", "description", "kind"]}),
            (_("Release"), {"fields": ["enabled", "percentage", "bucket_by", "off_variant"]}),
            *([(None, {"fields": ["people"]})] if may_write and _may_add_people(request) else []),
            (_("Schedule"), {"fields": [("active_from", "active_until")], "classes": FOLDED}),
            (_("Lifecycle"), {"fields": LIFECYCLE, "classes": FOLDED}),
            *([_save_fieldset(obj)] if may_write else []),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        return {"percentage": 0, **super().get_changeform_initial_data(request)}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> Any:
        flag = context.get("original")
        if flag and (stored := self.get_object(request, str(flag.pk))):  # not as it was typed
            context |= {
                "flag_state": showing.state(stored),
                "flag_changed": changed(stored),
                "flag_deeds": showing.buttons(stored, request.user, VERBS),
            }
        return super().render_change_form(request, context, *args, **options)

    def save_extras(self, form: Any, formsets: Any, change: bool) -> None:
        flag = form.instance
        if people := form.cleaned_data.get("people"):
            changes.include(flag, people)
        rules = next(formset for formset in formsets if formset.model is Rule)
        if change and not rules.initial_forms and flag.rules.exists():
            must_state(form)

    # --- what can be done to a flag -----------------------------------------------------------

    def get_urls(self) -> list[Any]:
        ask = path("do/<slug:name>/", self.admin_site.admin_view(self.do_view), name=DO)
        return [ask, *asking.urls(), *super().get_urls()]

    def do_view(self, request: HttpRequest, name: str) -> HttpResponse:
        return confirm(self, request, name)

    # --- deletion -----------------------------------------------------------------------------

    def users(self, whole: Flag) -> Iterable[Flag]:
        return Flag.objects.filter(prerequisites__required=whole)

    def parts(self, whole: Flag) -> dict[Any, int]:
        return {
            model._meta.verbose_name_plural: model._default_manager.filter(flag=whole).count()
            for model in (Variant, Rule, Prerequisite, Stage)
        }


DO = "flaggate_flag_verb"
FOLDED = ["collapse", "flaggate-after"]
LIFECYCLE = [
    "owner",
    "tags",
    "permanent",
    "expires_on",
    "critical",
    "client_visible",
    "overridable",
]


def _save_fieldset(flag: Flag | None) -> Any:
    typed = ["typed_key"] if flag and flag.critical else []
    return (None, {"fields": ["comment", *typed, "seen", "stated"], "classes": ["flaggate-after"]})


def _may_add_people(request: HttpRequest) -> bool:
    return request.user.has_perms(("flaggate.add_segment", "flaggate.change_segment"))
