"""API keys: make, rotate and revoke them; a secret is shown once, and never by a GET."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from flaggate.admin.columns import shown
from flaggate.admin.fields import CommentField, comment_of, with_moments
from flaggate.admin.refusals import words
from flaggate.admin.revisions import ReadOnlyAdmin, history_url
from flaggate.api import keys
from flaggate.exceptions import ChangeRefused, NotPermitted
from flaggate.models import ApiKey
from flaggate.models.messages import translated
from flaggate.templatetags.flaggate_moments import when, zoned

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class CommentedActionForm(ActionForm):
    """The bar of actions, with a reason."""

    comment = CommentField(label=_("Why?"))


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new key."""

    actor: Any = None

    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=ApiKey.Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    comment = CommentField(
        widget=forms.TextInput({"class": "vTextField"}),
        help_text=_("For the history: who holds it, and what for."),
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")

    def clean(self) -> Any:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        scopes = cleaned["scopes"]
        for problem in keys.problems(cleaned["name"], scopes, cleaned["expires_at"]):
            self.add_error(problem.path, translated(problem.message))
        try:
            keys.permit(self.actor, "add_apikey", scopes)
        except NotPermitted as refusal:
            self.add_error("scopes", ValidationError(words(refusal)))
        return cleaned


@admin.register(ApiKey)
class KeyAdmin(ReadOnlyAdmin):
    """What machines may do; a key is never changed, only made, rotated and revoked."""

    form = KeyForm
    action_form = CommentedActionForm
    actions = ("rotate", "revoke")
    list_display = ("name", "prefix", "shown_scopes", "state", "used", "created_by")
    list_filter = ("created", "expires_at", "revoked_at")
    search_fields = ("name", "prefix")
    fields = (
        *("name", "prefix", "shown_scopes", "state", "expires", "revoked", "used"),
        ("made", "created_by"),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("flaggate.add_apikey")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Tell who may close a key, or give it another secret."""
        return request.user.has_perm("flaggate.change_apikey")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_revoke_permission(request)

    # --- adding -------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("name", "scopes", "expires_at", "comment")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **options)
        form.actor = request.user  # type: ignore[attr-defined]
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        return with_moments(ApiKey, super().get_changeform_initial_data(request))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        issued = keys.create(obj.name, obj.scopes, expires_at=obj.expires_at, **_how(request))
        obj.pk, obj.prefix = issued.key.pk, issued.key.prefix  # what admin logs
        request.flaggate_issued = issued  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, *_: Any) -> HttpResponse:
        return self._shown(request, request.flaggate_issued)  # type: ignore[attr-defined]

    # --- actions ------------------------------------------------------------------------------

    @admin.action(
        permissions=["revoke"], description=_("Give another secret (the old one works for a day)")
    )
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        if queryset.count() != 1:
            text = gettext("Choose one key: each new secret is shown once, on a page of its own.")
            self.message_user(request, text, messages.ERROR)
            return None
        old = queryset.get()
        try:
            return self._shown(request, keys.rotate(old, **_how(request)), old)
        except ChangeRefused as refusal:
            self.message_user(request, words(refusal), messages.ERROR)
            return None

    @admin.action(permissions=["revoke"], description=_("Revoke at once"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = [keys.revoke(key, **_how(request)) for key in queryset]
        text = ngettext("%d key is revoked.", "%d keys are revoked.", len(revoked))
        self.message_user(request, text % len(revoked))

    def _shown(
        self, request: HttpRequest, issued: keys.Issued, old: ApiKey | None = None
    ) -> HttpResponse:
        if old:
            old.refresh_from_db()
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("API key"),
            "opts": self.opts,
            "key": issued.key,
            "secret": issued.secret,
            "old": old,
            "until": when(old.expires_at) if old and old.expires_at else "",
            "media": self.media,
            "back": reverse("admin:flaggate_apikey_changelist"),
        }
        page = TemplateResponse(request, "admin/flaggate/issued_key.html", context)
        page.headers["Cache-Control"] = "private, no-store"
        return page

    # --- what is shown ------------------------------------------------------------------------

    expires = shown(ApiKey, "expires_at")
    revoked = shown(ApiKey, "revoked_at")
    used = shown(ApiKey, "last_used_at")
    made = shown(ApiKey, "created")

    @admin.display(description=_("scopes"))
    def shown_scopes(self, key: ApiKey) -> str:
        return ", ".join(map(str, key.scopes))

    @admin.display(description=_("state"))
    def state(self, key: ApiKey) -> str:
        return zoned(keys.state_of(key))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        key = self.get_object(request, object_id)
        if key is None or not request.user.has_perm("flaggate.view_revision"):
            return super().history_view(request, object_id, extra_context)
        return HttpResponseRedirect(history_url("key", key.prefix))


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"actor": request.user, "source": "admin", "comment": comment_of(request)}
