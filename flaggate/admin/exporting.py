"""Revisions as a file: CSV for spreadsheets, JSON for everything else."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from django.http import Http404, StreamingHttpResponse
from django.utils import translation

from flaggate.admin import operands
from flaggate.changes.differences import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.models import QuerySet

    from flaggate.models import Revision

CHUNK = 500  # revisions read at once
COLUMNS = ("created", "subject", "key", "version", "actor", "source", "comment", "differences")

# With one of these a spreadsheet takes a cell for a formula, and runs it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


class Echo:
    """A file that returns what is written to it."""

    def write(self, text: str) -> str:
        return text


def response(revisions: QuerySet[Revision], kind: str) -> StreamingHttpResponse:
    """Answer with revisions as a file to be kept. Raises Http404 for an unknown kind."""
    if kind not in KINDS:
        raise Http404(kind)
    content_type, write = KINDS[kind]
    answer = StreamingHttpResponse(
        write(revisions.iterator(chunk_size=CHUNK)), content_type=content_type
    )
    answer["Content-Disposition"] = f'attachment; filename="flaggate-revisions.{kind}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def as_csv(revisions: Iterable[Revision]) -> Iterator[str]:
    """Write one line for each revision, with its differences in words."""
    writer = csv.writer(Echo(), quoting=csv.QUOTE_ALL)
    yield writer.writerow(COLUMNS)
    for revision in revisions:
        fields = document(revision)
        fields["differences"] = "\n".join(fields["differences"])
        yield writer.writerow([harmless(str(fields[name])) for name in COLUMNS])


def as_json(revisions: Iterable[Revision]) -> Iterator[str]:
    """Write a list of all revisions, with the whole before and after."""
    separator = "["
    for revision in revisions:
        fields = {**document(revision), "before": revision.before, "after": revision.after}
        yield f"{separator}\n{operands.as_json(fields)}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def document(revision: Revision) -> dict[str, Any]:
    """Write a revision down, without the whole before and after."""
    return {
        "created": revision.created.isoformat(),
        "subject": revision.subject,
        "key": revision.key,
        "version": revision.version,
        "actor": revision.actor_name,
        "source": revision.source,
        "comment": revision.comment,
        "differences": _plainly(revision),
    }


@translation.override(None)
def _plainly(revision: Revision) -> list[str]:
    """Say what differs as commands do: a file is the same, whoever asks for it."""
    return differences(revision.before, revision.after)


def harmless(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = operands.encodable(text)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


KINDS: dict[str, tuple[str, Callable[[Iterable[Revision]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
}
