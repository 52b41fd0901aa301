"""Go back to what a flag or segment was, or begin another one from it: each a new revision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaggate.changes import together
from flaggate.changes.actions import create, flag_of, fresh
from flaggate.changes.change import change
from flaggate.changes.members import segment_of
from flaggate.changes.writing import write_flag, write_segment
from flaggate.core.messages import Message
from flaggate.exceptions import ChangeRefused
from flaggate.models import Flag, Revision, Segment, documents, state
from flaggate.models.revisions import named

if TYPE_CHECKING:
    from flaggate.models.documents import Document

# What a copy does not take over: it is another flag, and nobody has released it.
OF_THE_ORIGINAL = ("key", "salt", "enabled", "archived_at", "rollout")


def revert_flag(key: str, version: int, **how: Any) -> Flag:
    """Make a flag what it was at a version, as a new revision.

    A rollout that ran then goes on as if it had never been stopped. Raises UnknownFlag;
    ChangeRefused where no revision has that version.
    """
    with change(**how) as opened:
        flag = flag_of(key)
        document = document_at("flag", key, version)
        opened.state_percentage(key)
        write_flag(flag, document)
        opened.revert("flag", key, {**documents.of_flag(flag_of(key)), **document})
    return fresh(flag)


def revert_segment(key: str, version: int, **how: Any) -> Segment:
    """Make a segment what it was at a version, as a new revision.

    A revision counts more than 1,000 members and does not name them: those can't come back. Raises
    UnknownSegment; ChangeRefused where no revision has that version, or does not name its members.
    """
    with change(**how) as opened:
        segment = segment_of(key)
        document = document_at("segment", key, version)
        write_segment(segment, document)
        opened.revert("segment", key, {**documents.of_segment(segment_of(key)), **document})
    segment.refresh_from_db(fields=["version"])
    return segment


def undo(key: str, **how: Any) -> Flag:
    """Make a flag what it was before its last revision, as a new one. Raises ChangeRefused."""
    together.undo([key], **how)
    return flag_of(key)


def copy(key: str, new_key: str, **how: Any) -> Flag:
    """Create a flag with all that another one has, but off, and with buckets of its own.

    Raises UnknownFlag, and what ``create()`` raises.
    """
    with change(**how):
        document = documents.of_flag(flag_of(key))
        flag = create(new_key)
        write_flag(
            flag, {name: value for name, value in document.items() if name not in OF_THE_ORIGINAL}
        )
    return fresh(flag)


def document_at(subject: str, key: str, version: int) -> Document:
    """Return what a flag or segment was after one of its revisions. Raises ChangeRefused."""
    revisions = Revision.objects.using(state.alias()).filter(subject=subject, key=key)
    revision = revisions.filter(version=version).first()
    if revision is None or revision.after is None:
        raise ChangeRefused(
            Message(
                "%(name)s: no revision has version %(version)s. Take one from its history.",
                name=named(subject, key),
                version=version,
            )
        )
    document: Document = revision.after
    return document
