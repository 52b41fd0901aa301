"""What all views of the management API have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.db import models, transaction
from django.http import QueryDict
from django.utils import translation
from django.utils.cache import patch_cache_control
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle
from rest_framework.views import exception_handler
from rest_framework.viewsets import GenericViewSet

from flaggate.api.authentication import ProjectAuthentication
from flaggate.api.management.access import MayManage
from flaggate.api.management.errors import answerable
from flaggate.api.management.fields import MOST_NAMED
from flaggate.api.management.idempotency import once
from flaggate.api.management.pagination import OF_EVERY_PAGE, Pages
from flaggate.api.management.parsing import LengthRequired, StrictJSONParser
from flaggate.api.management.serializers.strict import (
    CommentedSerializer,
    CommentQuery,
    StrictSerializer,
)
from flaggate.api.management.throttling import ManagementThrottle
from flaggate.api.scopes import actor_of
from flaggate.models import state

if TYPE_CHECKING:
    from django.http import HttpResponseBase
    from rest_framework.request import Request

    from flaggate.models.documents import Document


class ManagementView(ProjectAuthentication, GenericViewSet):  # type: ignore[type-arg]
    """Closed unless ``permissions`` opens an action, whatever the project's defaults are."""

    permission_classes = (MayManage,)
    parser_classes = (StrictJSONParser,)
    pagination_class: type[CursorPagination] = Pages
    filter_backends = ()
    versioning_class = None
    metadata_class = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    model: ClassVar[type[models.Model]]
    #: By action: the permissions of which one is needed to try it.
    permissions: ClassVar[Mapping[str, Sequence[str]]] = {}
    #: By action: what a request's body holds; nothing but a comment where none is named.
    bodies: ClassVar[Mapping[str, type[Serializer[Any]]]] = {}
    #: By action: what a request's query may hold, besides the page.
    queries: ClassVar[Mapping[str, type[Serializer[Any]]]] = {"destroy": CommentQuery}
    #: By action: what an answer holds; ``document`` where none is named.
    answers: ClassVar[Mapping[str, type[Serializer[Any]]]] = {}
    document: ClassVar[type[Serializer[Any]]]

    # --- what REST framework asks for ------------------------------------------------------------

    def dispatch(self, *args: Any, **options: Any) -> HttpResponseBase:
        with translation.override(None):  # programs read it: the same words for all
            return super().dispatch(*args, **options)

    def initial(self, request: Request, *args: Any, **options: Any) -> None:
        super().initial(request, *args, **options)
        if request.method not in SAFE_METHODS and "Transfer-Encoding" in request.headers:
            raise LengthRequired

    def get_queryset(self) -> models.QuerySet[Any]:
        return self.model._default_manager.using(state.alias())

    def get_renderers(self) -> list[BaseRenderer]:
        if not apps.is_installed("rest_framework"):  # its templates are not found
            return [JSONRenderer()]
        pages = [each for each in super().get_renderers() if isinstance(each, BrowsableAPIRenderer)]
        return [JSONRenderer(), *pages]

    def get_throttles(self) -> list[BaseThrottle]:
        return [*super().get_throttles(), ManagementThrottle()]

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.bodies.get(self.action, CommentedSerializer)

    def get_exception_handler(self) -> Callable[..., Any]:
        return exception_handler

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(answerable(exc))

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **options: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **options)
        patch_cache_control(response, private=True, no_store=True)
        return response

    # --- what the actions are made of ------------------------------------------------------------

    def given(self, *, partial: bool = False) -> Document:
        """Return the body of the request, checked, without its comment. Raises ValidationError."""
        serializer = self.get_serializer(data=self.body)
        if partial and isinstance(self.body, Mapping) and isinstance(serializer, StrictSerializer):
            serializer.take_only(self.body)
        serializer.is_valid(raise_exception=True)
        self.comment = serializer.validated_data.pop("comment", "")
        document: Document = serializer.validated_data
        return document

    @property
    def body(self) -> Any:
        """The body of the request as it was sent; nothing at all is an empty object."""
        data = self.request.data
        return {} if isinstance(data, QueryDict) else data

    def query(self) -> Document:
        """Return the query of the request, checked. Raises ValidationError."""
        given = self.request.query_params.dict()
        serializer = self.queries[self.action](data=given)
        known = [*serializer.fields, *OF_EVERY_PAGE]
        if unknown := given.keys() - {*known, api_settings.URL_FORMAT_OVERRIDE}:
            problem = f"There is no such parameter. There are: {', '.join(known)}."
            raise ValidationError({name: [problem] for name in sorted(unknown)[:MOST_NAMED]})
        serializer.is_valid(raise_exception=True)
        asked: Document = serializer.validated_data
        return asked

    def paged(self, rows: models.QuerySet[Any], document: Callable[[Any], Document]) -> Response:
        """Answer with one page of documents."""
        answer = self.answers.get(self.action, self.document)
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(answer([document(row) for row in page], many=True).data)

    def order(self, ordering: str) -> None:
        """Say in which order pages come."""
        self.paginator.ordering = ordering  # type: ignore[union-attr]

    @property
    def how(self) -> dict[str, Any]:
        """Who changes something, from where and why: what all of ``changes`` takes."""
        return {"actor": actor_of(self.request), "source": "api", "comment": self.comment}

    def locked(self, answer: Callable[[], Response]) -> Response:
        """Answer a write that no other can come between, once for all its repetitions."""
        using = state.alias()
        with transaction.atomic(using=using):
            state.lock(using)
            return once(self.request, answer)
