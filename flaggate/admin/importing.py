"""Members pasted or uploaded: first a preview, then one change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flaggate import changes
from flaggate.admin import key_lists, members
from flaggate.admin.conflicts import meanwhile
from flaggate.admin.refusals import words
from flaggate.exceptions import ChangeRefused
from flaggate.models import SegmentMember, wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest, HttpResponseBase

    from flaggate.admin.key_lists import KeyList
    from flaggate.models import Segment

MOST_NAMED = 10
ACTS: dict[str, Callable[..., changes.members.Tally]] = {
    "add": changes.members.add,
    "remove": changes.members.remove,
    "replace": changes.members.replace,
}


class ChoiceForm(forms.Form):
    """What to do, and with which list."""

    act = forms.ChoiceField(
        label=gettext_lazy("What to do"),
        choices=[
            ("add", gettext_lazy("Add them; those there already stay")),
            ("remove", gettext_lazy("Remove them")),
            ("replace", gettext_lazy("Replace: just these, all others go")),
        ],
        initial="add",
        widget=forms.RadioSelect,
    )
    which = forms.ChoiceField(
        label=gettext_lazy("In which list"),
        choices=[
            ("included", gettext_lazy("included: they are in")),
            ("excluded", gettext_lazy("excluded: they are out, whatever else says in")),
        ],
        initial="included",
        widget=forms.RadioSelect,
    )


class KeysForm(ChoiceForm):
    """Targeting keys, pasted or in a file."""

    pasted = forms.CharField(
        label=gettext_lazy("Paste targeting keys"),
        required=False,
        widget=forms.Textarea({"rows": 8, "cols": 60, "spellcheck": "false"}),
        help_text=gettext_lazy("One a line, such as a user's id."),
    )
    file = forms.FileField(
        label=gettext_lazy("or choose a file"),
        required=False,
        widget=forms.FileInput({"accept": ".csv,.txt,text/csv,text/plain"}),
        help_text=gettext_lazy(
            "CSV, or one key a line, in UTF-8. Of several columns it is the one named "
            "targeting_key, user_id, id or the like, or else the first."
        ),
    )

    keys: KeyList

    def clean(self) -> Any:
        cleaned = super().clean() or {}
        pasted, file = cleaned.get("pasted"), cleaned.get("file")
        if bool(pasted) is bool(file):
            raise ValidationError(_("Paste keys, or choose a file: one of the two."))
        self.keys = key_lists.uploaded(file) if file else key_lists.pasted(pasted or "")
        if len(key_lists.pack(self.keys.keys)) > (_most_packed() or float("inf")):
            raise ValidationError(
                _("These keys are too long for one form. Use `manage.py flags members`.")
            )
        return cleaned


class ConfirmForm(ChoiceForm):
    """The same once more, to be agreed to."""

    packed = forms.CharField(widget=forms.HiddenInput)
    seen = forms.IntegerField(min_value=0, max_value=2**31, widget=forms.HiddenInput)
    comment = forms.CharField(
        label=gettext_lazy("Why?"),
        required=False,
        max_length=members.MOST_COMMENT,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text=gettext_lazy("For the history: the reason, a ticket, a link."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("act", "which"):
            self.fields[name].widget = forms.HiddenInput()

    def clean_packed(self) -> list[str]:
        return key_lists.unpack(self.cleaned_data["packed"])


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do."""

    total: int
    column: str
    duplicates: int
    added: int
    removed: int
    unchanged: int
    unknown: list[str]
    contradicted: int  # keys that also stand in the other list

    @property
    def some_unknown(self) -> str:
        """The first of the unknown."""
        return ", ".join(self.unknown[:MOST_NAMED])


def import_members(
    model_admin: ModelAdmin[Segment], request: HttpRequest, object_id: str
) -> HttpResponseBase:
    """Ask for keys, show what they would change, and change it once that is agreed to."""
    segment = members.segment_of(model_admin, request, object_id)
    if not members.may_import(request):
        raise PermissionDenied
    if "packed" in request.POST:
        return _confirmed(model_admin, request, segment)
    form = KeysForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        return _preview(model_admin, request, segment, form.cleaned_data, form.keys)
    return _page(model_admin, request, segment, "import", form=form)


def _preview(
    model_admin: ModelAdmin[Segment],
    request: HttpRequest,
    segment: Segment,
    asked: dict[str, Any],
    keys: KeyList,
) -> HttpResponseBase:
    form = ConfirmForm(
        initial={
            "act": asked["act"],
            "which": asked["which"],
            "comment": asked.get("comment", ""),
            "packed": key_lists.pack(keys.keys),
            "seen": segment.version,
        }
    )
    found = preview(segment, asked["act"], asked["which"], keys)
    more = {**asked, "form": form, "preview": found}
    return _page(model_admin, request, segment, "preview", **more)


def preview(segment: Segment, act: str, which: str, keys: KeyList) -> Preview:
    """Say what an import would do now."""
    given = set(keys.keys)
    there, elsewhere = (_members(segment, name) for name in (which, _other(which)))
    known = given & there
    users = members.users_among(keys.keys)
    return Preview(
        total=len(keys.keys) + keys.duplicates,
        column=keys.column,
        duplicates=keys.duplicates,
        added=0 if act == "remove" else len(given - there),
        removed={"add": 0, "remove": len(known), "replace": len(there - given)}[act],
        unchanged=len(given - there) if act == "remove" else len(known),
        unknown=[key for key in keys.keys if key not in users],
        contradicted=0 if act == "remove" else len(given & elsewhere),
    )


def _confirmed(
    model_admin: ModelAdmin[Segment], request: HttpRequest, segment: Segment
) -> HttpResponseBase:
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        for problem in form.errors.values():
            messages.error(request, " ".join(map(str, problem)))
        return HttpResponseRedirect(members.url(segment, "import"))
    asked = form.cleaned_data
    try:
        tally = ACTS[asked["act"]](
            segment.key,
            asked["packed"],
            excluded=asked["which"] == "excluded",
            actor=request.user,
            source="admin",
            comment=asked["comment"],
            expected_versions={("segment", segment.key): asked["seen"]},
        )
    except ChangeRefused as refusal:
        keys = key_lists.KeyList(asked["packed"], 0)
        since = meanwhile("segment", segment, asked["seen"], request.user)
        why = {"problem": words(refusal), "since": since}
        return _preview(model_admin, request, segment, {**asked, **why}, keys)
    messages.success(
        request,
        _("%(added)s added, %(removed)s removed, %(unchanged)s left alone.")
        % {
            "added": wording.figure(tally.added),
            "removed": wording.figure(tally.removed),
            "unchanged": wording.figure(tally.unchanged),
        },
    )
    return HttpResponseRedirect(f"{members.url(segment)}?list={asked['which']}")


def _page(
    model_admin: ModelAdmin[Segment],
    request: HttpRequest,
    segment: Segment,
    template: str,
    **more: Any,
) -> TemplateResponse:
    title = _("Import members of %s") % segment.key
    shared = members.context(model_admin, request, segment, title)
    return TemplateResponse(request, f"admin/flaggate/segment/{template}.html", {**shared, **more})


def _members(segment: Segment, which: str) -> set[str]:
    rows = SegmentMember.objects.filter(segment=segment, excluded=which == "excluded")
    return set(rows.values_list("targeting_key", flat=True).iterator())


def _other(which: str) -> str:
    return "included" if which == "excluded" else "excluded"


def _most_packed() -> int | None:
    """Return how much of a list Django lets a form carry, beside its other fields."""
    limit: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return None if limit is None else limit - 10_000
