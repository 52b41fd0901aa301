"""One change of flags and segments: whole or not at all, checked, with a revision for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import transaction

from flaggate import signals
from flaggate.changes import permissions
from flaggate.changes.differences import same
from flaggate.changes.validation import Validation, key_of
from flaggate.core.messages import Message
from flaggate.exceptions import Conflict, NotPermitted
from flaggate.models import Flag, Revision, Segment, documents, state
from flaggate.models.revisions import named, signed

if TYPE_CHECKING:
    Entry = tuple[str, int, documents.Document]  # key, version, document
    Difference = tuple[Revision.Subject, int, Entry | None, Entry | None]  # pk, before, after

FLAG = Revision.Subject.FLAG
SEGMENT = Revision.Subject.SEGMENT
MODELS = {FLAG: Flag, SEGMENT: Segment}
READERS = {FLAG: documents.of_flags, SEGMENT: documents.of_segments}
SIGNALS = {FLAG: signals.flag_changed, SEGMENT: signals.segment_changed}


@contextmanager
def change(
    *,
    actor: Any = None,
    source: str = "code",
    comment: str = "",
    expected_versions: Mapping[tuple[str, str], int] | None = None,
) -> Iterator[Change]:
    """Open the write path; rows saved inside become one change, recorded when the block ends.

    ``actor`` is the user whose permissions count, or anything with ``has_perm()`` and
    ``get_username()`` that is none (an API key); None is the system. ``source`` is where the
    change comes from: admin, api, command, rollout, code. ``expected_versions`` maps
    ``("flag", key)`` or ``("segment", key)`` to the version that the change started from.
    Inside an open change it joins that one. Raises Conflict, Invalid or NotPermitted, and then
    nothing has been written.
    """
    using = state.alias()
    outer = state.observer(using)
    if isinstance(outer, Change):
        outer.expect(expected_versions or {})
        yield outer
        return
    with transaction.atomic(using=using):
        state.lock(using)
        opened = Change(using, actor, source, comment)
        opened.expect(expected_versions or {})
        state.observe(using, opened)
        try:
            yield opened
        finally:
            state.observe(using, None)
        opened.finish()


class Change:
    """What ``change()`` gives: who makes the change, and what it has touched so far."""

    def __init__(self, using: str, actor: Any, source: str, comment: str) -> None:
        self.using = using
        self.actor = actor
        self.source = source
        self.comment = comment
        #: Those that the change has written, when it is over.
        self.revisions: list[Revision] = []
        self._stated: set[str] = set()
        self._reverted: dict[tuple[str, str], documents.Document] = {}
        self._before: dict[Revision.Subject, dict[int, Entry]] = {FLAG: {}, SEGMENT: {}}
        self._touched: dict[Revision.Subject, set[int]] = {FLAG: set(), SEGMENT: set()}

    def touched(self, flags: Iterable[int], segments: Iterable[int]) -> None:
        """Write down what is about to be written for the first time."""
        for subject, keys in ((FLAG, flags), (SEGMENT, segments)):
            if new := set(keys) - self._touched[subject]:
                self._touched[subject] |= new
                self._before[subject] |= READERS[subject](self.using, new)

    def created(self, flags: Iterable[int], segments: Iterable[int]) -> None:
        """Note what was not there before."""
        self._touched[FLAG] |= set(flags)
        self._touched[SEGMENT] |= set(segments)

    def state_percentage(self, key: str) -> None:
        """Say that a flag's 100 % are meant, although its first rule is added now."""
        self._stated.add(key)

    def revert(self, subject: str, key: str, document: documents.Document) -> None:
        """Say that a flag or segment goes back to a document that it had before."""
        self._reverted[subject, key] = document

    def expect(self, versions: Mapping[tuple[str, str], int]) -> None:
        """Raise Conflict where something is not at the version that the change started from."""
        for name, model in MODELS.items():
            expected = {key: each for (subject, key), each in versions.items() if subject == name}
            rows = model.objects.using(self.using).only("key", "version")
            stored = rows.in_bulk(expected, field_name="key") if expected else {}
            for key, version in expected.items():
                found = stored[key].version if key in stored else None
                if found != version:
                    raise Conflict(self._conflict(name, key, version, found))

    def check(self) -> list[Difference]:
        """Return what differs so far. Raises what would refuse the change at its end."""
        differences = [
            (subject, pk, self._before[subject].get(pk), after.get(pk))
            for subject in (SEGMENT, FLAG)
            for after in (READERS[subject](self.using, self._touched[subject]),)
            for pk in sorted(self._touched[subject])
        ]
        differing = [
            entry for entry in differences if not same(_document(entry[2]), _document(entry[3]))
        ]
        for subject, _pk, before, after in differing:
            self._permit(subject, before, after)
        if differing:
            Validation(self.using, differing, self._stated).run()
        return differing

    def finish(self) -> None:
        """Check what differs, record it, and give the state its new version."""
        differing = self.check()
        if not differing:
            return
        for name, model in MODELS.items():
            keys = [pk for subject, pk, *_ in differing if subject == name]
            state.bump_versions(model.__name__, self.using, keys)
        for subject, _pk, before, after in differing:
            self._record(subject, before, after)
        state.bump(self.using)

    def _permit(self, subject: Revision.Subject, before: Entry | None, after: Entry | None) -> None:
        if self.actor is None:
            return
        key = key_of(before, after)
        reverted = same(self._reverted.get((subject, key)), _document(after))
        lacking = permissions.lacking(
            self.actor, subject, _document(before), _document(after), reverted=reverted
        )
        if lacking:
            raise NotPermitted(
                Message(
                    "%(name)s: %(actor)s lacks the permission %(permissions)s. "
                    "Ask an administrator for it.",
                    name=named(subject, key),
                    actor=self.actor,
                    permissions=", ".join(lacking),
                )
            )

    def _record(self, subject: Revision.Subject, before: Entry | None, after: Entry | None) -> None:
        version = before[1] + 1 if before else 1
        revision = Revision.objects.using(self.using).create(
            subject=subject,
            key=key_of(before, after),
            version=version,
            source=self.source,
            comment=self.comment,
            before=_document(before),
            after=_document(after),
            **signed(self.actor),
        )
        self.revisions.append(revision)
        signal = SIGNALS[subject]
        transaction.on_commit(
            lambda: signal.send_robust(MODELS[subject], revision=revision), using=self.using
        )

    def _conflict(self, subject: str, key: str, expected: int, version: int | None) -> Message:
        name = named(subject, key)
        if version is None:
            return Message(
                "%(name)s: was deleted while you worked on it. Create it again.", name=name
            )
        last = Revision.objects.using(self.using).filter(subject=subject, key=key).first()
        if last is None:
            return Message(
                "%(name)s: was changed, from version %(old)s to %(new)s. "
                "Load it again, and make your change on top of that.",
                name=name,
                old=expected,
                new=version,
            )
        return Message(
            "%(name)s: was changed by %(who)s at %(moment)s UTC, from version %(old)s to %(new)s. "
            "Load it again, and make your change on top of that.",
            name=name,
            who=last.actor_name or last.source,
            moment=f"{last.created:%Y-%m-%d %H:%M}",
            old=expected,
            new=version,
        )


def _document(entry: Entry | None) -> documents.Document | None:
    return entry[2] if entry else None
