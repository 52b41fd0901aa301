"""One change of flags and segments: whole or not at all, checked, with a revision for each."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

from django.db import transaction

from flaggate import signals, store
from flaggate.changes import permissions
from flaggate.changes.differences import same
from flaggate.core import references, validation
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.exceptions import Conflict, Invalid, NotPermitted
from flaggate.models import Flag, Prerequisite, Revision, Segment, documents, state
from flaggate.models.revisions import named, signed

if TYPE_CHECKING:
    Entry = tuple[str, int, documents.Document]  # key, version, document
    Difference = tuple[Revision.Subject, int, Entry | None, Entry | None]  # pk, before, after

FLAG = Revision.Subject.FLAG
SEGMENT = Revision.Subject.SEGMENT
MODELS = {FLAG: Flag, SEGMENT: Segment}
READERS = {FLAG: documents.of_flags, SEGMENT: documents.of_segments}
REFERENCES = {FLAG: "prerequisites", SEGMENT: "conditions"}
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
            _Validation(self.using, differing, self._stated).run()
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
        key = _key(before, after)
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
            key=_key(before, after),
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


class _Validation:
    """Whether what a change leaves behind is whole."""

    def __init__(self, using: str, differing: list[Difference], stated: Container[str]) -> None:
        self.using = using
        self.stated = stated
        self.flags = [entry for entry in differing if entry[0] == FLAG]
        self.segments = [entry for entry in differing if entry[0] == SEGMENT]

    def run(self) -> None:
        """Raise Invalid for the first flag or segment that is not."""
        pairs = Prerequisite.objects.using(self.using).values_list("flag_id", "required_id")
        keys = {pk for _subject, pk, _before, after in self.flags if after}
        required = {target for source, target in pairs if source in keys}
        found = store.read(self.using, flags=keys | required, members=False)
        for name, problems in chain(self._of_segments(found), self._of_flags(found)):
            if problems:
                raise Invalid(name, problems)
        self._check_dependents()

    def _of_segments(self, found: store.Definitions) -> Iterator[tuple[str, list[Problem]]]:
        edges = {key: references.nested(segment) for key, segment in found.segments.items()}
        unsound = references.unsound(edges)
        for _subject, _pk, _before, after in self.segments:
            if after:
                key = after[0]
                if key in found.unreadable_segments:
                    yield named("segment", key), [Problem("rows", found.unreadable_segments[key])]
                    continue
                problems = validation.segment_problems(found.segments[key], found.segments, unsound)
                yield named("segment", key), list(problems)
        _refuse_newly_unsound(self.segments, edges, unsound, _nested)

    def _of_flags(self, found: store.Definitions) -> Iterator[tuple[str, list[Problem]]]:
        edges = self._edges()
        unsound = references.unsound(edges)
        broken = {**validation.broken_segments(found.segments), **found.unreadable_segments}
        for _subject, _pk, before, after in self.flags:
            if after is None or _only_turned_off(before, after):
                continue
            key = after[0]
            if key in found.unreadable:
                yield named("flag", key), [Problem("rows", found.unreadable[key].reason)]
                continue
            problems = validation.flag_problems(
                found.flags[key],
                found.flags,
                found.segments,
                unsound=unsound,
                broken=found.unreadable,
                broken_segments=broken,
            )
            yield (
                named("flag", key),
                [
                    *problems,
                    *_rollout_problems(before, after),
                    *(() if key in self.stated else _unstated(before, after)),
                ],
            )
        _refuse_newly_unsound(self.flags, edges, unsound, _required)

    def _edges(self) -> dict[str, list[str]]:
        edges: dict[str, list[str]] = {}
        pairs = Prerequisite.objects.using(self.using).values_list("flag__key", "required__key")
        for key, required in pairs:
            edges.setdefault(key, []).append(required)
        return edges

    def _check_dependents(self) -> None:
        """Raise Invalid where another flag requires a variant that this change takes away."""
        for _subject, pk, before, after in self.flags:
            gone = _variant_keys(before) - _variant_keys(after)
            if not gone:
                continue
            dependents = Prerequisite.objects.using(self.using).filter(
                required_id=pk, variant__in=gone
            )
            for key, variant in dependents.values_list("flag__key", "variant"):
                problem = Message(
                    "%(variant)r is required by the flag %(key)r. Remove that first.",
                    variant=variant,
                    key=key,
                )
                raise Invalid(named("flag", _key(before, after)), [Problem("variants", problem)])


def _refuse_newly_unsound(
    differing: list[Difference],
    edges: Mapping[str, list[str]],
    unsound: frozenset[str],
    names: Callable[[documents.Document], list[str]],
) -> None:
    """Raise Invalid where a change would spoil something above it, which it does not touch."""
    changed = {_key(before, after) for _subject, _pk, before, after in differing}
    if not unsound - changed:
        return
    before_edges = {key: targets for key, targets in edges.items() if key not in changed}
    before_edges |= {entry[0]: names(entry[2]) for _s, _pk, entry, _after in differing if entry}
    if spoilt := sorted(unsound - changed - references.unsound(before_edges)):
        subject = differing[0][0]
        problem = Message(
            "would make %(key)r run in a circle or too deep, and so turn it off.", key=spoilt[0]
        )
        raise Invalid(named(subject, min(changed)), [Problem(REFERENCES[subject], problem)])


def _required(document: documents.Document) -> list[str]:
    return [each["flag"] for each in document["prerequisites"]]


def _nested(document: documents.Document) -> list[str]:
    conditions = [each for each in document["conditions"] if each["operator"] == "in_segment"]
    return [key for each in conditions for key in each["values"] if isinstance(key, str)]


def _only_turned_off(before: Entry | None, after: Entry) -> bool:
    """Whether a flag was only switched off: never refused, however broken its rows are."""
    if before is None or (after[2]["enabled"] and not after[2]["archived_at"]):
        return False
    differing = {name for name, value in after[2].items() if not same(value, before[2][name])}
    return differing <= {"enabled", "archived_at"}


def _unstated(before: Entry | None, after: Entry) -> Iterator[Problem]:
    """Find a first rule beside which everyone else would keep the flag, unasked."""
    if before is None or before[2]["rules"] or not after[2]["rules"] or after[2]["rollout"]:
        return
    if before[2]["percentage"] == after[2]["percentage"] == 100:
        yield Problem(
            "percentage",
            Message(
                "is 100, so that with its first rule the flag stays on for everyone else, too. "
                "Set it to 0 for nobody else, or state that 100 is meant."
            ),
        )


def _rollout_problems(before: Entry | None, after: Entry) -> Iterator[Problem]:
    """Find what is wrong with the stages, which a snapshot sees laid out in time only."""
    flag = after[2]
    stages = flag["stages"]
    for position, stage in enumerate(stages):
        if stage["holds"] is not None and stage["holds"] < 1:
            problem = Message("is below a second. Give it more time.")
            yield Problem(f"stages[{position}].holds", problem)
    for position, (stage, later) in enumerate(pairwise(stages)):
        if stage["holds"] is None:
            problem = Message("is empty. Only the last stage may stay.")
            yield Problem(f"stages[{position}].holds", problem)
        if later["percentage"] < stage["percentage"]:
            path = f"stages[{position + 1}].percentage"
            yield Problem(path, Message("is below the stage before. Raise it."))
    if flag["rollout"] is None:
        return
    if not stages:
        problem = Message("are missing, but a rollout is running. Add one, or stop it.")
        yield Problem("stages", problem)
    if before is None or before[2]["rollout"] is None:
        return
    if before[2]["percentage"] != flag["percentage"]:
        problem = Message(
            "is replaced by the stages of a running rollout. "
            "Stop it first: `flags rollout %(key)s --stop`.",
            key=flag["key"],
        )
        yield Problem("percentage", problem)


def _variant_keys(entry: Entry | None) -> set[str]:
    return {variant["key"] for variant in entry[2]["variants"]} if entry else set()


def _document(entry: Entry | None) -> documents.Document | None:
    return entry[2] if entry else None


def _key(before: Entry | None, after: Entry | None) -> str:
    entry = after or before
    return entry[0] if entry else ""
