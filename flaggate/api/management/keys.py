"""API keys over HTTP, for people: no key may see, make or revoke keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.http import Http404
from rest_framework.decorators import action
from rest_framework.response import Response

from flaggate.api import keys
from flaggate.api.management.errors import invalid
from flaggate.api.management.idempotency import HEADER
from flaggate.api.management.serializers.keys import (
    IssuedSerializer,
    KeyQuery,
    KeySerializer,
    NewKeySerializer,
    OverlapSerializer,
)
from flaggate.api.management.views import ManagementView
from flaggate.models import ApiKey
from flaggate.models.revisions import SEES_KEYS

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from flaggate.models.documents import Document


class KeyViewSet(ManagementView):
    """API keys."""

    model = ApiKey
    document = KeySerializer
    lookup_field = "prefix"
    lookup_value_regex = "[A-Za-z0-9_]{1,20}"
    permissions: ClassVar = {
        "list": SEES_KEYS,
        "retrieve": SEES_KEYS,
        "create": ("add_apikey",),
        "rotate": ("change_apikey",),
        "revoke": ("change_apikey",),
    }
    bodies: ClassVar = {"create": NewKeySerializer, "rotate": OverlapSerializer}
    queries: ClassVar = {"list": KeyQuery}
    answers: ClassVar = {"create": IssuedSerializer, "rotate": IssuedSerializer}

    def list(self, request: Request) -> Response:
        """List API keys, the newest first, a page at a time."""
        self.order("-pk")
        return self.paged(self.get_queryset().filter(**self.query()), _document)

    def retrieve(self, request: Request, prefix: str) -> Response:
        """Show an API key; its secret is not known to anybody."""
        return Response(KeySerializer(_document(self._found(prefix))).data)

    def create(self, request: Request) -> Response:
        """Make an API key, and show its secret for the first and last time."""
        asked = self._given_once()
        expires_at = asked["expires_at"] and datetime.fromisoformat(asked["expires_at"])
        return self._issued(
            keys.create(asked["name"], asked["scopes"], expires_at=expires_at, **self.how)
        )

    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, prefix: str) -> Response:
        """Make a new secret; the old one goes on working for a while."""
        overlap = timedelta(seconds=self._given_once()["overlap"])
        return self._issued(keys.rotate(self._found(prefix), overlap=overlap, **self.how))

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, prefix: str) -> Response:
        """Close what a key opens: here at once, in all other processes within half a minute."""
        self.given()

        def answer() -> Response:
            revoked = keys.revoke(self._found(prefix), **self.how)
            return Response(KeySerializer(_document(revoked)).data)

        return self.locked(answer)

    def get_queryset(self) -> QuerySet[ApiKey]:
        return super().get_queryset().select_related("created_by")

    def _found(self, prefix: str) -> ApiKey:
        key = self.get_queryset().filter(prefix=prefix).first()
        if key is None:
            raise Http404
        return key

    def _given_once(self) -> Document:
        """Return the body. Raises Refused where its answer would have to be kept."""
        if HEADER in self.request.headers:
            problem = "is not taken here, because the answer holds a secret that nobody may keep."
            raise invalid([(HEADER, problem)])
        return self.given()

    def _issued(self, issued: keys.Issued) -> Response:
        document = {**_document(issued.key), "secret": issued.secret}
        answer = Response(IssuedSerializer(document).data, status=201)
        answer["Location"] = self.reverse_action("detail", args=[issued.key.prefix])
        return answer


def _document(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "state": keys.state_of(key),
        "created": key.created,
        "created_by": key.created_by.get_username() if key.created_by else "",
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
