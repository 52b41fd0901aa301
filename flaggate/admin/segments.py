"""Segments: the list, the page of one, its conditions and members."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from flaggate import changes
from flaggate.admin import attributes, importing, matching, members
from flaggate.admin.columns import listed, shown
from flaggate.admin.fields import OperandsField, TargetingKeysField
from flaggate.admin.formsets import Part
from flaggate.admin.history import History
from flaggate.admin.undoing import with_way_back
from flaggate.admin.write import RecordedAdmin, RecordedForm, linked
from flaggate.models import Condition, Flag, Segment, SegmentMember, wording
from flaggate.templatetags.flaggate_moments import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from flaggate.changes import Change

# More rows than this are counted, not listed: a form of thousands of rows can't be sent.
MOST_MEMBERS = 200
MOST_NAMED = 5


class SegmentForm(RecordedForm):
    """A segment without its parts, plus the people to add to it."""

    parts = ("conditions",)

    included = TargetingKeysField(
        label=_("Add people to included"),
        required=False,
        help_text=_("One targeting key a line, such as a user's id. They are in."),
    )
    excluded = TargetingKeysField(
        label=_("Add people to excluded"),
        required=False,
        help_text=_("One targeting key a line. They are out, whatever else says in."),
    )

    def clean_included(self) -> Any:
        keys = self.cleaned_data["included"]
        excluded = SegmentMember.objects.filter(segment=self.instance.pk, excluded=True)
        out = excluded.filter(targeting_key__in=keys).values_list("targeting_key", flat=True)
        if named := ", ".join(out[:MOST_NAMED]):
            raise ValidationError(
                _("Excluded already, which wins: %(keys)s. Remove them from the excluded first."),
                params={"keys": named},
            )
        return keys


class ConditionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A condition, its values one a line."""

    operator = forms.ChoiceField(
        label=_("operator"), choices=attributes.operators, widget=attributes.OperatorSelect
    )
    values = OperandsField(
        label=_("values"),
        required=False,
        help_text=_(
            "One a line; one that matches is enough. A number, true, false and “text in straight "
            "quotes” are read as such, all else as text."
        ),
    )

    def clean(self) -> Any:
        cleaned = super().clean() or self.cleaned_data
        attribute, operator = cleaned.get("attribute", ""), cleaned.get("operator", "")
        chosen = {"attribute", "operator"} & set(self.changed_data)
        if chosen and not attributes.fits(attribute, operator):
            self.add_error("operator", attributes.misfit(attribute))
        return cleaned

    class Meta:
        widgets = {
            "attribute": forms.TextInput({"class": "vTextField", "list": "flaggate-attributes"})
        }


class ConditionInline(Part):
    """What a member looks like."""

    model = Condition
    form = ConditionForm
    fields = ("attribute", "negate", "operator", "values", "ignore_case")
    columns = {"values": "operands"}
    operands = shown(Condition, "values", listed)


class MemberInline(Part):
    """Who is in or out by name."""

    model = SegmentMember
    fields = ("targeting_key", "excluded")
    extra = 0


