"""Who gets this? A flag's answer for somebody, with each step, and for a sample of users."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flaggate import context
from flaggate.admin import quarantine
from flaggate.admin.fields import ContextField, UserField
from flaggate.admin.steps import sections
from flaggate.admin.widgets import UserSelect
from flaggate.core.evaluation import TARGETING_KEY, EvaluationContext
from flaggate.flags import Flags, flags_for
from flaggate.management import steps
from flaggate.models import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin import AdminSite, ModelAdmin
    from django.http import HttpRequest

    from flaggate.core.evaluation import Evaluation
    from flaggate.core.explanation import Explanation
    from flaggate.models import Flag

PERMISSION = "flaggate.evaluate_flag"
MOST_ASKED = 200  # users in a sample
MOST_NAMED = 20  # users of a sample that are listed


class SubjectForm(forms.Form):
    """Whom the question is about; nothing filled in is an anonymous visitor."""

    user = UserField(
        label=gettext_lazy("A user"),
        required=False,
        help_text=gettext_lazy("With all attributes that a user has."),
    )
    targeting_key = forms.CharField(
        label=gettext_lazy("or a targeting key"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text=gettext_lazy("Such as a visitor's id, and nothing else about them."),
    )
    context = ContextField(
        label=gettext_lazy("or a context as JSON"),
        required=False,
        help_text=gettext_lazy('Such as {"targeting_key": "42", "plan": "gold"}.'),
    )

    def __init__(
        self, data: Any, site: AdminSite, request: HttpRequest, prefix: str | None = None
    ) -> None:
        super().__init__(data, prefix=prefix)
        if may_choose_users(site, request):
            users: Any = self.fields["user"]
            users.widget = UserSelect(site)
            users.widget.choices = users.choices

    def clean(self) -> Any:
        cleaned = super().clean() or {}
        if sum(value not in (None, "") for value in cleaned.values()) > 1:
            raise forms.ValidationError(_("Fill in one of the three, and leave the others empty."))
        return cleaned

    @property
    def subject(self) -> tuple[Any, str]:
        """Whom to ask for, and how to call them."""
        user, key, attributes = (self.cleaned_data[name] for name in self.fields)
        if user is not None:
            return user, user.get_username()
        if key:
            return key, _("the targeting key %s") % key
        if attributes is not None:
            known = dict(attributes)
            return EvaluationContext(known.pop(TARGETING_KEY, None), known), _("this context")
        return None, _("an anonymous visitor")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample of users gets: how many get what, and some of them by name."""

    asked: int
    active: int
    counts: list[tuple[str, int, str]]  # what they get, how many of them, and in percent
    people: list[tuple[Any, Evaluation]]

    @property
    def share(self) -> str:
        """The share of those who get the flag."""
        return percent(self.active, self.asked)


def urls(model_admin: ModelAdmin[Flag]) -> list[URLPattern]:
    """Return the addresses of this page."""
    view = model_admin.admin_site.admin_view(partial(who, model_admin))
    return [path("<path:object_id>/who/", view, name="flaggate_flag_who")]


def who(model_admin: ModelAdmin[Flag], request: HttpRequest, object_id: str) -> TemplateResponse:
    """Answer for whomever the address names; records nothing. Raises Http404."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    permit(request)
    flag = model_admin.get_object(request, unquote(object_id))
    if flag is None:
        raise Http404(object_id)
    site = model_admin.admin_site
    asked = not request.GET.keys().isdisjoint(SubjectForm.base_fields)
    form = SubjectForm(request.GET if asked else None, site, request)
    return TemplateResponse(
        request,
        "admin/flaggate/flag/who.html",
        {
            **site.each_context(request),
            "opts": model_admin.opts,
            "media": model_admin.media + form.media,
            "title": _("Who gets %s?") % flag.key,
            "flag": flag,
            "state": quarantine.state(request, flag),
            "form": form,
            "answer": _answer(flag.key, *form.subject) if form.is_valid() else None,
            "sample": sample(flag.key) if "sample" in request.GET else None,
            "most_asked": MOST_ASKED,
        },
    )


def permit(request: HttpRequest) -> None:
    """Raise PermissionDenied for whoever may not ask what others get."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def may_choose_users(site: AdminSite, request: HttpRequest) -> bool:
    """Tell whether admin's own autocomplete would show users to somebody."""
    try:
        users = site.get_model_admin(get_user_model())
    except NotRegistered:
        return False
    return bool(users.search_fields) and users.has_view_permission(request)


def sample(key: str) -> Sample:
    """Ask for the newest users; nothing is recorded."""
    users = list(get_user_model()._default_manager.order_by("-pk")[:MOST_ASKED])
    with project_language():
        people = list(zip(users, _answers(key, users), strict=True))
    found = Counter(served(answer) for _user, answer in people)
    return Sample(
        len(people),
        sum(answer.active for _user, answer in people),
        [(what, count, percent(count, len(people))) for what, count in found.most_common()],
        people[:MOST_NAMED],
    )


def _answers(key: str, users: list[Any]) -> Iterator[Evaluation]:
    snapshot, now = flags_for().snapshot, datetime.now(UTC)
    for user in users:
        yield Flags(snapshot, context.of_subject(user, now), now).explain(key).evaluation


def _answer(key: str, subject: Any, name: str) -> dict[str, Any]:
    with project_language():
        explanation = flags_for(subject).explain(key)
    return {
        "name": name,
        "active": explanation.evaluation.active,
        "facts": facts(explanation),
        "sections": list(sections(explanation)),
    }


def facts(explanation: Explanation) -> list[tuple[str, str]]:
    """Say what is served, and why."""
    answer = explanation.evaluation
    return [
        (_("value"), steps.value(answer)),
        (_("reason"), f"{answer.reason}: {steps.why(explanation)}"),
        (_("broken"), steps.broken(explanation)),
    ]


def project_language() -> Any:
    """Speak the project's language for a while: a flag may ask for it, and not for the asker's."""
    return translation.override(settings.LANGUAGE_CODE)


def served(answer: Evaluation) -> str:
    """Name what an answer serves: a variant, on or off."""
    if answer.variant is None:
        return _("on") if answer.active else _("off")
    return answer.variant


def percent(count: int, total: int) -> str:
    """Write a share of a sample."""
    return wording.rounded(count * 100 / total, 3) if total else "–"
