"""Revisions: what was changed, to be read by everybody and written by nobody."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.forms import Script
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flaggate.admin import exporting, history, operands, reverting
from flaggate.admin.columns import shown
from flaggate.admin.lists import SoundList
from flaggate.changes.differences import differences
from flaggate.core import validation
from flaggate.models import Revision
from flaggate.templatetags.flaggate_moments import zoned

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.utils.safestring import SafeString

    from flaggate.models.documents import Document

MOST_LINES = 4


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that nobody may write, superusers included."""

    show_full_result_count = False
    actions: Any = None

    class Media:
        css = {"all": ("flaggate/admin.css",)}
        js = (Script("flaggate/times.js", type="module"),)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[SoundList]:
        return SoundList

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ActorFilter(admin.SimpleListFilter):
    """Who made a change."""

    title = gettext_lazy("person")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Revision.objects.exclude(actor_name="").values_list("actor_name", flat=True)
        return [(name, name) for name in names.order_by("actor_name").distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(actor_name=self.value()) if self.value() else queryset


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    """Who changed what, when, from where and why."""

    list_display = ("moment", "of", "what", "who", "comment")
    list_filter = ("subject", "source", ActorFilter, "created")
    list_per_page = 50
    search_fields = ("key", "actor_name", "comment")
    fields = (
        ("of", "version"),
        ("moment", "who"),
        "comment",
        "all_of_it",
        ("shown_before", "shown_after"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).readable_by(request.user)  # type: ignore[attr-defined, no-any-return]

    def get_urls(self) -> Any:
        def page(route: str, view: Callable[..., Any], name: str) -> Any:
            return path(route, self.admin_site.admin_view(view), name=f"flaggate_revision_{name}")

        of = "of/<subject>/<path:key>/"
        own = [
            page(f"{of}compare/", partial(history.compare, self), "of_compare"),
            page(f"{of}revert/<int:version>/", partial(reverting.revert, self), "of_revert"),
            page(of, partial(history.timeline, self), "of"),
            page("export/<kind>/", self.export_view, "export"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        more = {"title": _("Activity"), "query": request.GET.urlencode()}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def export_view(self, request: HttpRequest, kind: str) -> Any:
        """Answer with the revisions of the list, filtered as the list is, as a file."""
        history.permit(self, request)
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise Http404 from error
        return exporting.response(changelist.get_queryset(request), kind)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        revision = self.get_object(request, unquote(object_id))
        if revision is None:
            return super().history_view(request, object_id, extra_context)
        return HttpResponseRedirect(history_url(revision.subject, revision.key))

    moment = shown(Revision, "created")

    @admin.display(description=gettext_lazy("of"), ordering="key")
    def of(self, revision: Revision) -> SafeString:
        address = history_url(revision.subject, revision.key)
        subject = revision.get_subject_display()
        return format_html('{} <a href="{}">{}</a>', subject, address, revision.key)

    @admin.display(description=gettext_lazy("what"))
    def what(self, revision: Revision) -> SafeString:
        lines = differences(revision.before, revision.after)
        if (more := len(lines) - MOST_LINES) > 0:
            lines = [*lines[:MOST_LINES], _("and %d more") % more]
        return listed(lines)

    @admin.display(description=gettext_lazy("what"))
    def all_of_it(self, revision: Revision) -> SafeString:
        return listed(differences(revision.before, revision.after))

    @admin.display(description=gettext_lazy("who"), ordering="actor_name")
    def who(self, revision: Revision) -> str:
        return f"{revision.actor_name or '–'} ({revision.source})"

    @admin.display(description=gettext_lazy("before"))
    def shown_before(self, revision: Revision) -> SafeString | str:
        return pretty(revision.before)

    @admin.display(description=gettext_lazy("after"))
    def shown_after(self, revision: Revision) -> SafeString | str:
        return pretty(revision.after)


def history_url(subject: str, key: str) -> str:
    """Return the address of the revisions of one flag, segment or API key."""
    if subject in history.MODELS and validation.KEY.fullmatch(key):
        return reverse("admin:flaggate_revision_of", args=[subject, key])
    only = urlencode({"subject__exact": subject, "key__exact": key})
    return f"{reverse('admin:flaggate_revision_changelist')}?{only}"


def listed(lines: list[str]) -> SafeString:
    """Write one below the other."""
    return format_html_join("", "<div>{}</div>", ((zoned(line),) for line in lines))


def pretty(document: Document | None) -> SafeString | str:
    """Show a document as indented JSON."""
    if document is None:
        return "–"
    return format_html('<pre class="flaggate-json">{}</pre>', operands.as_json(document, indent=2))