@admin.register(Segment)
class SegmentAdmin(RecordedAdmin):
    """Audiences."""

    form = SegmentForm
    list_display = ("key", "name", "content", "used", "changed")
    list_filter = ("match",)
    search_fields = ("key", "name", "description")
    readonly_fields = ("member_count", "used_by")

    def get_urls(self) -> Any:
        pages: dict[str, tuple[str, Callable[..., Any]]] = {
            "members": ("members/", members.members),
            "import": ("members/import/", importing.import_members),
            "matching": ("matching/", matching.matching),
        }
        own = [
            path(
                f"<path:object_id>/{route}",
                self.admin_site.admin_view(partial(view, self)),
                name=f"flaggate_segment_{name}",
            )
            for name, (route, view) in pages.items()
        ]
        return [*own, *super().get_urls()]

    # --- the list -----------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        segments: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                conditions_count=_count(Condition.objects.all(), "segment"),
                included_count=_count(SegmentMember.objects.filter(excluded=False), "segment"),
                excluded_count=_count(SegmentMember.objects.filter(excluded=True), "segment"),
                flags_count=_count(Flag.objects.all(), "rules__segments"),
            )
        )
        return segments

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        nesting = _nesting()
        for segment in changelist.result_list:
            segment.segments_count = len(nesting.get(segment.key, ()))
        return changelist

    @admin.display(description=_("content"))
    def content(self, segment: Any) -> str:
        return ", ".join(_content(segment)) or gettext("nobody")

    @admin.display(description=_("used by"), ordering="flags_count")
    def used(self, segment: Any) -> str:
        flags, segments = segment.flags_count, segment.segments_count
        said = []
        if flags:
            said.append(ngettext("%d flag", "%d flags", flags) % flags)
        if segments:
            said.append(ngettext("%d segment", "%d segments", segments) % segments)
        return ", ".join(said) or gettext("nothing yet")

    @admin.display(description=_("last changed"), ordering="changed_at", empty_value="–")
    def changed(self, segment: Any) -> SafeString | None:
        return changed(segment)

    # --- the page -----------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        may_write = self.has_change_permission(request, obj) if obj else True
        people = ["member_count"] if obj and _many(obj) else []
        people += ["included", "excluded"] if may_write else []
        used = ["used_by"] if obj else []
        return [
            (None, {"fields": ["key", "name", "description", *used, "match", "on_demand"]}),
            *([(_("People"), {"fields": people, "classes": AFTER})] if people else []),
            *([SAVE] if may_write else []),
        ]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return (ConditionInline,) if obj is None or _many(obj) else (ConditionInline, MemberInline)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> Any:
        more = {"attributes": attributes.known(), "may_import": members.may_import(request)}
        return super().render_change_form(request, {**context, **more}, *args, **options)

    def said(self, request: HttpRequest, whole: Segment, opened: Change) -> str:
        words = gettext("The segment %(key)s was changed.") % {"key": whole.key}
        former = opened.revisions[0].version - 1
        return with_way_back(words, History(self.subject, whole.key), former)

    def save_extras(self, form: Any, formsets: Any, change: bool) -> None:
        changes.add_members(form.instance, form.cleaned_data["included"])
        changes.add_members(form.instance, form.cleaned_data["excluded"], excluded=True)

    @admin.display(description=_("members"))
    def member_count(self, segment: Any) -> SafeString:
        words = gettext(
            "%(included)s included, %(excluded)s excluded. More than %(limit)s are not listed here."
        ) % {
            "included": wording.figure(segment.included_count),
            "excluded": wording.figure(segment.excluded_count),
            "limit": wording.figure(MOST_MEMBERS),
        }
        link = gettext("Search and page through them")
        return format_html('{} <a href="{}">{}</a>', words, members.url(segment), link)

    @admin.display(description=_("used by"))
    def used_by(self, segment: Segment) -> SafeString | str:
        users = [(linked(user),) for user in self.users(segment)]
        return format_html_join(", ", "{}", users) if users else gettext("nothing yet")

    # --- deletion -----------------------------------------------------------------------------

    def users(self, whole: Segment) -> Iterator[Flag | Segment]:
        yield from Flag.objects.filter(rules__segments=whole).distinct()
        yield from _nesting().get(whole.key, ())

    def parts(self, whole: Segment) -> dict[Any, int]:
        return {
            model._meta.verbose_name_plural: model._default_manager.filter(segment=whole).count()
            for model in (Condition, SegmentMember)
        }


AFTER = ["flaggate-after"]
SAVE = (None, {"fields": ["comment", "seen"], "classes": [*AFTER, "flaggate-save"]})


def _count(rows: QuerySet[Any], path: str) -> Coalesce:
    """Count the rows of each segment, in a query of their own: joins would multiply them."""
    counted = rows.filter(**{path: OuterRef("pk")}).order_by().values(path)
    return Coalesce(Subquery(counted.annotate(n=Count("pk", distinct=True)).values("n")), 0)


def _nesting() -> dict[str, dict[Segment, None]]:
    """Find out by which segments each one is used, by its key."""
    found: dict[str, dict[Segment, None]] = {}
    for condition in Condition.objects.filter(operator="in_segment").select_related("segment"):
        for key in condition.values if isinstance(condition.values, list) else ():
            if isinstance(key, str):
                found.setdefault(key, {})[condition.segment] = None
    return found


def _many(segment: Any) -> bool:
    return bool(segment.included_count + segment.excluded_count > MOST_MEMBERS)


def _content(segment: Any) -> Iterator[str]:
    if segment.conditions_count == 1:
        yield gettext("1 condition")
    elif segment.conditions_count:
        yield f"{segment.get_match_display()} ({segment.conditions_count})"
    if count := segment.included_count:
        yield gettext("%s included") % wording.figure(count)
    if count := segment.excluded_count:
        yield gettext("%s excluded") % wording.figure(count)
