"""The immutable, compiled set of all flags that a process evaluates against."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flaggate.core import evaluation, references
from flaggate.core.boundaries import boundaries
from flaggate.core.compiler import compile_flag
from flaggate.core.evaluation import OVERRIDER, UNSET, Evaluation
from flaggate.core.membership import compile_segment
from flaggate.core.overrides import PersonalEvaluators, force

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from flaggate.core.compiler import Evaluator
    from flaggate.core.definitions import Flag, Quarantined, Segment
    from flaggate.core.evaluation import EvaluationContext
    from flaggate.core.membership import Test
    from flaggate.core.overrides import PersonalOverride

    Resolved = tuple[Flag, dict[str, Segment | None], bool]


@dataclass(frozen=True, slots=True)
class Version:
    """The state row: compared with ``==`` only, because a restored database may go back."""

    epoch: str
    number: int
    token: str


class Evaluators(dict[str, "Evaluator"]):
    """The closures of a snapshot, each compiled when its flag is first asked for.

    Raises KeyError for a key that no flag has.
    """

    __slots__ = ("_snapshot",)

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __missing__(self, key: str) -> Evaluator:
        evaluator = self[key] = self._snapshot.compiled(key)
        return evaluator


class Snapshot:
    """Flags and segments by key, the quarantined ones, and where and when they came from.

    ``quarantined`` names flags whose stored rows are broken; such a flag may still be among
    ``flags``, with its last good definition.
    """

    # Slots, because cached properties would cost each decision a third more on Python 3.11: they
    # give the instance a dictionary, and reading any attribute becomes slower.
    __slots__ = (
        "_attributes",
        "_boundaries",
        "_carried",
        "_compiled",
        "_tests",
        "client_keys",
        "evaluators",
        "flags",
        "keys",
        "loaded_at",
        "overrides",
        "quarantined",
        "segments",
        "source",
        "told",
        "unsound",
        "version",
    )

    def __init__(
        self,
        flags: Mapping[str, Flag],
        segments: Mapping[str, Segment] | None = None,
        *,
        quarantined: Mapping[str, Quarantined] | None = None,
        version: Version | None = None,
        source: str = "defaults",
        loaded_at: datetime | None = None,
        previous: Snapshot | None = None,
    ) -> None:
        self.flags = flags
        self.segments = segments or {}
        self.quarantined = quarantined or {}
        self.version = version
        self.source = source
        self.loaded_at = loaded_at
        self.told: set[str] = set()  # unknown keys that the log has been told of
        #: The keys of all flags that are not archived, and those that a browser may see.
        self.keys = [key for key, flag in flags.items() if not flag.archived]
        self.client_keys = [key for key in self.keys if flags[key].client_visible]
        #: The flags whose prerequisites run in a circle, too deep, or into too many steps.
        self.unsound = _unsound(flags)
        self.overrides: Mapping[str, PersonalOverride] = {}
        self.evaluators: Evaluators | PersonalEvaluators = Evaluators(self)
        self._attributes: frozenset[str] | None = None
        self._boundaries: list[int | Decimal] | None = None
        self._tests: dict[str, Test] = {}
        self._compiled: dict[str, tuple[Resolved, Evaluator]] = {}
        self._carried = previous._carry(flags) if previous else {}

    def __contains__(self, key: object) -> bool:
        return key in self.flags or key in self.quarantined

    def evaluate(self, key: str, context: EvaluationContext) -> Evaluation:
        """Answer one flag; raises KeyError where there is none."""
        return self.evaluators[key](context, self.evaluators)

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that any flag may read."""
        if self._attributes is None:
            self._attributes = frozenset().union(
                *(references.attributes_of(flag, self.segments) for flag in self.flags.values())
            )
        return self._attributes

    @property
    def boundaries(self) -> list[int | Decimal]:
        """The moments at which time alone changes answers: nanoseconds since 1970, in order."""
        if self._boundaries is None:
            self._boundaries = boundaries(self.flags, self.segments)
        return self._boundaries

    def personal(self, user: str, choices: Mapping[str, tuple[object, datetime]]) -> Snapshot:
        """Return this snapshot as a user sees it who forces some flags.

        ``choices`` are by flag key what is forced (True, False or a variant's key), and until when.
        """
        personal = copy(self)
        personal.overrides = {
            key: override
            for key, (choice, until) in choices.items()
            if (flag := self.flags.get(key)) and (override := force(flag, user, choice, until))
        }
        personal.evaluators = PersonalEvaluators(self.evaluators, personal.overrides)
        personal._attributes = self.attributes | {OVERRIDER}
        return personal

    def compiled(self, key: str) -> Evaluator:
        """Compile a flag, or take over its closure while all that decides it is unchanged."""
        flag = self.flags.get(key)
        if flag is None:
            return _left_out(key, self.quarantined[key])
        resolved = (flag, references.segments_of(flag, self.segments), key in self.unsound)
        carried = self._carried.get(key)
        if carried and carried[0] == resolved:
            evaluator = carried[1]
        else:
            evaluator = compile_flag(flag, self.segments, self.test, unsound=resolved[2])
        self._compiled[key] = (resolved, evaluator)
        return evaluator

    def test(self, key: str) -> Test:
        """Compile a segment, once for all flags that use it."""
        if key not in self._tests:
            self._tests[key] = compile_segment(self.segments[key], self.test)
        return self._tests[key]

    def _carry(self, flags: Mapping[str, Flag]) -> dict[str, tuple[Resolved, Evaluator]]:
        known = {**self._carried, **self._compiled}
        return {key: entry for key, entry in known.items() if key in flags}


def _unsound(flags: Mapping[str, Flag]) -> frozenset[str]:
    return references.unsound(
        {
            key: [each.flag for each in flag.prerequisites]
            for key, flag in flags.items()
            if flag.prerequisites
        }
    )


def _left_out(key: str, quarantined: Quarantined) -> Evaluator:
    answer = Evaluation(
        key,
        UNSET if quarantined.multivariate else False,
        False,
        None,
        evaluation.ERROR,
        error=evaluation.PARSE_ERROR,
        message=quarantined.reason,
    )
    return lambda context, evaluators: answer


EMPTY = Snapshot({})
