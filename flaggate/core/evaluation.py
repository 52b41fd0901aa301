"""The question and the answer: an evaluation context, and the evaluation of one flag for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flaggate.core import bucketing

TARGETING_KEY: Final = "targeting_key"
# What a context knows beside its attributes, under names that none has: no column holds a NUL.
# In which on-demand segments it is, by their keys: True where included, False where excluded.
MEMBERSHIPS: Final = "\0memberships"
# The targeting key of a user who may override flags for themselves; None for everybody else.
OVERRIDER: Final = "\0overrider"

# Reasons and error codes in the words of OpenFeature's specification, and three of our own:
# PREREQUISITE_FAILED, OVERRIDE and CONTEXT_NOT_LOADED.
STATIC: Final = "STATIC"
DEFAULT: Final = "DEFAULT"
TARGETING_MATCH: Final = "TARGETING_MATCH"
SPLIT: Final = "SPLIT"
DISABLED: Final = "DISABLED"
ERROR: Final = "ERROR"
PREREQUISITE_FAILED: Final = "PREREQUISITE_FAILED"
OVERRIDE: Final = "OVERRIDE"

FLAG_NOT_FOUND: Final = "FLAG_NOT_FOUND"
PARSE_ERROR: Final = "PARSE_ERROR"
TARGETING_KEY_MISSING: Final = "TARGETING_KEY_MISSING"
CONTEXT_NOT_LOADED: Final = "CONTEXT_NOT_LOADED"
GENERAL: Final = "GENERAL"


class _Unset:
    """The value of a flag that has none to give; only ``value()`` replaces it by a default."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset()


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The answer of one flag for one subject: truthy when active, printed as its value.

    Compared by identity, because answers are prepared once and counted millions of times.
    """

    #: The key of the flag.
    flag: str
    #: True or False; of a multivariate flag the variant's JSON value.
    value: object
    #: Whether the subject is inside the audience, and the value is not False.
    active: bool
    #: The key of the variant; None for a boolean flag.
    variant: str | None
    #: Why, in one word, such as SPLIT.
    reason: str
    #: The position of the rule that decided, counted from 1; None if none did.
    rule: int | None = None
    #: An error code, such as FLAG_NOT_FOUND; None if all is well.
    error: str | None = None
    #: What is wrong, in words.
    message: str = ""

    def __bool__(self) -> bool:
        return self.active

    def __str__(self) -> str:
        return str(self.value)


class Attributes(dict[str, object]):
    """Attributes of a subject, each read when it is first asked for; a missing one is None.

    Of what is found for the targeting key, conditions see what is hashed: a text, or None.
    """

    __slots__ = ("resolve",)

    def __init__(
        self, known: Mapping[str, object], resolve: Callable[[str], object] | None = None
    ) -> None:
        super().__init__(known)
        self.resolve = resolve

    def __missing__(self, name: str) -> object:
        value = self.resolve(name) if self.resolve else None
        if name == TARGETING_KEY:
            value = bucketing.identity(value)
        self[name] = value
        return value


class Units(dict[str, "bytes | None"]):
    """The units of a subject by attribute, each encoded when it is first asked for."""

    __slots__ = ("_attributes",)

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes

    def __missing__(self, attribute: str) -> bytes | None:
        unit = self[attribute] = bucketing.unit(self._attributes[attribute])
        return unit


class EvaluationContext:
    """What is known of a subject: a targeting key, attributes, and the moment of the question.

    ``attributes`` maps names to values. ``resolve`` finds one that is not among them, by its name;
    it is asked at most once for each. ``now`` is an aware datetime; left out, it is the moment when
    flags are made for this subject.
    """

    __slots__ = ("attributes", "now", "units")

    def __init__(
        self,
        targeting_key: object = None,
        attributes: Mapping[str, object] | None = None,
        *,
        now: datetime | None = None,
        resolve: Callable[[str], object] | None = None,
    ) -> None:
        known = dict(attributes or {})
        if targeting_key is not None:
            known[TARGETING_KEY] = targeting_key
        if TARGETING_KEY in known:
            known[TARGETING_KEY] = bucketing.identity(known[TARGETING_KEY])
        if now is not None:
            known.setdefault("now", now)
        self.now = now
        self.attributes = Attributes(known, resolve)
        self.units = Units(self.attributes)

    @property
    def targeting_key(self) -> str | None:
        """The stable identity that decides buckets, as text."""
        unit = self.units[TARGETING_KEY]
        return None if unit is None else unit.decode()

    def __repr__(self) -> str:
        return f"EvaluationContext({self.targeting_key!r}, {dict(self.attributes)!r})"
