"""Between a button and its deed: a page that says what would change, and asks why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flaggate import changes
from flaggate.admin.conflicts import meet
from flaggate.admin.dependents import name_dependents
from flaggate.admin.fields import CommentField
from flaggate.admin.lists import numeric
from flaggate.admin.refusals import words
from flaggate.admin.rehearsing import rehearse
from flaggate.admin.undoing import MOST_NAMED, as_seen, since, with_undo
from flaggate.admin.verbs import OFF, VERBS, Verb
from flaggate.exceptions import ChangeRefused, Conflict
from flaggate.models import Flag, Revision, wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.http import HttpRequest, HttpResponse

    from flaggate.admin.conflicts import Meanwhile, Meeting
    from flaggate.admin.rehearsing import Rehearsal

MOST_FLAGS = 150  # in one deed
FLAG = Revision.Subject.FLAG


class TypedKeyField(forms.CharField):
    """The key of a critical flag, typed so that it is not changed by mistake."""

    def __init__(self, key: str) -> None:
        super().__init__(
            label=_("Type “%(key)s”") % {"key": key},
            help_text=_("This flag is critical."),
            widget=forms.TextInput({"autocomplete": "off", "class": "vTextField"}),
        )
        self.key = key

    def clean(self, value: Any) -> Any:
        if super().clean(value) != self.key:
            raise ValidationError(_("This is not the flag's key."), "other_key")
        return value


class ConfirmForm(forms.Form):
    """The reason, and the typed keys of flags that are critical."""

    comment = CommentField(widget=forms.TextInput({"class": "vTextField"}))

    def __init__(self, flags: Iterable[Flag], data: Any = None) -> None:
        super().__init__(data)
        for flag in flags:
            if flag.critical:
                self.fields[f"typed_key_{flag.pk}"] = TypedKeyField(flag.key)


class ValueForm(forms.Form):
    """What a verb asks for, such as the share."""

    def __init__(self, flags: list[Flag], verb: Verb, data: Any = None) -> None:
        super().__init__(data if data and "value" in data else None)
        if verb.value:
            asked = [verb.value(flag) for flag in flags]
            self.fields["value"] = field = asked[0]
            if any(each.initial != field.initial for each in asked):
                field.initial = None

    @property
    def values(self) -> tuple[Any, ...]:
        """What to give to the verb, beside the flag's key."""
        return tuple(self.cleaned_data.values())


def confirm(admin: Any, request: HttpRequest, name: str) -> HttpResponse:
    """Ask for a deed (GET), or do it (POST)."""
    verb = VERBS.get(name)
    if verb is None:
        raise Http404
    if not (admin.has_view_or_change_permission(request) and verb.permitted(request.user)):
        raise PermissionDenied
    seen = _seen(request.POST.get("seen", ""))
    if limit := too_many(len(_chosen(request, seen))):
        admin.message_user(request, limit, messages.ERROR)
        return HttpResponseRedirect(next_page(request))
    flags = _flags(request, seen)
    if not flags:
        admin.message_user(request, _("There is no such flag."), messages.WARNING)
        return HttpResponseRedirect(_search(_key(request)))
    if name == "undo" and (overtaken := since(request, flags, seen)):
        return _overtaken(admin, request, verb, flags, overtaken)
    return _ask(admin, request, verb, flags, seen)


def _ask(
    admin: Any, request: HttpRequest, verb: Verb, flags: list[Flag], seen: dict[int, int]
) -> HttpResponse:
    value_form = ValueForm(flags, verb, request.POST if seen else request.GET)
    context: dict[str, Any] = {"value_form": value_form}
    if value_form.fields and not value_form.is_valid():
        return _page(admin, request, verb, flags, context)
    values = value_form.values if value_form.fields else ()
    rehearsal = None
    if not seen or any(flag.critical for flag in flags):
        rehearsal = _rehearse(request, verb, flags, values)
    critical = rehearsal.critical if rehearsal else []
    context["form"] = form = ConfirmForm(critical, _answer(request, critical) if seen else None)
    if form.is_valid():
        try:
            return _do(admin, request, verb, flags, seen, values, form.cleaned_data["comment"])
        except ChangeRefused as refusal:
            context |= _refused(request, seen, refusal)
    if verb.name == "undo" and (met := context.get("met")):
        overtaken = [(flag, meeting.since) for flag, meeting in met]
        return _overtaken(admin, request, verb, flags, overtaken)
    context["rehearsal"] = rehearsal or _rehearse(request, verb, flags, values)
    return _page(admin, request, verb, flags, context)


def _refused(request: HttpRequest, seen: dict[int, int], refusal: ChangeRefused) -> dict[str, Any]:
    met = _met(request, seen) if isinstance(refusal, Conflict) else []
    return {"met": met} if met else {"refusal": words(refusal)}


def _answer(request: HttpRequest, critical: list[Flag]) -> Any:
    """Return what was sent; None where a message's button sent it, which asks for no keys."""
    return request.POST if "comment" in request.POST or not critical else None


def _overtaken(
    admin: Any,
    request: HttpRequest,
    verb: Verb,
    flags: list[Flag],
    overtaken: list[tuple[Flag, Meanwhile]],
) -> HttpResponse:
    """Say which flags can't go back, because they were changed once more; offer the others."""
    changed = {flag.pk for flag, _since in overtaken}
    others = [flag for flag in flags if flag.pk not in changed]
    return _page(admin, request, verb, flags, {"overtaken": overtaken, "others": as_seen(others)})


