"""Revisions over HTTP: to be read, and written by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.http import Http404
from rest_framework.response import Response

from flaggate.api.management.serializers.revisions import (
    RevisionLineSerializer,
    RevisionQuery,
    RevisionSerializer,
)
from flaggate.api.management.views import ManagementView
from flaggate.api.scopes import actor_of
from flaggate.changes.differences import differences
from flaggate.models import Revision

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from flaggate.models.documents import Document

# The names of a query, and the columns they compare with.
COLUMNS = {"subject": "subject", "key": "key", "actor": "actor_name", "source": "source"}


class RevisionViewSet(ManagementView):
    """Revisions."""

    model = Revision
    document = RevisionSerializer
    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"
    permissions: ClassVar = {"list": ("view_revision",), "retrieve": ("view_revision",)}
    queries: ClassVar = {"list": RevisionQuery}
    answers: ClassVar = {"list": RevisionLineSerializer}

    def get_queryset(self) -> QuerySet[Revision]:
        return super().get_queryset().readable_by(actor_of(self.request))  # type: ignore[attr-defined, no-any-return]

    def list(self, request: Request) -> Response:
        """List revisions, the newest first, a page at a time."""
        asked = {COLUMNS[name]: value for name, value in self.query().items()}
        self.order("-pk")
        return self.paged(self.get_queryset().filter(**asked), _line)

    def retrieve(self, request: Request, id: str) -> Response:
        """Show a revision, with all that was before and after."""
        revision = self.get_queryset().filter(pk=id).first()
        if revision is None:
            raise Http404
        document = {**_line(revision), "before": revision.before, "after": revision.after}
        return Response(RevisionSerializer(document).data)


def _line(revision: Revision) -> Document:
    return {
        "id": revision.pk,
        "subject": revision.subject,
        "key": revision.key,
        "version": revision.version,
        "created": revision.created,
        "actor": revision.actor_name,
        "source": revision.source,
        "comment": revision.comment,
        "differences": differences(revision.before, revision.after),
    }
