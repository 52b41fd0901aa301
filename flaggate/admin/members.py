"""The members of a segment: searched, paged, and taken out; there may be 100,000."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import IntegerField
from django.http import Http404, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flaggate import changes
from flaggate.admin import refusals
from flaggate.admin.lists import numeric
from flaggate.changes.members import chunks
from flaggate.exceptions import ChangeRefused
from flaggate.models import SegmentMember

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

    from flaggate.models import Segment

PER_PAGE = 100
MOST_COMMENT = 1000
LISTS = ("included", "excluded")


def members(
    model_admin: ModelAdmin[Segment], request: HttpRequest, object_id: str
) -> HttpResponseBase:
    """List the included or the excluded members; on POST take the chosen ones out."""
    segment = segment_of(model_admin, request, object_id)
    which = request.GET.get("list")
    which = which if which in LISTS else LISTS[0]
    query = request.GET.get("q", "").replace("\0", "").strip()
    if request.method == "POST":
        _remove(request, segment, which)
        return HttpResponseRedirect(request.get_full_path())
    rows = SegmentMember.objects.filter(segment=segment, excluded=which == "excluded")
    found = rows.filter(targeting_key__icontains=query) if query else rows
    page = Paginator(found.order_by("targeting_key"), PER_PAGE).get_page(request.GET.get("p"))
    keys = [member.targeting_key for member in page]
    return TemplateResponse(
        request,
        "admin/flaggate/segment/members.html",
        {
            **context(model_admin, request, segment, _("Members of %s") % segment.key),
            "which": which,
            "lists": [
                (name, list_label(name), getattr(segment, f"{name}_count")) for name in LISTS
            ],
            "query": query,
            "kept": urlencode({"list": which, "q": query}),
            "page": page,
            "people": [(key, names.get(key)) for names in (_names(request, keys),) for key in keys],
        },
    )


def segment_of(model_admin: ModelAdmin[Segment], request: HttpRequest, object_id: str) -> Segment:
    """Find the segment of an address, its members counted. Raises Http404, PermissionDenied."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    segment = model_admin.get_object(request, unquote(object_id))
    if segment is None:
        raise Http404(object_id)
    return segment


def may_import(request: HttpRequest) -> bool:
    """Tell whether somebody may add and remove members."""
    return request.user.has_perm("flaggate.import_members") or request.user.has_perm(
        "flaggate.change_segment"
    )


def context(
    model_admin: ModelAdmin[Segment], request: HttpRequest, segment: Segment, title: str
) -> dict[str, Any]:
    """Return what the pages about the members of a segment have in common."""
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "segment": segment,
        "may_import": may_import(request),
        "title": title,
    }


def url(segment: Segment, page: str = "members") -> str:
    """Return the address of a page about a segment's members."""
    return reverse(f"admin:flaggate_segment_{page}", args=[segment.pk])


def list_label(which: str) -> str:
    """Call a list of members by its name."""
    return _("excluded") if which == "excluded" else _("included")


def users_among(keys: list[str]) -> dict[str, str]:
    """Find out which targeting keys are those of users, and how these are called."""
    model = get_user_model()
    users, field = model._default_manager.order_by(), model._meta.pk
    found: dict[str, str] = {}
    for chunk in chunks(keys, users.db):
        pks = [pk for key in chunk if (pk := _pk(field, key)) is not None]
        rows = users.filter(pk__in=pks).values_list("pk", model.USERNAME_FIELD)
        found |= {str(pk): name for pk, name in rows}
    return found


def _pk(field: Any, key: str) -> Any:
    if isinstance(field, IntegerField) and not numeric(key.removeprefix("-")):
        return None  # the same as below; of 100,000 visitors' ids, in a tenth of the time
    try:
        return field.clean(key, None)
    except ValidationError:
        return None


def _names(request: HttpRequest, keys: list[str]) -> dict[str, str]:
    model = get_user_model()._meta
    if not request.user.has_perm(f"{model.app_label}.view_{model.model_name}"):
        return {}
    return users_among(keys)


def _remove(request: HttpRequest, segment: Segment, which: str) -> None:
    if not may_import(request):
        raise PermissionDenied
    keys = request.POST.getlist("key")
    if not keys:
        messages.warning(request, _("Nobody was chosen, and nothing changed."))
        return
    try:
        tally = changes.members.remove(
            segment.key,
            keys,
            excluded=which == "excluded",
            actor=request.user,
            source="admin",
            comment=request.POST.get("comment", "").replace("\0", "").strip()[:MOST_COMMENT],
        )
    except ChangeRefused as refusal:
        messages.error(request, refusals.words(refusal))
        return
    words = ngettext("%d member was removed.", "%d members were removed.", tally.removed)
    messages.success(request, words % tally.removed)