def _rehearse(
    request: HttpRequest, verb: Verb, flags: list[Flag], values: tuple[Any, ...]
) -> Rehearsal:
    rehearsal = rehearse(request, flags, lambda keys: verb.act(keys, *values))
    if verb.name in OFF:
        name_dependents(rehearsal)  # they fall with it
    return rehearsal


def _do(
    admin: Any,
    request: HttpRequest,
    verb: Verb,
    flags: list[Flag],
    seen: dict[int, int],
    values: tuple[Any, ...],
    comment: str,
) -> HttpResponse:
    expected = {("flag", flag.key): seen.get(flag.pk, -1) for flag in flags}
    how: dict[str, Any] = {"actor": request.user, "source": "admin", "comment": comment}
    with changes.change(expected_versions=expected, **how) as opened:
        opened.touched([flag.pk for flag in flags], ())  # one reading for all of them
        verb.act([flag.key for flag in flags], *values)
    changed = {revision.key for revision in opened.revisions if revision.subject == FLAG}
    done = [flag for flag in _flags(request, seen) if flag.key in changed]
    actor: Any = request.user.pk
    LogEntry.objects.log_actions(actor, done, CHANGE, str(verb.label))
    said = told(done, len(flags) - len(done))
    admin.message_user(request, with_undo(request, said, done), messages.SUCCESS)
    return HttpResponseRedirect(next_page(request, flags))


def _page(
    admin: Any, request: HttpRequest, verb: Verb, flags: list[Flag], context: dict[str, Any]
) -> HttpResponse:
    names = ", ".join(flag.key for flag in flags[:MOST_NAMED])
    many = ngettext("%d flag", "%d flags", len(flags)) % len(flags)
    context |= {
        **admin.admin_site.each_context(request),
        "title": f"{verb.label}: {many if len(flags) > MOST_NAMED else names}",
        "opts": admin.opts,
        "media": admin.media,
        "verb": verb,
        "flags": flags,
        "seen": as_seen(flags),
        "next": next_page(request, flags),
    }
    return TemplateResponse(request, "admin/flaggate/flag/confirm.html", context)


def address(verb: str, flags: Iterable[Flag], back: str = "") -> str:
    """Return the address that asks for a deed on flags."""
    chosen = ",".join(str(flag.pk) for flag in flags)
    query = f"flag={chosen}" + (f"&{urlencode({'next': back})}" if back else "")
    return f"{reverse('admin:flaggate_flag_verb', args=[verb])}?{query}"


def _seen(text: str) -> dict[int, int]:
    """Read "12:3,14:1": the versions that a page showed, by primary key."""
    pairs = (each.partition(":")[::2] for each in text.split(","))
    return {int(pk): int(version) for pk, version in pairs if all(map(numeric, (pk, version)))}


def _key(request: HttpRequest) -> str:
    return request.GET.get("key", "").replace("\0", "").strip()


def _search(key: str) -> str:
    """Return the list, with what is nearest to a key that no flag has."""
    query = f"?{urlencode({'q': key})}" if key else ""
    return reverse("admin:flaggate_flag_changelist") + query


def too_many(count: int) -> str:
    """Say why so many flags can't be changed at once; empty where they can."""
    if count <= MOST_FLAGS:
        return ""
    return _(
        "You chose %(count)s flags, and at most %(limit)d can be changed at once: nothing was "
        "changed. Narrow the list by its filters or by a search, and choose again."
    ) % {"count": wording.figure(count), "limit": MOST_FLAGS}


def _chosen(request: HttpRequest, seen: Iterable[int]) -> set[int]:
    return set(seen) or {int(pk) for pk in request.GET.get("flag", "").split(",") if numeric(pk)}


def _flags(request: HttpRequest, seen: Iterable[int]) -> list[Flag]:
    chosen = _chosen(request, seen)
    flags = Flag.objects.select_related("rollout").order_by("key")
    return list(flags.filter(pk__in=chosen) if chosen else flags.filter(key=_key(request)))


def _met(request: HttpRequest, seen: dict[int, int]) -> list[tuple[Flag, Meeting]]:
    """Find what somebody has changed since the page was shown, and who."""
    found = since(request, _flags(request, seen), seen)
    return [(flag, meet(FLAG, flag, changed, None)) for flag, changed in found]


def next_page(request: HttpRequest, flags: Sequence[Flag] = ()) -> str:
    """Return where to go afterwards: where the buttons were, or to the flag."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        return wanted
    if len(flags) == 1:
        return reverse("admin:flaggate_flag_change", args=[flags[0].pk])
    return reverse("admin:flaggate_flag_changelist")


def told(flags: list[Flag], others: int = 0) -> str:
    """Say what was done, what holds now, and that some others were so before."""
    if not others:
        return _told(flags)
    so = ngettext("%d flag was so already.", "%d flags were so already.", others) % others
    return f"{_told(flags)} {so}" if flags else so


def _told(flags: list[Flag]) -> str:
    if len(flags) > MOST_NAMED:
        return ngettext("%d flag was changed.", "%d flags were changed.", len(flags)) % len(flags)
    states = [
        _("%(flag)s is %(state)s") % {"flag": flag.key, "state": wording.state(flag)}
        for flag in flags
    ]
    return _("Done: %s.") % "; ".join(states)
