"""Views of what has versions and revisions: flags and segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from flaggate.api.management.conditions import etag, expected
from flaggate.api.management.views import ManagementView

if TYPE_CHECKING:
    from flaggate.models.documents import Document

    Act = Callable[..., object]


class RecordedView(ManagementView):
    """Answers with the document as it is after a change, and changes on condition."""

    lookup_field = "key"
    lookup_value_regex = "[A-Za-z0-9][A-Za-z0-9._-]*"
    #: Actions that change another flag than the one they name.
    harmless: ClassVar[frozenset[str]] = frozenset({"copy"})

    def documented(self, key: str, status: int = 200) -> Response:
        """Answer with the present document. Raises UnknownFlag, UnknownSegment."""
        raise NotImplementedError

    def acted(self, key: str, act: Act) -> Response:
        """Do what takes nothing but a key, and answer with the new document."""
        self.given()
        return self.written(key, lambda **how: act(key, **how))

    def written(self, key: str, act: Act, status: int = 200, shown: str = "") -> Response:
        """Do a change, and answer with the new document: that of ``shown`` instead of ``key``."""

        def answer() -> Response:
            act(**self.how_of(key))
            return self.documented(shown or key, status)

        return self.locked(answer)

    def removed(self, key: str, act: Act) -> Response:
        """Delete something, and answer with nothing."""
        if self.body:
            problem = "A DELETE has no body. Put the comment into the address: ?comment=…"
            raise ValidationError(problem)
        self.comment = self.query().get("comment", "")

        def answer() -> Response:
            act(**self.how_of(key))
            return Response(status=204)

        return self.locked(answer)

    def how_of(self, key: str) -> dict[str, Any]:
        """Return what all of ``changes`` takes. To be asked under its lock."""
        row = self.get_queryset().filter(key=key).first()
        if row is None or self.action == "create":
            return self.how
        critical = getattr(row, "critical", False) and self.action not in self.harmless
        expectation = expected(self.request, row, critical=critical)
        return {**self.how, "expected_versions": expectation}

    def check_key(self, key: str) -> None:
        """Raise ValidationError where the body calls something else than its address."""
        if self.body.get("key", key) != key:
            problem = f"is {key!r}, and never changes. Create another one instead."
            raise ValidationError({"key": [problem]})

    def tagged(self, document: Document, status: int = 200, version: int = 0) -> Response:
        """Answer with a document and the ETag of its version."""
        shown = self.answers.get(self.action, self.document)
        answer = Response(shown(document).data, status)
        answer["ETag"] = etag(version or document["version"])
        if status == 201:
            answer["Location"] = self.reverse_action("detail", args=[document["key"]])
        return answer
