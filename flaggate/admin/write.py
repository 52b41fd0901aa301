"""Every write of the admin goes through ``changes.change()``, and a refused one is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import IntegrityError
from django.db.models import OuterRef, ProtectedError, Subquery, TextField
from django.forms import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from flaggate.admin import roundtrip
from flaggate.admin.fields import CommentField, SeenField
from flaggate.admin.lists import SoundList
from flaggate.admin.refusals import Place, problems_of, words
from flaggate.admin.revisions import history_url
from flaggate.admin.saving import Saving, SavingAdmin
from flaggate.exceptions import ChangeRefused
from flaggate.models import Revision, wording
from flaggate.models.messages import translated
from flaggate.templatetags.flaggate_moments import zoned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.utils.safestring import SafeString

    from flaggate.models import Flag, Segment


class RecordedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that carries the version seen, takes a reason, and shows why a change was refused."""

    refusal: ChangeRefused | IntegrityError | None = None
    held = False  # reviewed, or met by what somebody else has changed: not to be saved now
    parts: tuple[str, ...] = ()

    seen = SeenField()
    comment = CommentField(
        widget=forms.TextInput({"class": "vTextField"}),
        help_text=_("For the history: the reason, a ticket, a link. It may be left empty."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.fields["seen"].required = True
            self.initial["seen"] = self.instance.version

    def is_valid(self) -> bool:
        return not self.held and super().is_valid()

    def clean(self) -> Any:
        cleaned = super().clean()
        for field in self.instance._meta.local_fields:
            if field.name in self.cleaned_data:
                self.cleaned_data[field.name] = self._typed(field, self.cleaned_data[field.name])
        if self.refusal:
            self._show(self.refusal)
        return cleaned

    def _typed(self, field: Any, value: Any) -> Any:
        """Return what was typed, or what is stored where a form can't tell these two apart."""
        stored = getattr(self.instance, field.name)
        if self.instance.pk and roundtrip.survives(field, stored, value):
            return stored
        return roundtrip.lines(value) if isinstance(value, str) else value

    def _show(self, refusal: ChangeRefused | IntegrityError) -> None:
        key = self.cleaned_data.get("key") or self.instance.key
        problems = list(problems_of(refusal, str(self.instance._meta.model_name), key))
        if not problems:
            self.add_error(None, self._explained(refusal))
        for problem in problems:
            place = Place(problem)
            if place.head in self.fields:
                self.add_error(place.head, place.message)
            elif place.head not in self.parts:  # those show their own
                self.add_error(None, translated(problem.said))

    def _explained(self, refusal: ChangeRefused | IntegrityError) -> str:
        if isinstance(refusal, IntegrityError):
            return gettext(
                "Two rows would have the same key for a moment. Give them their new keys one "
                "after the other, saving in between."
            )
        return words(refusal)


class RecordedAdmin(SavingAdmin):
    """The admin of what has revisions: flags and segments."""

    show_full_result_count = False
    formfield_overrides = {TextField: {"widget": AdminTextareaWidget({"rows": 3})}}

    class Media:
        css = {"all": ("flaggate/admin.css",)}
        js = (Script("flaggate/times.js", type="module"),)

    # --- the views that write -----------------------------------------------------------------

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        if request.method != "POST":
            return super().delete_view(request, object_id, extra_context)
        whole = self.get_object(request, unquote(object_id))
        try:
            with self._change(request, self._expected(request, whole)):
                return super().delete_view(request, object_id, extra_context)
        except (ChangeRefused, ProtectedError) as refusal:
            return self._refused(request, refusal)

    def response_action(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        try:
            with self._change(request):
                return super().response_action(request, *args, **options)
        except (ChangeRefused, ProtectedError) as refusal:
            return self._refused(request, refusal)

    def _refused(self, request: HttpRequest, refusal: Exception) -> HttpResponse:
        self.message_user(request, zoned(words(refusal)), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    # --- deleting: checked before success is reported ------------------------------------------

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        self.check_change()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        self.check_change()

    # --- forms --------------------------------------------------------------------------------

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **options)
        saving = Saving.of(request)
        form.refusal, form.held = saving.refusal, saving.held  # type: ignore[attr-defined]
        return form

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        saving = Saving.of(request)
        context |= {"review": saving.review, "meeting": saving.meeting}
        if saving.meeting and saving.meeting.typed:
            context["errors"] = []  # of rows that are gone: what is typed in them counts as new
        # Where a review is shown; a browser stays at the top where there is none.
        form_url = form_url or ("#flaggate-review" if change else "")
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(["key"] if obj else [])]

    def get_inline_formsets(self, *args: Any, **options: Any) -> Any:
        # For whoever may only look, parts that are not there are no headings either.
        found = super().get_inline_formsets(*args, **options)
        return [each for each in found if each.has_add_permission or each.formset.forms]

    # --- deletion -----------------------------------------------------------------------------

    def users(self, whole: Any) -> Iterable[Flag | Segment]:
        """Find the flags and segments that use this one, and keep it from being deleted."""
        raise NotImplementedError

    def parts(self, whole: Any) -> dict[Any, int]:
        """Count what is deleted with it."""
        raise NotImplementedError

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Not Django's collector: it would list each of 100,000 members.
        wholes = list(objs)
        counts = {self.opts.verbose_name_plural: len(wholes)}
        for whole in wholes:
            for name, count in self.parts(whole).items():
                if count:
                    counts[name] = counts.get(name, 0) + count
        figures = {name: wording.figure(count) for name, count in counts.items()}
        several = len(wholes) > 1
        users = dict.fromkeys(
            _using(user, each) if several else linked(user)
            for each in wholes
            for user in self.users(each)
        )
        missing = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [linked(whole) for whole in wholes], figures, missing, list(users)

    # --- the list, and the history ------------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # The list's own form refuses a NUL, an autocomplete does not; PostgreSQL raises.
        return super().get_search_results(request, queryset, search_term.replace("\0", ""))

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[SoundList]:
        return SoundList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        wholes: QuerySet[Any] = super().get_queryset(request)
        last = Revision.objects.filter(subject=self.subject, key=OuterRef("key"))
        annotated: QuerySet[Any] = wholes.annotate(
            changed_at=Subquery(last.values("created")[:1]),
            changed_by=Subquery(last.values("actor_name")[:1]),
            changed_from=Subquery(last.values("source")[:1]),
        )
        return annotated

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        whole = self.get_object(request, unquote(object_id))
        if whole is None or not request.user.has_perm("flaggate.view_revision"):
            return super().history_view(request, object_id, extra_context)
        return HttpResponseRedirect(history_url(self.subject, whole.key))


def linked(whole: Flag | Segment) -> SafeString:
    """Name a flag or segment, with a link to its page."""
    address = reverse(f"admin:flaggate_{whole._meta.model_name}_change", args=[quote(whole.pk)])
    return format_html('{} <a href="{}">{}</a>', whole._meta.verbose_name, address, whole.key)


def _using(user: Flag | Segment, used: Flag | Segment) -> SafeString:
    uses = gettext("uses %(key)s") % {"key": used.key}
    return format_html("{} ({})", linked(user), uses)
