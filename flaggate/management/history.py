"""``flags history``: who changed what, when and why."""

from __future__ import annotations

from argparse import ArgumentTypeError
from itertools import zip_longest
from typing import TYPE_CHECKING

from flaggate.changes.differences import differences
from flaggate.exceptions import UnknownFlag
from flaggate.management import keys, tables
from flaggate.management.answers import Answer
from flaggate.models import Flag, Revision, Segment, state, wording

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from flaggate.management.answers import Options, Terminal
    from flaggate.models.documents import Document

    Step = tuple[Revision, Revision | None]  # and the one before it

LIMIT = 20


def arguments(parser: ArgumentParser) -> None:
    """Declare what is listed."""
    parser.add_argument(
        "--limit", type=_count, default=LIMIT, metavar="N", help=f"By default {LIMIT}."
    )
    parser.add_argument("--segment", action="store_true", help="The key is that of a segment.")


def run(options: Options, terminal: Terminal) -> Answer:
    """List the latest revisions. Raises UnknownFlag."""
    key, subject = options["key"], _subject(options)
    found = Revision.objects.using(state.alias()).filter(subject=subject, key=key)
    latest: list[Revision] = list(found[: options["limit"] + 1])
    if not latest and not _exists(subject, key):
        raise UnknownFlag(_unknown(subject, key))
    steps = list(zip_longest(latest, latest[1:]))[: options["limit"]]
    lines = [line for step in steps for line in _lines(step, terminal)]
    if len(latest) > len(steps):
        lines.append("There are older ones; --limit shows more.")
    return Answer(
        [_document(step) for step in steps],
        lines or [f"No change of the {subject} {key} is recorded."],
    )


def _lines(step: Step, terminal: Terminal) -> Iterator[str]:
    revision, _earlier = step
    who = f"{revision.actor_name} ({revision.source})" if revision.actor_name else revision.source
    heading = f"{revision.version}  {wording.moment(revision.created)}  {who}"
    yield terminal.style.MIGRATE_HEADING(heading)
    if revision.comment:
        yield f"   “{tables.line(revision.comment)}”"
    for each in differences(revision.before, revision.after):
        yield f"   {tables.line(each)}"
    for each in _unrecorded(step):
        yield f"   before that, not recorded: {tables.line(each)}"


def _document(step: Step) -> Document:
    revision, _earlier = step
    return {
        "version": revision.version,
        "created": revision.created.isoformat(),
        "actor": revision.actor_name or None,
        "source": revision.source,
        "comment": revision.comment,
        "differences": differences(revision.before, revision.after),
        "unrecorded": _unrecorded(step),
        "before": revision.before,
        "after": revision.after,
    }


def _unrecorded(step: Step) -> list[str]:
    """Say what plain ORM writes changed between this revision and the one before it."""
    revision, earlier = step
    return differences(earlier.after, revision.before) if earlier else []


def _subject(options: Options) -> Revision.Subject:
    return Revision.Subject.SEGMENT if options["segment"] else Revision.Subject.FLAG


def _exists(subject: Revision.Subject, key: str) -> bool:
    model = Segment if subject == Revision.Subject.SEGMENT else Flag
    return bool(model.objects.using(state.alias()).filter(key=key).exists())


def _unknown(subject: Revision.Subject, key: str) -> str:
    if subject == Revision.Subject.FLAG:
        return keys.unknown(key)
    return f"There is no segment {key!r}."


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of revisions. Give 1 or more.")
    return int(text)
