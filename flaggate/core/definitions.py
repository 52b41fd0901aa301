"""The frozen definitions that a snapshot holds: flags, variants, rules, prerequisites, segments."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from flaggate.core.messages import Message

if TYPE_CHECKING:
    from datetime import datetime

    from flaggate.core.members import Members
    from flaggate.core.stages import Stage

EVERYONE = Decimal(100)


def _written_alike(self: object, other: object) -> bool:
    # True == 1 == 1.0 in Python, but not in JSON: comparing values with == would keep the compiled
    # form of a flag whose value changed from 1 to true.
    return repr(self) == repr(other)


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One outcome of a multivariate flag."""

    key: str
    value: object
    weight: int = 0

    __eq__ = _written_alike

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """An attribute, an operator, and values of which one must match."""

    attribute: str
    operator: str
    values: tuple[object, ...] = ()
    negate: bool = False
    ignore_case: bool = False

    __eq__ = _written_alike

    def __hash__(self) -> int:
        return hash((self.attribute, self.operator))


@dataclass(frozen=True, slots=True)
class Segment:
    """A reusable audience: conditions, plus included and excluded targeting keys (UTF-8).

    Those of one that is *on demand* are not here: each context finds out whether it is among them.
    """

    key: str
    match_all: bool = True
    conditions: tuple[Condition, ...] = ()
    included: Members = frozenset()
    excluded: Members = frozenset()
    on_demand: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """These segments → this share (percent, 0-100) → this variant (empty: split by weights)."""

    segments: tuple[str, ...]
    percentage: Decimal = EVERYONE
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """Another flag that must be active first, serving this variant unless it is empty."""

    flag: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """All that decides the answers of one flag. Percentages are percent, 0-100; times are aware."""

    key: str
    enabled: bool = False
    percentage: Decimal = EVERYONE
    salt: str = ""
    bucket_by: str = ""
    off_variant: str = ""
    active_from: datetime | None = None
    active_until: datetime | None = None
    archived: bool = False
    client_visible: bool = False
    variants: tuple[Variant, ...] = ()
    rules: tuple[Rule, ...] = ()
    prerequisites: tuple[Prerequisite, ...] = ()
    stages: tuple[Stage, ...] = ()  # of a running rollout; each replaces the percentage
    overridable: bool = True


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Why a flag's stored rows can't be served, what is left of it, and whether it is killed.

    ``last_good`` is its last good definition, as it was before it was killed.
    """

    reason: str
    multivariate: bool = False
    killed: bool = False
    last_good: Flag | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a definition: where, what, and how to mend it.

    A *tolerable* problem is refused on write, but harmless enough to be served when it is found in
    the database: it can only make the answer "off" more often.
    """

    path: str
    message: str
    tolerable: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return self.said

    @property
    def said(self) -> Message:
        """The message, after the path."""
        return Message("%(path)s: %(message)s", path=self.path, message=self.message)
