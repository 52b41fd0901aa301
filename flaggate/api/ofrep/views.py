"""One flag, and all flags, for clients of the OpenFeature Remote Evaluation Protocol."""

from __future__ import annotations

from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import mmh3
from django.http import HttpResponse
from django.utils.http import parse_etags
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView, exception_handler

from flaggate import recording
from flaggate.api.authentication import (
    ProjectAuthentication,
    VisitorAuthentication,
    is_visitor,
)
from flaggate.api.ofrep import answers, questions, streams, subjects
from flaggate.api.ofrep.throttling import EvaluationThrottle
from flaggate.api.ofrep.watch import state_of
from flaggate.api.scopes import Scope
from flaggate.flags import pin
from flaggate.models import ApiKey
from flaggate.store import store

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.authentication import BaseAuthentication
    from rest_framework.renderers import BaseRenderer
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.throttling import BaseThrottle

    from flaggate.api.ofrep.questions import Context
    from flaggate.flags import Flags


# The last states for which this process has looked. Once for each is enough; and whoever sends one
# again and again makes no query, in an outage neither.
_looked_for: deque[str] = deque(maxlen=64)


class MayEvaluate(BasePermission):
    """Lets API keys with a scope of evaluation pass, the project's users, and known visitors."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, ApiKey):
            return bool({Scope.EVALUATE_CLIENT, Scope.EVALUATE_SERVER} & {*request.auth.scopes})
        return is_visitor(request) or bool(getattr(request.user, "is_authenticated", False))


class Unread(BaseParser):
    """Leaves the body alone, which SessionAuthentication would have parsed, however large it is."""

    media_type = "*/*"

    def parse(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {}


class EvaluationView(ProjectAuthentication, APIView):
    """What all endpoints have in common."""

    permission_classes = [MayEvaluate]
    parser_classes = [Unread]
    versioning_class = None
    metadata_class = None
    schema = None  # OFREP has a document of its own
    http_method_names = ["post"]

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [*super().get_authenticators(), VisitorAuthentication()]

    def get_throttles(self) -> list[BaseThrottle]:
        return [*super().get_throttles(), EvaluationThrottle()]

    def perform_content_negotiation(
        self, request: Request, force: bool = False
    ) -> tuple[BaseRenderer, str]:
        """Answer with JSON, whatever a client accepts: there is nothing else."""
        return JSONRenderer(), JSONRenderer.media_type

    def get_exception_handler(self) -> Callable[..., Any]:
        return refusal

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Cache-Control"] = "private, no-store"
        return final


def refusal(error: Exception, context: Any) -> Response | None:
    """Answer what REST framework refuses as clients know it, whatever handler the project has."""
    response = exception_handler(error, context)
    if response is not None:
        response.data = {"errorDetails": str(response.data["detail"])}
    return response


class OneFlag(EvaluationView):
    """Evaluates one flag, and counts it."""

    def post(self, request: Request, key: str) -> HttpResponse:
        try:
            sent = questions.context_of(request._request)
        except questions.InvalidContext as error:
            return _refused(error, key)
        flags = _flags(request, sent)
        if not _visible(request, flags, key):
            return _json(answers.encoded(answers.not_found(key)), HTTPStatus.NOT_FOUND)
        answer = flags.evaluate(key)
        recording.flush_if_due()
        status = HTTPStatus.OK if answer.error is None else HTTPStatus.BAD_REQUEST
        return _json(answers.encoded(answers.document(answer)), status)


class AllFlags(EvaluationView):
    """Evaluates all flags that the caller may see; counts nothing."""

    def post(self, request: Request) -> HttpResponse:
        try:
            sent = questions.context_of(request._request)
        except questions.InvalidContext as error:
            return _refused(error)
        _catch_up(request)
        flags = _flags(request, sent)
        body = _all(request, flags)
        etag = _etag(flags, sent, body)
        if etag in _known(request):
            response = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
        else:
            response = _json(body, HTTPStatus.OK)
        response.headers["ETag"] = etag
        return response


def _catch_up(request: Request) -> None:
    """Look at the database if a stream has told the client of a change unknown to this process."""
    told = streams.told(request.GET.get("flagConfigEtag", ""))
    flags = pin(request._request)
    if not told or told in _looked_for or told == state_of(flags.snapshot, flags.now):
        return
    store.committed()
    request._request.flags = None  # type: ignore[attr-defined]
    pin(request._request)
    _looked_for.append(told)


def _all(request: Request, flags: Flags) -> bytes:
    found = flags.all(client=not _is_server(request)).values()
    version = flags.snapshot.version
    rest: dict[str, Any] = {"metadata": {"version": version.number if version else 0}}
    if entries := streams.entries(request._request, flags):
        rest["eventStreams"] = entries
    # The flags are written already, each by itself; the rest goes around them.
    return b'{"flags":%b,%b' % (answers.bulk(flags.snapshot, found), answers.encoded(rest)[1:])


def _is_server(request: Request) -> bool:
    return isinstance(request.auth, ApiKey) and Scope.EVALUATE_SERVER in request.auth.scopes


def _flags(request: Request, sent: Context) -> Flags:
    if _is_server(request):
        return subjects.of_server(request._request, sent)
    if isinstance(request.auth, ApiKey):
        return subjects.of_client(request._request, sent)
    return subjects.of_user(request._request, sent)


def _visible(request: Request, flags: Flags, key: str) -> bool:
    """Whether the caller may know of a flag; what can't be read says nothing, and is not shown."""
    if _is_server(request):
        return key in flags
    flag = flags.snapshot.flags.get(key)
    return flag is not None and flag.client_visible


def _known(request: Request) -> list[str]:
    """Return the ETags that a client has; one that a proxy has compressed comes back as weak."""
    given = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    return [each.removeprefix("W/") for each in given]


def _etag(flags: Flags, sent: Context, body: bytes) -> str:
    """Return what changes with the flags, with the context, and with every answer in time.

    A hash that is no cryptographic one is enough, and a twentieth of the time: who makes two of
    their own answers collide has fooled nobody else.
    """
    version = flags.snapshot.version
    token = version.token.encode() if version else b""
    return f'"{mmh3.hash_bytes(body + token + answers.encoded(sent)).hex()}"'


def _refused(error: questions.InvalidContext, key: str | None = None) -> HttpResponse:
    document = answers.failure(answers.INVALID_CONTEXT, str(error), key)
    return _json(answers.encoded(document), HTTPStatus.BAD_REQUEST)


def _json(body: bytes, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(body, content_type="application/json", status=status)
