"""Whether the flags and segments that a change leaves behind are whole."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

from flaggate import store
from flaggate.changes.differences import same
from flaggate.core import references, validation
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.exceptions import Invalid
from flaggate.models import Prerequisite, Revision, documents
from flaggate.models.revisions import named

if TYPE_CHECKING:
    from flaggate.changes.change import Difference, Entry

FLAG = Revision.Subject.FLAG
SEGMENT = Revision.Subject.SEGMENT
REFERENCES = {FLAG: "prerequisites", SEGMENT: "conditions"}


class Validation:
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
                raise Invalid(named("flag", key_of(before, after)), [Problem("variants", problem)])


def _refuse_newly_unsound(
    differing: list[Difference],
    edges: Mapping[str, list[str]],
    unsound: frozenset[str],
    names: Callable[[documents.Document], list[str]],
) -> None:
    """Raise Invalid where a change would spoil something above it, which it does not touch."""
    changed = {key_of(before, after) for _subject, _pk, before, after in differing}
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
    yield from plan_problems([(stage["percentage"], stage["holds"]) for stage in stages])
    if flag["rollout"] is None:
        return
    if not stages:
        problem = Message("are missing, but a rollout is running. Add one, or stop it.")
        yield Problem("stages", problem)
    if before is None or before[2]["rollout"] is None:
        return
    if before[2]["percentage"] != flag["percentage"]:
        problem = Message("is decided by the stages of a running rollout. Stop the rollout first.")
        yield Problem("percentage", problem)


def plan_problems(stages: Sequence[tuple[Any, float | None]]) -> Iterator[Problem]:
    """Find what is wrong with stages as such: percentages, and how many seconds each holds."""
    for position, (_percentage, holds) in enumerate(stages):
        if holds is not None and holds < 1:
            problem = Message("is below a second. Give it more time.")
            yield Problem(f"stages[{position}].holds", problem)
    for position, (stage, later) in enumerate(pairwise(stages)):
        if stage[1] is None:
            problem = Message("is empty. Only the last stage may stay.")
            yield Problem(f"stages[{position}].holds", problem)
        if later[0] < stage[0]:
            path = f"stages[{position + 1}].percentage"
            yield Problem(path, Message("is below the stage before. Raise it."))


def _variant_keys(entry: Entry | None) -> set[str]:
    return {variant["key"] for variant in entry[2]["variants"]} if entry else set()


def key_of(before: Entry | None, after: Entry | None) -> str:
    """Return the key of what a difference is about."""
    entry = after or before
    return entry[0] if entry else ""
