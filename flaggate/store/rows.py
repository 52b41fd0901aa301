"""From stored rows to definitions, row by row, so that a broken one hurts only its flag."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flaggate import models
from flaggate.core import definitions as core
from flaggate.core.definitions import Quarantined
from flaggate.core.members import Gathering
from flaggate.core.messages import Message, said
from flaggate.core.stages import Stage, schedule
from flaggate.store import columns

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import Model

    from flaggate.core.members import Members
    from flaggate.store.columns import Row

MOST_CHANGED = 500  # flags or segments that are read one by one; more are read with all others


@dataclass(slots=True)
class Definitions:
    """What the rows say, and which of them can't be read.

    ``flag_tokens`` and ``segment_tokens`` hold key and token by primary key: what has the same
    token later need not be read again.
    """

    flags: dict[str, core.Flag] = field(default_factory=dict)
    segments: dict[str, core.Segment] = field(default_factory=dict)
    unreadable: dict[str, Quarantined] = field(default_factory=dict)
    unreadable_segments: dict[str, str] = field(default_factory=dict)
    flag_tokens: dict[int, tuple[str, str]] = field(default_factory=dict)
    segment_tokens: dict[int, tuple[str, str]] = field(default_factory=dict)


def read(
    using: str,
    *,
    flags: Collection[int] | None = None,
    segments: Collection[int] | None = None,
    members: bool = True,
) -> Definitions:
    """Read all flags and segments, or only those of these primary keys, or without members.

    Raises DatabaseError where the database can't be read, never for what it holds.
    """
    found = _tokens(using)
    _read_segments(using, found, segments, members=members)
    _read_flags(using, found, flags)
    return found


def reread(using: str, known: Definitions) -> Definitions:
    """Read only what has another token than before, and take over the rest."""
    found = _tokens(using)
    flags = _changed(found.flag_tokens, known.flag_tokens)
    segments = _changed(found.segment_tokens, known.segment_tokens)
    if max(len(flags), len(segments)) > MOST_CHANGED:
        return read(using)
    _keep(found.flag_tokens, flags, (found.flags, known.flags))
    _keep(found.flag_tokens, flags, (found.unreadable, known.unreadable))
    _keep(found.segment_tokens, segments, (found.segments, known.segments))
    _keep(found.segment_tokens, segments, (found.unreadable_segments, known.unreadable_segments))
    _read_segments(using, found, segments, members=True)
    _read_flags(using, found, flags)
    return found


def _tokens(using: str) -> Definitions:
    return Definitions(
        flag_tokens=_tokens_of(using, models.Flag), segment_tokens=_tokens_of(using, models.Segment)
    )


def _tokens_of(using: str, model: type[Model]) -> dict[int, tuple[str, str]]:
    return {
        pk: (str(key), str(token))
        for pk, key, token in columns.select(using, model, "id key token")
    }


def _changed(tokens: dict[int, tuple[str, str]], known: dict[int, tuple[str, str]]) -> set[int]:
    return {pk for pk, entry in tokens.items() if known.get(pk) != entry}


def _keep(
    tokens: dict[int, tuple[str, str]], changed: set[int], entries: tuple[dict[str, Any], Any]
) -> None:
    target, known = entries
    target.update(
        (key, known[key])
        for pk, (key, _token) in tokens.items()
        if pk not in changed and key in known
    )


def _read_segments(
    using: str, found: Definitions, only: Collection[int] | None, *, members: bool
) -> None:
    conditions = columns.grouped(
        using,
        models.Condition,
        "segment_id attribute operator values negate ignore_case id",
        only,
        "segment_id",
    )
    segments = list(columns.select(using, models.Segment, "id key match on_demand", "id", only))
    loaded = _Members(using, segments, only) if members else _Members(using, [], set())
    for row in segments:
        pk, key, *_rest = row
        try:
            found.segments[str(key)] = _segment(row, conditions.get(pk, ()), loaded)
        except Exception as error:  # whatever a row holds, the others go on
            found.unreadable_segments[str(key)] = _reason(error)


class _Members:
    """The members of segments by the segment's id, packed as they are read: there may be millions.

    Those of on-demand segments are left where they are.
    """

    def __init__(self, using: str, segments: list[Row], only: Collection[int] | None) -> None:
        self.included: defaultdict[Any, Gathering] = defaultdict(Gathering)
        self.excluded: defaultdict[Any, Gathering] = defaultdict(Gathering)
        self.broken: dict[Any, ValueError] = {}
        if any(on_demand for *_rest, on_demand in segments):
            only = [pk for pk, *_rest, on_demand in segments if not on_demand]
        for pk, key, excluded, _id in columns.select(
            using,
            models.SegmentMember,
            "segment_id targeting_key excluded id",
            "segment_id",
            only,
            chunked=True,
        ):
            self._add(pk, key, excluded)

    def _add(self, pk: Any, key: Any, excluded: Any) -> None:
        try:
            side = self.excluded if columns.boolean(excluded, "excluded") else self.included
            side[pk].add(columns.text(key, "targeting_key").encode())
        except ValueError as error:
            self.broken.setdefault(pk, error)

    def of(self, pk: Any) -> tuple[Members, Members]:
        """Return who is included and who is excluded. Raises ValueError for a broken row."""
        if pk in self.broken:
            raise self.broken[pk]
        return self.included[pk].members(), self.excluded[pk].members()


def _segment(row: Row, conditions: Any, loaded: _Members) -> core.Segment:
    pk, key, match, on_demand = row
    if match not in ("all", "any"):
        raise ValueError(Message("match: %(value)r is neither 'all' nor 'any'.", value=match))
    return core.Segment(
        columns.text(key, "key"),
        match == "all",
        tuple(_condition(each) for each in conditions),
        *loaded.of(pk),
        columns.boolean(on_demand, "on_demand"),
    )


def _condition(row: Row) -> core.Condition:
    attribute, operator, values, negate, ignore_case, _id = row
    operands = columns.parsed(values, "values")
    if not isinstance(operands, list):
        raise ValueError(Message("values: %(value)r is no list.", value=operands))
    return core.Condition(
        columns.text(attribute, "attribute"),
        columns.text(operator, "operator"),
        tuple(operands),
        columns.boolean(negate, "negate"),
        columns.boolean(ignore_case, "ignore_case"),
    )


def _read_flags(using: str, found: Definitions, only: Collection[int] | None) -> None:
    parts = _Parts(using, found, only)
    for row in columns.select(using, models.Flag, FLAG_COLUMNS, "id", only):
        pk, key, enabled, *_rest = row
        archived_at = row[-1]
        try:
            found.flags[str(key)] = _flag(row, parts)
        except Exception as error:  # whatever a row holds, the others go on
            found.unreadable[str(key)] = Quarantined(
                _reason(error), pk in parts.variants, not enabled or bool(archived_at)
            )


FLAG_COLUMNS = (
    "id key enabled percentage salt bucket_by off_variant active_from active_until client_visible "
    "overridable archived_at"
)


class _Parts:
    """The rows that belong to flags, by flag id."""

    def __init__(self, using: str, found: Definitions, only: Collection[int] | None) -> None:
        self.segments = found.segment_tokens
        self.flags = found.flag_tokens
        self.variants = columns.grouped(
            using, models.Variant, "flag_id key value weight order", only
        )
        self.rules = columns.grouped(
            using, models.Rule, "flag_id order id percentage variant", only
        )
        rules = None if only is None else [row[1] for rows in self.rules.values() for row in rows]
        self.rule_segments = columns.grouped(
            using, models.Rule.segments.through, "rule_id segment_id id", rules, "rule_id"
        )
        self.stages = columns.grouped(
            using, models.Stage, "flag_id order id percentage holds", only
        )
        self.rollouts = columns.grouped(using, models.Rollout, "flag_id started_at paused_at", only)
        self.prerequisites = columns.grouped(
            using, models.Prerequisite, "flag_id id required_id variant", only
        )


def _flag(row: Row, parts: _Parts) -> core.Flag:
    pk, key, enabled, percentage, salt, bucket_by, off_variant, start, end, client, *last = row
    overridable, archived = last
    return core.Flag(
        columns.text(key, "key"),
        columns.boolean(enabled, "enabled"),
        columns.percentage(percentage, "percentage"),
        columns.text(salt, "salt"),
        columns.text(bucket_by, "bucket_by"),
        columns.text(off_variant, "off_variant"),
        columns.moment(start, "active_from"),
        columns.moment(end, "active_until"),
        archived is not None,
        columns.boolean(client, "client_visible"),
        _variants(parts.variants.get(pk, ())),
        tuple(_rule(each, parts) for each in sorted(parts.rules.get(pk, ()))),
        tuple(_prerequisite(each, parts) for each in sorted(parts.prerequisites.get(pk, ()))),
        _stages(parts.rollouts.get(pk), sorted(parts.stages.get(pk, ()))),
        columns.boolean(overridable, "overridable"),
    )


def _variants(rows: Any) -> tuple[core.Variant, ...]:
    ordered = sorted(rows, key=lambda row: (columns.integer(row[3], "order"), row[0]))
    return tuple(
        core.Variant(
            columns.text(key, "variant"),
            columns.parsed(value, "value"),
            columns.integer(weight, "weight"),
        )
        for key, value, weight, _order in ordered
    )


def _rule(row: Row, parts: _Parts) -> core.Rule:
    _order, pk, percentage, variant = row
    # A link to a segment that is gone keeps its place, so that the rule is seen to be broken.
    segments = [
        parts.segments.get(segment, (f"#{segment}", ""))[0]
        for segment, _id in parts.rule_segments.get(pk, ())
    ]
    return core.Rule(
        tuple(sorted(segments)),
        columns.percentage(percentage, "percentage"),
        columns.text(variant, "variant"),
    )


def _prerequisite(row: Row, parts: _Parts) -> core.Prerequisite:
    _id, required, variant = row
    key, _token = parts.flags.get(required, (f"#{required}", ""))
    return core.Prerequisite(key, columns.text(variant, "variant"))


def _stages(rollouts: list[Row] | None, rows: list[Row]) -> tuple[Stage, ...]:
    if not rollouts:
        return ()
    started_at, paused_at = rollouts[0]
    start = columns.moment(started_at, "started_at")
    if start is None:
        raise ValueError(Message("started_at: is null."))
    stages = [
        (columns.percentage(percentage, "percentage"), columns.duration(holds, "holds"))
        for _order, _id, percentage, holds in rows
    ]
    return schedule(start, columns.moment(paused_at, "paused_at"), stages)


def _reason(error: Exception) -> str:
    return said(error) or type(error).__name__
