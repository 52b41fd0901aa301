"""The management API for drf-spectacular, which writes OpenAPI: what its views say of themselves.

Imported while Django starts where ``drf_spectacular`` is an installed app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from flaggate.api.management.fields import Text
from flaggate.api.management.idempotency import HEADER, LONGEST
from flaggate.api.management.recorded import RecordedView
from flaggate.api.management.views import ManagementView
from flaggate.models import Flag

if TYPE_CHECKING:
    from drf_spectacular.utils import Direction


class DetailSerializer(serializers.Serializer[Any]):
    """Why a request was refused."""

    detail = Text()


class ProblemSerializer(serializers.Serializer[Any]):
    """What is wrong, and where."""

    path = Text(allow_blank=True, help_text="Such as rules[1].segments[0]; empty: the whole body.")
    message = Text()


class ProblemsSerializer(serializers.Serializer[Any]):
    """What is wrong with a request: a detail where it can't be read, else each problem."""

    detail = Text(required=False)
    errors = ProblemSerializer(many=True, required=False)  # type: ignore[assignment]


READING = {
    401: "Nobody is authenticated.",
    403: "The caller lacks the permission.",
    406: "Only JSON can be had.",
    429: "Too many requests.",
    503: "API keys can't be read now.",
}
SOUGHT = {404: "There is no such thing."}
ASKED = {400: "The request makes no sense; see its errors."}
SENT = {
    411: "The body came in chunks.",
    413: "The body is too large.",
    415: "The body is no JSON.",
}
CHANGING = {409: "The present state forbids it."}
REPEATED = {422: "The Idempotency-Key was sent with another request."}
CONDITIONAL = {412: "If-Match names another version."}
GUARDED = {428: "A critical flag is not changed without If-Match."}

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag that was seen, or *."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": LONGEST},
    OpenApiParameter.HEADER,
    description="Any text; the same request with the same text is done once.",
)
ETAG = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, response=[200, 201], description="The version."
)
LOCATION = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, response=[201], description="Where it is."
)


class ManagementSchema(AutoSchema):
    """Reads bodies, queries and answers from the tables of a view."""

    view: Any

    def get_tags(self) -> list[str]:
        return [str(self.view.basename)]

    def get_operation_id(self) -> str:
        return f"{self.view.basename}_{self.view.action}"

    def get_description(self) -> str:  # type: ignore[override]
        names = [f"`{name}`" for name in self.view.permissions[self.view.action]]
        needed = names[0] if len(names) == 1 else f"one of {', '.join(names)}"
        return f"{super().get_description()}\n\nThe permission to try it: {needed}."

    def get_request_serializer(self) -> Any:
        return self.view.get_serializer_class()

    def get_response_serializers(self) -> Any:
        refused = {
            code: OpenApiResponse(
                ProblemsSerializer if code == 400 else DetailSerializer, description
            )
            for code, description in self._refusals().items()
        }
        return {**self._answer(), **dict(sorted(refused.items()))}

    def get_override_parameters(self) -> list[Any]:
        query = self.view.queries.get(self.view.action)
        parameters = [query] if query else []
        if self._recorded:
            parameters.append(ETAG)
        if self._makes:
            parameters.append(LOCATION)
        if self._conditional:
            parameters.append(IF_MATCH)
        if self._repeatable:
            parameters.append(IDEMPOTENCY_KEY)
        return parameters

    def _answer(self) -> dict[int, Any]:
        answer = self.view.answers.get(self.view.action, self.view.document)
        if self.method == "DELETE":
            return {204: OpenApiResponse(description="It is gone.")}
        if self._lists:
            return {200: answer(many=True)}
        return {201 if self._makes else 200: answer}

    def _refusals(self) -> dict[int, str]:
        refusals = dict(READING)
        if self.view.detail or self._lists:
            refusals |= SOUGHT  # in a list: its cursor
        if self._writes or self.view.action in self.view.queries:
            refusals |= ASKED
        if self._writes:
            refusals |= SENT
        if self._changes:
            refusals |= CHANGING
        if self._repeatable:
            refusals |= REPEATED
        if self._conditional:
            refusals |= CONDITIONAL
        if self._conditional and self.view.model is Flag:
            refusals |= GUARDED
        return refusals

    @property
    def _writes(self) -> bool:
        return self.method != "GET"

    @property
    def _changes(self) -> bool:
        return self._writes and self.view.action != "explain"

    @property
    def _lists(self) -> bool:
        return self.view.action in ("list", "members")

    @property
    def _makes(self) -> bool:
        return self.view.action in ("create", "copy", "rotate")

    @property
    def _recorded(self) -> bool:
        tagged = not self._lists and self.method != "DELETE" and self.view.action != "explain"
        return tagged and isinstance(self.view, RecordedView)

    @property
    def _conditional(self) -> bool:
        changes = self._changes and self.view.action != "create"
        return changes and isinstance(self.view, RecordedView)

    @property
    def _repeatable(self) -> bool:
        return self._changes and (isinstance(self.view, RecordedView) or not self._makes)


class StrictSerializerExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Says that names which are not named are refused."""

    target_class = "flaggate.api.management.serializers.strict.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        mapped = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**mapped, "additionalProperties": False}


class KeyAuthenticationExtension(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How an API key is shown."""

    target_class = "flaggate.api.authentication.KeyAuthentication"
    name = ["apiKey", "apiKeyHeader"]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> Any:
        return [
            {"type": "http", "scheme": "bearer", "description": "flaggate's API key."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]


ManagementView.schema = ManagementSchema()
