"""Flags: the list, the page of one, and the actions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, TextField, prefetch_related_objects
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from flaggate import changes
from flaggate.admin import asking
from flaggate.admin.fields import JSONField, PercentageField, TagsField, TargetingKeysField
from flaggate.admin.filters import OwnerFilter, StateFilter, TagFilter
from flaggate.admin.formsets import OrderedForm, OrderedParts, Part
from flaggate.admin.widgets import ManyByKey, OneByKey
from flaggate.admin.write import RecordedAdmin, RecordedForm, changed
from flaggate.core.definitions import Problem
from flaggate.exceptions import ChangeRefused, Invalid
from flaggate.models import Flag, Prerequisite, Rule, Stage, Tombstone, Variant, wording
from flaggate.models.flags import Percentage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import Field, QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    Overrides = dict[type[Field[Any, Any]], Mapping[str, Any]]

MOST_NAMED = 5
VARIANT = {"class": "vTextField", "list": "flaggate-variants"}  # offered by the page's datalist
REQUIRED = Prefetch("prerequisites", Prerequisite.objects.select_related("required"))
PERCENTAGES: Overrides = {Percentage: {"form_class": PercentageField}}


class Unstated(Invalid):
    """A first rule, with nobody having said what everyone else gets."""


class FlagForm(RecordedForm):
    """A flag without its parts, plus the people to add to it."""

    parts = ("variants", "rules", "prerequisites")

    tags = TagsField(
        required=False,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text=_("Separated by commas."),
    )
    people = TargetingKeysField(
        label=_("Add people"),
        required=False,
        help_text=_(
            "Targeting keys, such as a user's id, one a line. They get the flag by the rule on "
            "top, and are kept in the segment that is named after the flag, with “.people”."
        ),
    )
    typed_key = forms.CharField(
        label=_("Type the key"),
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=_("This flag is critical: type its key, so that it is not changed by mistake."),
    )
    stated = forms.BooleanField(required=False, widget=forms.HiddenInput)

    class Meta:
        widgets = {"off_variant": forms.TextInput(VARIANT)}

    def clean_key(self) -> Any:
        key = self.cleaned_data["key"]
        if Tombstone.objects.filter(key=key).exists():
            raise ValidationError(
                _("“%(key)s” belonged to a flag that was deleted. Choose another key."),
                params={"key": key},
            )
        return key

    def clean_typed_key(self) -> Any:
        typed = self.cleaned_data["typed_key"]
        if self.instance.pk and self.instance.critical and typed != self.instance.key:
            raise ValidationError(
                _("Type “%(key)s”: this flag is critical."), params={"key": self.instance.key}
            )
        return typed

    def clean(self) -> Any:
        cleaned = super().clean()
        if isinstance(self.refusal, Unstated):
            data: Any = self.data
            self.data = data = data.copy()
            data["percentage"], data["stated"] = "0", "on"
        return cleaned


class RuleForm(OrderedForm):
    """A rule, which may name a variant."""

    class Meta:
        widgets = {"variant": forms.TextInput(VARIANT)}


class VariantForm(OrderedForm):
    """A variant, its value as JSON."""

    value = JSONField(label=_("value"), help_text=Variant._meta.get_field("value").help_text)


class RuleInline(Part):
    """Who gets the flag, in order."""

    model = Rule
    verbose_name_plural = _("rules: the first that matches decides")
    form = RuleForm
    formset = OrderedParts
    formfield_overrides = PERCENTAGES
    fields = ("order", "segments", "percentage", "variant")
    autocomplete_fields = ("segments",)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **options: Any) -> Any:
        options["widget"] = ManyByKey(db_field, self.admin_site)
        return super().formfield_for_manytomany(db_field, request, **options)


class VariantInline(Part):
    """What the flag serves."""

    model = Variant
    form = VariantForm
    formset = OrderedParts
    fields = ("order", "key", "value", "weight")


class PrerequisiteInline(Part):
    """What must be active first."""

    model = Prerequisite
    fk_name = "flag"
    fields = ("required", "variant")
    autocomplete_fields = ("required",)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **options: Any) -> Any:
        options["widget"] = OneByKey(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        formset = super().get_formset(request, obj, **options)
        widget = formset.form.base_fields["required"].widget
        # A flag is no detail of another one: only to be looked at from there.
        widget.can_add_related = widget.can_change_related = widget.can_delete_related = False
        return formset


@admin.register(Flag)
class FlagAdmin(RecordedAdmin):
    """Release, watch and stop features."""

    form = FlagForm
    inlines = (RuleInline, VariantInline, PrerequisiteInline)
    formfield_overrides = {**RecordedAdmin.formfield_overrides, **PERCENTAGES}
    list_display = ("key", "kind", "state", "owner", "changed")
    list_select_related = ("rollout",)
    list_filter = (StateFilter, "kind", OwnerFilter, TagFilter)
    search_fields = ("key", "description", "owner", "tags_text")
    actions = ("turn_on", "turn_off", "archive", "restore")

    def get_urls(self) -> Any:
        return [*asking.urls(self), *super().get_urls()]

    # --- the list -----------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        flags = super().get_queryset(request)
        searchable: QuerySet[Any] = flags.annotate(tags_text=Cast("tags", TextField()))
        return searchable

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        changelist.result_list = flags = list(changelist.result_list)
        running = [flag for flag in flags if wording.rollout_of(flag)]
        prefetch_related_objects(flags, "rules__segments", REQUIRED)
        prefetch_related_objects(running, "stages")
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
    def state(self, flag: Flag) -> SafeString:
        return state(flag)

    @admin.display(description=_("last changed"), ordering="changed_at", empty_value="–")
    def changed(self, flag: Any) -> SafeString | None:
        return changed(flag)

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
            context |= {"flag_state": state(stored), "flag_changed": changed(stored)}
        return super().render_change_form(request, context, *args, **options)

    def save_extras(self, form: Any, formsets: Any, change: bool) -> None:
        flag = form.instance
        if people := form.cleaned_data.get("people"):
            changes.include(flag, people)
        rules = next(formset for formset in formsets if formset.model is Rule)
        if change and not rules.initial_forms and flag.rules.exists():
            _must_state(form)

    # --- actions ------------------------------------------------------------------------------

    @admin.action(description=_("Turn on"), permissions=["change"])
    def turn_on(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._act(request, queryset, changes.enable)

    @admin.action(description=_("Turn off"), permissions=["change"])
    def turn_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._act(request, queryset, changes.disable)

    @admin.action(description=_("Archive"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._act(request, queryset, changes.archive)

    @admin.action(description=_("Restore"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._act(request, queryset, changes.restore)

    def _act(
        self, request: HttpRequest, queryset: QuerySet[Any], act: Callable[[str], Flag]
    ) -> None:
        for flag in queryset:
            if flag.critical:
                raise ChangeRefused(
                    f"flag {flag.key}: is critical. Change it on its own page, "
                    "which asks for its key. Nothing was changed."
                )
        flags = [act(flag.key) for flag in queryset]
        self.check_change()
        self.message_user(request, _now(flags), messages.SUCCESS)

    # --- deletion -----------------------------------------------------------------------------

    def users(self, whole: Flag) -> Iterable[Flag]:
        return Flag.objects.filter(prerequisites__required=whole)

    def parts(self, whole: Flag) -> dict[Any, int]:
        return {
            model._meta.verbose_name_plural: model._default_manager.filter(flag=whole).count()
            for model in (Variant, Rule, Prerequisite, Stage)
        }


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


def state(flag: Flag) -> SafeString:
    """Say in words, after a sign, who gets a flag."""
    on = flag.enabled and not flag.archived and _in_time(flag)
    return format_html(
        '<span class="flaggate-state flaggate-{}"><span aria-hidden="true">{}</span> {}</span>',
        "on" if on else "off",
        "●" if on else "○",
        wording.state(flag),
    )


def _in_time(flag: Flag) -> bool:
    now = timezone.now()
    begun = flag.active_from is None or flag.active_from <= now
    return begun and (flag.active_until is None or flag.active_until > now)


def _save_fieldset(flag: Flag | None) -> Any:
    typed = ["typed_key"] if flag and flag.critical else []
    return (None, {"fields": ["comment", *typed, "seen", "stated"], "classes": ["flaggate-after"]})


def _may_add_people(request: HttpRequest) -> bool:
    return request.user.has_perms(("flaggate.add_segment", "flaggate.change_segment"))


def _must_state(form: Any) -> None:
    """Raise Unstated where a first rule would leave the flag on for everyone else unasked."""
    flag = form.instance
    if form.cleaned_data["stated"] or "percentage" in form.changed_data:
        with changes.change() as opened:
            opened.state_percentage(flag.key)
        return
    if flag.percentage != 100:
        return
    raise Unstated(
        f"flag {flag.key}",
        [
            Problem(
                "percentage",
                "This is the flag's first rule: say what everyone else gets. 0, filled in now, "
                "is nobody but those in the rule. Then save again.",
            )
        ],
    )


def _now(flags: list[Flag]) -> str:
    if len(flags) > MOST_NAMED:
        return ngettext("%d flag was changed.", "%d flags were changed.", len(flags)) % len(flags)
    return "; ".join(f"{flag.key}: {wording.state(flag)}" for flag in flags) + "."
