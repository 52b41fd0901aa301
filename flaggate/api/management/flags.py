"""Flags over HTTP: each one document, and what can be done to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import translation
from rest_framework.decorators import action
from rest_framework.response import Response

from flaggate import changes
from flaggate.api.management.access import OF_FLAGS
from flaggate.api.management.recorded import RecordedView
from flaggate.api.management.serializers.flags import (
    CopySerializer,
    ExplanationSerializer,
    FlagQuery,
    FlagSerializer,
    RevertSerializer,
    RolloutSerializer,
    SubjectSerializer,
)
from flaggate.api.management.serializers.strict import CommentQuery
from flaggate.changes.actions import flag_of
from flaggate.changes.differences import same
from flaggate.changes.writing import write_flag
from flaggate.core.definitions import Problem
from flaggate.core.evaluation import TARGETING_KEY, EvaluationContext
from flaggate.exceptions import Invalid, UnknownFlag
from flaggate.flags import flags_for
from flaggate.management import explanations
from flaggate.models import Flag, documents, wording

if TYPE_CHECKING:
    from rest_framework.request import Request

    from flaggate.models.documents import Document

TOGGLE = ("toggle_flag", "change_flag")
ROLLOUT = ("rollout_flag", "change_flag")
ARCHIVE = ("archive_flag", "change_flag")
CHANGE = ("change_flag", "toggle_flag", "rollout_flag", "archive_flag")
# What the document only shows; the remedy for who wants to change it.
BY_ACTION = {"archived_at": "archive or restore", "rollout": "rollout, pause, resume or stop"}


class FlagViewSet(RecordedView):
    """Flags."""

    model = Flag
    document = FlagSerializer
    permissions: ClassVar = {
        "list": OF_FLAGS,
        "retrieve": OF_FLAGS,
        "create": ("add_flag",),
        "update": CHANGE,
        "partial_update": CHANGE,
        "destroy": ("delete_flag",),
        "enable": TOGGLE,
        "disable": TOGGLE,
        "rollout": ROLLOUT,
        "pause": ROLLOUT,
        "resume": ROLLOUT,
        "stop": ROLLOUT,
        "complete": ROLLOUT,
        "archive": ARCHIVE,
        "restore": ARCHIVE,
        "revert": ("revert_flag", "change_flag"),
        "copy": ("add_flag",),
        "explain": ("evaluate_flag",),
    }
    bodies: ClassVar = {
        "create": FlagSerializer,
        "update": FlagSerializer,
        "partial_update": FlagSerializer,
        "rollout": RolloutSerializer,
        "revert": RevertSerializer,
        "copy": CopySerializer,
        "explain": SubjectSerializer,
    }
    queries: ClassVar = {"list": FlagQuery, "destroy": CommentQuery}
    answers: ClassVar = {"explain": ExplanationSerializer}

    def list(self, request: Request) -> Response:
        """List flags, a page at a time; the archived only where they are asked for."""
        asked = self.query()
        self.order(asked["ordering"])
        return self.paged(_filtered(self.get_queryset(), asked), _document)

    def retrieve(self, request: Request, key: str) -> Response:
        """Show a flag."""
        return self.documented(key)

    def create(self, request: Request) -> Response:
        """Create a flag."""
        document = self.given()

        def act(**how: Any) -> None:
            with changes.change(**how):
                flag = changes.create(document["key"])
                self._check_settled(flag)
                write_flag(flag, document)

        return self.written(document["key"], act, status=201)

    def update(self, request: Request, key: str, *, partial: bool = False) -> Response:
        """Replace a flag: what the document leaves out is set back. The salt is kept."""
        document = self.given(partial=partial)

        def act(**how: Any) -> None:
            with changes.change(**how) as opened:
                flag = flag_of(key)
                self._check_settled(flag)
                if "percentage" in document:
                    opened.state_percentage(key)
                write_flag(flag, document)

        return self.written(key, act)

    def partial_update(self, request: Request, key: str) -> Response:
        """Change some fields of a flag: what the document leaves out stays."""
        return self.update(request, key, partial=True)

    def destroy(self, request: Request, key: str) -> Response:
        """Delete a flag for good."""
        return self.removed(key, lambda **how: changes.delete(key, **how))

    @action(detail=True, methods=["post"])
    def enable(self, request: Request, key: str) -> Response:
        """Turn a flag on."""
        return self.acted(key, changes.enable)

    @action(detail=True, methods=["post"])
    def disable(self, request: Request, key: str) -> Response:
        """Turn a flag off for everybody."""
        return self.acted(key, changes.disable)

    @action(detail=True, methods=["post"])
    def rollout(self, request: Request, key: str) -> Response:
        """Set the share of everyone whom no rule catches, or start to raise it in stages."""
        asked = self.given()
        if "percentage" in asked:
            return self.written(key, lambda **how: changes.rollout(key, asked["percentage"], **how))
        plan = [(each["percentage"], _length(each["holds"])) for each in asked["stages"]]
        at = datetime.fromisoformat(asked["at"]) if "at" in asked else None
        return self.written(key, lambda **how: changes.rollouts.start(key, plan, at=at, **how))

    @action(detail=True, methods=["post"])
    def pause(self, request: Request, key: str) -> Response:
        """Freeze a rollout at the stage that holds now."""
        return self.acted(key, changes.rollouts.pause)

    @action(detail=True, methods=["post"])
    def resume(self, request: Request, key: str) -> Response:
        """Go on with a paused rollout."""
        return self.acted(key, changes.rollouts.resume)

    @action(detail=True, methods=["post"])
    def stop(self, request: Request, key: str) -> Response:
        """End a rollout where it is."""
        return self.acted(key, changes.rollouts.stop)

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, key: str) -> Response:
        """End a rollout at the share of its last stage."""
        return self.acted(key, changes.rollouts.complete)

    @action(detail=True, methods=["post"])
    def archive(self, request: Request, key: str) -> Response:
        """Retire a flag: off, and hidden by default."""
        return self.acted(key, changes.archive)

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, key: str) -> Response:
        """Bring an archived flag back, as it was."""
        return self.acted(key, changes.restore)

    @action(detail=True, methods=["post"])
    def revert(self, request: Request, key: str) -> Response:
        """Make a flag what it was at an earlier version."""
        version = self.given()["version"]
        return self.written(key, lambda **how: changes.revert_flag(key, version, **how))

    @action(detail=True, methods=["post"])
    def copy(self, request: Request, key: str) -> Response:
        """Create a flag with all that this one has, but off, and with buckets of its own."""
        new = self.given()["key"]
        return self.written(key, lambda **how: changes.copy(key, new, **how), 201, shown=new)

    @action(detail=True, methods=["post"])
    def explain(self, request: Request, key: str) -> Response:
        """Say why a subject gets what it gets; nothing is counted or changed."""
        flags = flags_for(_subject(self.given()))
        if key not in flags:
            raise UnknownFlag(f"There is no flag {key!r}.")
        with translation.override(settings.LANGUAGE_CODE):  # a flag may ask for the language
            explanation = flags.explain(key)
        document = explanations.document(explanation, flags.context)
        return Response(ExplanationSerializer(document).data)

    def get_queryset(self) -> QuerySet[Flag]:
        flags = super().get_queryset().select_related("rollout")
        return flags.prefetch_related(
            "variants", "rules__segments", "prerequisites__required", "stages"
        )

    def documented(self, key: str, status: int = 200) -> Response:
        """Answer with the document of a flag. Raises UnknownFlag."""
        flag = self.get_queryset().filter(key=key).first()
        if flag is None:
            raise UnknownFlag(f"There is no flag {key!r}.")
        return self.tagged(_document(flag), status)

    def _check_settled(self, flag: Flag) -> None:
        """Raise Invalid where the body would change what only actions change."""
        self.check_key(flag.key)
        current = documents.of_flag(flag)
        for name, actions in BY_ACTION.items():
            if name in self.body and not same(self.body[name], current[name]):
                problem = f"can't be written. Use the action {actions}."
                raise Invalid(f"flag {flag.key}", [Problem(name, problem)])


def _document(flag: Flag) -> Document:
    return {
        **documents.of_flag(flag),
        "version": flag.version,
        "created": flag.created,
        "modified": flag.modified,
        "state": wording.state(flag),
    }


def _filtered(flags: QuerySet[Flag], asked: Document) -> QuerySet[Flag]:
    """Find the flags that a query asks for."""
    plain = {name: asked[name] for name in PLAIN if name in asked}
    flags = flags.filter(ARCHIVED[asked["archived"]], **plain)
    if words := asked.get("search"):
        flags = flags.filter(
            Q(key__icontains=words) | Q(description__icontains=words) | Q(owner__icontains=words)
        )
    if "tag" in asked:
        # By primary key: SQLite can't search inside a JSON list.
        rows = flags.prefetch_related(None).values_list("pk", "tags")
        flags = flags.filter(pk__in=[pk for pk, tags in rows if asked["tag"] in (tags or ())])
    return flags


PLAIN = ("enabled", "client_visible", "permanent", "kind", "owner")
ARCHIVED = {
    "false": Q(archived_at=None),
    "true": Q(archived_at__isnull=False),
    "any": Q(),
}


def _length(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _subject(asked: Document) -> str | EvaluationContext | None:
    if "context" in asked:
        known = dict(asked["context"])
        return EvaluationContext(known.pop(TARGETING_KEY, None), known)
    key: str | None = asked.get("key")
    return key
