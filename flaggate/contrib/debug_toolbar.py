"""A panel for django-debug-toolbar: each flag that a request has asked for, and why it answered."""

from __future__ import annotations

import sys
from collections import Counter
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.template.base import Node
from django.utils.translation import gettext_lazy as _

from flaggate import flags
from flaggate.core.evaluation import SPLIT, TARGETING_KEY, UNSET, EvaluationContext
from flaggate.core.explanation import explain
from flaggate.store import store

try:
    from debug_toolbar.panels import Panel
    from debug_toolbar.utils import get_name_from_obj
except ImportError as error:
    raise ImproperlyConfigured(
        "flaggate.contrib.debug_toolbar needs django-debug-toolbar. "
        "Install it: pip install 'flaggate[debug-toolbar]'"
    ) from error

if TYPE_CHECKING:
    from types import FrameType

    from django.http import HttpRequest, HttpResponse

    from flaggate.core.evaluation import Evaluation
    from flaggate.core.snapshot import Snapshot

FRAMEWORKS = {"asgiref", "django", "flaggate", "jinja2", "rest_framework"}
RENDER = Node.render_annotated.__code__  # what every node of a template is rendered by
LONGEST_VALUE = 200  # characters of a value that are shown


class FlagsPanel(Panel):
    """The flags of a request; they are recorded only while the panel is switched on."""

    is_async = True
    nav_title = title = _("Flags")
    template = "flaggate/debug_toolbar.html"

    # The panel of the request that is being answered, wherever flags are asked for in it.
    _current: ContextVar[FlagsPanel | None] = ContextVar("flaggate_panel", default=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows: dict[tuple[Any, ...], dict[str, Any]] = {}

    @classmethod
    def ready(cls) -> None:
        """Observe flags from the start: those of a request may be made before its toolbar is."""
        if cls.observe not in flags.observers:
            flags.observers.append(cls.observe)

    @classmethod
    def observe(cls, answer: Evaluation, asked: flags.Flags) -> None:
        """Hand an answer to the panel of the present request, if there is one."""
        panel = cls._current.get()
        if panel is not None:
            panel.record(answer, asked)

    def enable_instrumentation(self) -> None:
        """Begin to record."""
        self._current.set(self)

    def disable_instrumentation(self) -> None:
        """Stop recording."""
        self._current.set(None)

    def record(self, answer: Evaluation, asked: flags.Flags) -> None:
        """Note an answer: one row for each flag, subject and answer."""
        # Only what has been read already: a look must make no query, and no visitor of a browser.
        known = EvaluationContext(attributes=asked.context.attributes, now=asked.context.now)
        subject = known.attributes.get(TARGETING_KEY)
        # The subject of the request is the same before and after its targeting key was read.
        own = asked is getattr(self.toolbar.request, "flags", None)
        fields = _fields(answer)
        row = self.rows.setdefault((own or subject, *fields.values()), fields)
        if "places" not in row:
            row.update(_share(answer, known, asked.snapshot), subject=None, places=Counter())
        row["subject"] = subject or row["subject"]
        row["places"][_place(self.toolbar.request)] += 1

    def generate_stats(self, request: HttpRequest, response: HttpResponse) -> None:
        """Hand the rows to the toolbar, in the order of their first question."""
        for row in self.rows.values():
            row["count"] = row["places"].total()
        self.record_stats({"rows": list(self.rows.values())})  # type: ignore[no-untyped-call]

    @property
    def nav_subtitle(self) -> str:
        """How many flags were asked, and how often."""
        rows = self.get_stats().get("rows", [])  # type: ignore[no-untyped-call]
        names = {row["flag"] for row in rows}
        return f"{len(names)} asked, {sum(row['count'] for row in rows)} times" if rows else "none"


def _fields(answer: Evaluation) -> dict[str, Any]:
    return {
        "flag": answer.flag,
        "active": answer.active,
        "value": "" if answer.value is UNSET else repr(answer.value)[:LONGEST_VALUE],
        "variant": answer.variant,
        "reason": answer.reason,
        "rule": answer.rule,
        "error": answer.error,
        "message": answer.message,
    }


def _share(
    answer: Evaluation, context: EvaluationContext, snapshot: Snapshot
) -> dict[str, int | None]:
    """Return the bucket, and the first one outside, where a hash has decided."""
    if answer.reason != SPLIT:
        return {}
    explanation = explain(store.written() or snapshot, answer.flag, context)
    share = next((rule.share for rule in explanation.rules if rule.share), explanation.share)
    return {"bucket": share.bucket, "threshold": share.threshold} if share else {}


def _place(request: HttpRequest) -> str:
    """Name the line of a project's code, or of a template, that asks; or the gated view."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not frame.f_globals.get("__name__", "").startswith(
        "django.core.handlers"
    ):
        if place := _line(frame):
            return place
        frame = frame.f_back
    match = request.resolver_match
    return f"gate of {get_name_from_obj(match.func)}" if match else "unknown"


def _line(frame: FrameType) -> str | None:
    node = frame.f_locals["self"] if frame.f_code is RENDER else None
    if node is not None and node.token is not None:
        return f"{node.origin.template_name or node.origin.name}:{node.token.lineno}"
    template = frame.f_globals.get("__jinja_template__")
    if template is not None:
        return f"{template.name}:{template.get_corresponding_lineno(frame.f_lineno)}"
    if frame.f_globals.get("__name__", "").partition(".")[0] in FRAMEWORKS:
        return None
    return f"{_relative(Path(frame.f_code.co_filename))}:{frame.f_lineno}"


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
