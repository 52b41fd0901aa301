"""Going back to what a flag or segment was: a preview, and then a new revision."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flaggate import changes
from flaggate.admin import history as histories
from flaggate.admin.conflicts import meanwhile
from flaggate.admin.dependents import name_dependents
from flaggate.admin.refusals import words
from flaggate.admin.rehearsing import READS, rehearse
from flaggate.admin.undoing import with_way_back
from flaggate.changes.differences import differences, same
from flaggate.exceptions import ChangeRefused
from flaggate.models import Flag, Revision, Segment, wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest, HttpResponseBase
    from django.utils.safestring import SafeString

    from flaggate.admin.history import History
    from flaggate.admin.rehearsing import Rehearsal

FLAG = Revision.Subject.FLAG
REVERTS: dict[str, Callable[..., Any]] = {
    "flag": changes.revert_flag,
    "segment": changes.revert_segment,
}
# Admin capitalises the first word of a message, and a key is case-sensitive.
ALREADY = {
    "flag": gettext_lazy("The flag %(key)s is already what it was then."),
    "segment": gettext_lazy("The segment %(key)s is already what it was then."),
}
AGAIN = {
    "flag": gettext_lazy(
        "The flag %(key)s is again what it was at version %(version)d: %(state)s."
    ),
    "segment": gettext_lazy("The segment %(key)s is again what it was at version %(version)d."),
}
MOST_COMMENT = 1000


class RevertForm(forms.Form):
    """Why, and from which state on."""

    comment = forms.CharField(
        label=gettext_lazy("Why?"),
        required=False,
        max_length=MOST_COMMENT,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text=gettext_lazy("For the history: the reason, a ticket, a link."),
    )
    typed_key = forms.CharField(
        label=gettext_lazy("Type the key"),
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=gettext_lazy("This flag is critical: type its key."),
    )
    seen = forms.IntegerField(min_value=0, max_value=2**31, widget=forms.HiddenInput)

    def __init__(self, whole: Any, data: Any) -> None:
        super().__init__(data, initial={"seen": whole.version})
        self.key = whole.key
        if not getattr(whole, "critical", False):
            del self.fields["typed_key"]

    def clean_typed_key(self) -> Any:
        typed = self.cleaned_data["typed_key"]
        if typed != self.key:
            raise ValidationError(
                _("Type “%(key)s”: this flag is critical."), params={"key": self.key}
            )
        return typed

    def see(self, version: int) -> None:
        """Go on from another version, once the page shows that one."""
        data: Any = self.data
        self.data = data = data.copy()
        data["seen"] = str(version)


def revert(
    model_admin: ModelAdmin[Revision], request: HttpRequest, subject: str, key: str, version: int
) -> HttpResponseBase:
    """Show what going back to a version would change, and do it on POST."""
    histories.permit(model_admin, request)
    if not histories.may_revert(request, subject):
        raise PermissionDenied
    history = histories.History(subject, key)
    revision = history.revisions.filter(version=version, pk__gt=history.deleted).first()
    if history.whole is None or revision is None:
        raise Http404(key)
    form, since = RevertForm(history.whole, request.POST or None), None
    if request.method == "POST" and form.is_valid():
        if revert_as(request, history, version, form):
            return HttpResponseRedirect(history.url())
        history = histories.History(subject, key)  # as it is now, whoever changed it
        if history.whole is None:
            messages.error(request, " ".join(map(str, form.non_field_errors())))
            return HttpResponseRedirect(history.url())
        since = meanwhile(subject, history.whole, form.cleaned_data["seen"], request.user)
        form.see(history.whole.version)
    return TemplateResponse(
        request,
        "admin/flaggate/revision/revert.html",
        {
            **histories.context(
                model_admin,
                request,
                history,
                _("Revert %(key)s to version %(version)d?") % {"key": key, "version": version},
            ),
            "revision": revision,
            "form": form,
            "since": since,
            "lines": _preview(history, revision),
            "rehearsal": _rehearse(request, history, version),
            "clock": _clock(history, revision),
            "used_by": _used_by(model_admin, history),
            "json": list(histories.json_lines(history.now, _target(history, revision))),
        },
    )


def revert_as(request: HttpRequest, history: History, version: int, form: RevertForm) -> bool:
    """Go back to a version, and say so; where it is refused, the form says why."""
    seen = form.cleaned_data["seen"]
    try:
        reverted = REVERTS[history.subject](
            history.key,
            version,
            actor=request.user,
            source="admin",
            comment=form.cleaned_data["comment"],
            expected_versions={(history.subject, history.key): seen},
        )
    except ChangeRefused as refusal:
        form.add_error(None, words(refusal))
        return False
    if reverted.version == seen:
        messages.info(request, ALREADY[history.subject] % {"key": history.key})
    else:
        messages.success(request, _done(history, version, seen))
    return True


def _done(history: History, version: int, former: int) -> SafeString:
    words = {"key": history.key, "version": version, "state": _state(history)}
    return with_way_back(AGAIN[history.subject] % words, history, former)


def _state(history: History) -> str:
    """Say who gets a flag now; of a segment, nothing."""
    if history.subject != FLAG:
        return ""
    return wording.state(Flag.objects.prefetch_related(*READS).get(key=history.key))


def _rehearse(request: HttpRequest, history: History, version: int) -> Rehearsal | None:
    """Try it on a flag: who gets it then, or why it would be refused."""
    if history.subject != FLAG:
        return None
    rehearsal = rehearse(
        request, [history.whole], lambda keys: changes.revert_flag(keys[0], version)
    )
    name_dependents(rehearsal)
    return rehearsal


def _clock(history: History, revision: Revision) -> str:
    """Say that a rollout goes on, where it is this that makes it: the clock has never stopped."""
    now, then = history.now or {}, _target(history, revision)
    rollout = then.get("rollout")
    made = any(not same(now.get(name), then.get(name)) for name in ("enabled", "rollout"))
    if not (made and then.get("enabled") and rollout) or rollout["paused_at"]:
        return ""
    words = _("The rollout goes on as if nothing had stopped it: its clock runs from %s on.")
    return words % wording.moment(datetime.fromisoformat(rollout["started_at"]))


def _used_by(model_admin: ModelAdmin[Revision], history: History) -> SafeString | str:
    """Name what uses a segment, and so changes with it."""
    if history.subject == FLAG:
        return ""
    segments: Any = model_admin.admin_site.get_model_admin(Segment)
    said: SafeString | str = segments.used_by(history.whole)
    return said


def _preview(history: History, revision: Revision) -> list[str]:
    return differences(history.now, _target(history, revision))


def _target(history: History, revision: Revision) -> dict[str, Any]:
    """Return what it would be: what the revision does not know stays as it is."""
    return {**(history.now or {}), **(revision.after or {})}
