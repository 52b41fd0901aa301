"""Segments over HTTP; members are added and removed in bulk, never by rewriting the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Count, Q, QuerySet
from rest_framework.decorators import action
from rest_framework.response import Response

from flaggate import changes
from flaggate.api.management.access import OF_SEGMENTS
from flaggate.api.management.recorded import RecordedView
from flaggate.api.management.serializers.flags import RevertSerializer
from flaggate.api.management.serializers.segments import (
    MemberQuery,
    MemberSerializer,
    MembersSerializer,
    SegmentSerializer,
    TallySerializer,
)
from flaggate.api.management.serializers.strict import CommentQuery, ListQuery
from flaggate.changes.members import Tally, segment_of
from flaggate.changes.writing import write_segment
from flaggate.core.definitions import Problem
from flaggate.exceptions import Invalid, UnknownSegment
from flaggate.models import Segment, documents, state

if TYPE_CHECKING:
    from rest_framework.request import Request

    from flaggate.models import SegmentMember
    from flaggate.models.documents import Document

CHANGE = ("change_segment",)
MEMBERS = ("import_members", "change_segment")


class SegmentViewSet(RecordedView):
    """Segments."""

    model = Segment
    document = SegmentSerializer
    permissions: ClassVar = {
        "list": OF_SEGMENTS,
        "retrieve": OF_SEGMENTS,
        "create": ("add_segment",),
        "update": CHANGE,
        "partial_update": CHANGE,
        "destroy": ("delete_segment",),
        "revert": ("revert_segment", "change_segment"),
        "members": OF_SEGMENTS,
        "add_members": MEMBERS,
        "remove_members": MEMBERS,
    }
    bodies: ClassVar = {
        "create": SegmentSerializer,
        "update": SegmentSerializer,
        "partial_update": SegmentSerializer,
        "revert": RevertSerializer,
        "add_members": MembersSerializer,
        "remove_members": MembersSerializer,
    }
    queries: ClassVar = {"list": ListQuery, "members": MemberQuery, "destroy": CommentQuery}
    answers: ClassVar = {
        "members": MemberSerializer,
        "add_members": TallySerializer,
        "remove_members": TallySerializer,
    }

    def list(self, request: Request) -> Response:
        """List segments, a page at a time."""
        asked = self.query()
        self.order(asked["ordering"])
        segments = self.get_queryset()
        if words := asked.get("search"):
            segments = segments.filter(
                Q(key__icontains=words) | Q(name__icontains=words) | Q(description__icontains=words)
            )
        return self.paged(segments, _document)

    def retrieve(self, request: Request, key: str) -> Response:
        """Show a segment."""
        return self.documented(key)

    def create(self, request: Request) -> Response:
        """Create a segment."""
        document = self.given()

        def act(**how: Any) -> None:
            with changes.change(**how):
                write_segment(_created(document["key"]), document)

        return self.written(document["key"], act, status=201)

    def update(self, request: Request, key: str, *, partial: bool = False) -> Response:
        """Replace a segment: what the document leaves out is set back. Its members stay."""
        document = self.given(partial=partial)

        def act(**how: Any) -> None:
            with changes.change(**how):
                segment = segment_of(key)
                self.check_key(segment.key)
                write_segment(segment, document)

        return self.written(key, act)

    def partial_update(self, request: Request, key: str) -> Response:
        """Change some fields of a segment: what the document leaves out stays."""
        return self.update(request, key, partial=True)

    def destroy(self, request: Request, key: str) -> Response:
        """Delete a segment that nothing uses."""

        def act(**how: Any) -> None:
            with changes.change(**how):
                segment_of(key).delete()

        return self.removed(key, act)

    @action(detail=True, methods=["post"])
    def revert(self, request: Request, key: str) -> Response:
        """Make a segment what it was at an earlier version."""
        version = self.given()["version"]
        return self.written(key, lambda **how: changes.revert_segment(key, version, **how))

    @action(detail=True)
    def members(self, request: Request, key: str) -> Response:
        """List the members of a segment, a page at a time, in the order in which they came."""
        asked = self.query()
        members = segment_of(key).members.all()
        if "excluded" in asked:
            members = members.filter(excluded=asked["excluded"])
        if "search" in asked:
            members = members.filter(targeting_key__startswith=asked["search"])
        self.order("pk")
        return self.paged(members, _member)

    @action(detail=True, methods=["post"], url_path="members:add")
    def add_members(self, request: Request, key: str) -> Response:
        """Add members to a segment, or to those excluded from it; who is there is left alone."""
        return self._tallied(key, changes.members.add)

    @action(detail=True, methods=["post"], url_path="members:remove")
    def remove_members(self, request: Request, key: str) -> Response:
        """Remove members from a segment, or from those excluded from it."""
        return self._tallied(key, changes.members.remove)

    def get_queryset(self) -> QuerySet[Segment]:
        segments = super().get_queryset().prefetch_related("conditions")
        counted: QuerySet[Segment] = segments.annotate(
            included_count=Count("members", filter=Q(members__excluded=False)),
            excluded_count=Count("members", filter=Q(members__excluded=True)),
        )
        return counted

    def documented(self, key: str, status: int = 200) -> Response:
        """Answer with the document of a segment. Raises UnknownSegment."""
        segment = self.get_queryset().filter(key=key).first()
        if segment is None:
            raise UnknownSegment(f"There is no segment {key!r}.")
        return self.tagged(_document(segment), status)

    def _tallied(self, key: str, act: Callable[..., Tally]) -> Response:
        asked = self.given()

        def answer() -> Response:
            tally = act(key, asked["keys"], excluded=asked["excluded"], **self.how_of(key))
            document: Document = {
                "added": tally.added,
                "removed": tally.removed,
                "unchanged": tally.unchanged,
                "segment": _document(self.get_queryset().get(key=key)),
            }
            return self.tagged(document, version=document["segment"]["version"])

        return self.locked(answer)


def _created(key: str) -> Segment:
    if Segment.objects.using(state.alias()).filter(key=key).exists():
        raise Invalid(f"segment {key}", [Problem("key", f"{key!r} is taken. Choose another key.")])
    segment: Segment = Segment.objects.using(state.alias()).create(key=key)
    return segment


def _document(segment: Any) -> Document:
    return {
        "key": segment.key,
        **documents.plain_of_segment(segment),
        "members": {"included": segment.included_count, "excluded": segment.excluded_count},
        "version": segment.version,
        "created": segment.created,
        "modified": segment.modified,
    }


def _member(member: SegmentMember) -> Document:
    return {"targeting_key": member.targeting_key, "excluded": member.excluded}
