"""The history of one flag or segment: its revisions in order, and any two of them compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from flaggate.admin import operands
from flaggate.admin.lists import numeric
from flaggate.changes.differences import differences, same
from flaggate.models import Flag, Revision, Segment, documents, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet
    from django.http import HttpRequest, QueryDict

    from flaggate.models.documents import Document

PER_PAGE = 25
NOW = "now"  # what "to" is called when a revision is compared with the present state
AROUND = 3  # unchanged lines of JSON around a changed one
MODELS: dict[str, type[Flag | Segment]] = {"flag": Flag, "segment": Segment}
READERS = {"flag": documents.of_flags, "segment": documents.of_segments}


class History:
    """All revisions of one flag or segment, and what it is now. Raises Http404."""

    def __init__(self, subject: str, key: str) -> None:
        if subject not in MODELS or "\0" in key:  # PostgreSQL has no text with a NUL
            raise Http404(subject)
        self.subject = subject
        self.key = key
        if self.whole is None and not self.revisions.exists():
            raise Http404(key)

    @property
    def revisions(self) -> QuerySet[Revision]:
        """The newest first."""
        found: QuerySet[Revision] = Revision.objects.filter(subject=self.subject, key=self.key)
        return found

    @cached_property
    def whole(self) -> Any:
        """The flag or segment; None once it is deleted."""
        return MODELS[self.subject]._default_manager.filter(key=self.key).first()

    @cached_property
    def now(self) -> Document | None:
        """What it is, as revisions write it down."""
        if self.whole is None:
            return None
        _key, _version, document = READERS[self.subject](state.alias(), [self.whole.pk])[
            self.whole.pk
        ]
        return document

    @cached_property
    def deleted(self) -> int:
        """The revision that deleted it last; what came before belongs to another of that key."""
        gone = self.revisions.filter(after__isnull=True).values_list("pk", flat=True)
        return gone.first() or 0

    def revision(self, sent: QueryDict, end: str) -> Revision:
        """Return the one that is chosen as an end: by its version, or by its row. Raises Http404.

        Where a version left no revision, it is the last one before.
        """
        version = sent.get(f"{end}_version")
        number = version or sent.get(end, "")
        lookup = "version__lte" if version else "pk"
        found = self.revisions.filter(**{lookup: number}).first() if numeric(number) else None
        if found is None:
            raise Http404(number)
        return found

    def url(self, page: str = "", *arguments: Any) -> str:
        """Return the address of one of its pages."""
        name = f"admin:flaggate_revision_of{page and f'_{page}'}"
        return reverse(name, args=[self.subject, self.key, *arguments])


@dataclass(frozen=True, slots=True)
class Entry:
    """A revision in a timeline: what it changed, and what was changed without one before it."""

    revision: Revision
    lines: list[str]
    unrecorded: list[str]
    revert_url: str


def timeline(
    model_admin: ModelAdmin[Revision], request: HttpRequest, subject: str, key: str
) -> Any:
    """List what happened to a flag or segment, the newest first."""
    permit(model_admin, request)
    history = History(subject, key)
    page = Paginator(history.revisions, PER_PAGE).get_page(request.GET.get("p"))
    newest = history.revisions.first()
    unrecorded = _unrecorded(newest, history.now) if newest and history.whole else []
    return TemplateResponse(
        request,
        "admin/flaggate/revision/timeline.html",
        {
            **context(model_admin, request, history, _("History of %s") % key),
            "page": page,
            "newest": newest,
            "entries": list(_entries(history, list(page), may_revert(request, subject))),
            "unrecorded": unrecorded,
            "chosen": _chosen([revision.pk for revision in page], bool(unrecorded)),
            "now": NOW,
        },
    )


def compare(
    model_admin: ModelAdmin[Revision], request: HttpRequest, subject: str, key: str
) -> TemplateResponse:
    """Show what differs between two revisions, or between one and the present state."""
    permit(model_admin, request)
    history = History(subject, key)
    sent = request.GET
    until_now = sent.get("to") == NOW and not sent.get("to_version")
    older = history.revision(sent, "from")
    newer = None if until_now else history.revision(sent, "to")
    if newer and newer.pk < older.pk:
        older, newer = newer, older
    before, after = older.after, newer.after if newer else history.now
    return TemplateResponse(
        request,
        "admin/flaggate/revision/compare.html",
        {
            **context(model_admin, request, history, _("Two states of %s") % key),
            "older": older,
            "newer": newer,
            "lines": differences(before, after),
            "json": list(json_lines(before, after)),
        },
    )


def permit(model_admin: ModelAdmin[Revision], request: HttpRequest) -> None:
    """Raise PermissionDenied to those who may not see revisions."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied


def may_revert(request: HttpRequest, subject: str) -> bool:
    """Tell whether somebody may bring a former state back."""
    return request.user.has_perm(f"flaggate.revert_{subject}") or request.user.has_perm(
        f"flaggate.change_{subject}"
    )


def context(
    model_admin: ModelAdmin[Revision], request: HttpRequest, history: History, title: str
) -> dict[str, Any]:
    """Return what the pages of a history have in common."""
    whole_admin = model_admin.admin_site.get_model_admin(MODELS[history.subject])
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "whole_opts": whole_admin.opts,
        "may_view": whole_admin.has_view_permission(request),
        "history": history,
        "title": title,
    }


def json_lines(before: Document | None, after: Document | None) -> Iterator[tuple[str, str]]:
    """Compare two documents as JSON: a sign ("+", "-", " ", or "…" for a gap) and a line each."""
    found = unified_diff(_json(before), _json(after), n=AROUND, lineterm="")
    for line in list(found)[2:]:  # two lines name the files
        yield ("…", "") if line.startswith("@@") else (line[0], line[1:])


def _json(document: Document | None) -> list[str]:
    if document is None:
        return []
    # Sorted, because PostgreSQL's jsonb has an order of its own.
    written = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
    return operands.encodable(written).splitlines()


def _entries(history: History, shown: list[Revision], revertible: bool) -> Iterator[Entry]:
    if not shown:
        return
    older = history.revisions.filter(pk__lt=shown[-1].pk).first()
    for revision, earlier in zip(shown, [*shown[1:], older], strict=True):
        offered = revertible and history.whole and revision.pk > history.deleted
        offered = offered and not same(revision.after, history.now)
        yield Entry(
            revision,
            differences(revision.before, revision.after),
            _unrecorded(earlier, revision.before) if earlier else [],
            history.url("revert", revision.version) if offered else "",
        )


def _chosen(newest: list[int], unrecorded: bool) -> tuple[int | str, ...]:
    """Choose what to compare until somebody chooses: what changed last."""
    if unrecorded or len(newest) < 2:
        return (*newest[:1], NOW)
    return newest[1], newest[0]


def _unrecorded(revision: Revision, present: Document | None) -> list[str]:
    """Say what was changed since a revision without leaving one."""
    return differences(revision.after, present)
