"""The members of a segment: encoded targeting keys, by the hundred thousand in little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mmh3

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    Members: TypeAlias = "frozenset[bytes] | PackedMembers"

MOST_IN_A_SET = 100_000  # beyond, a frozenset's 100 bytes a member are too many
BUCKETS = 1 << 16
SEPARATOR = b"\xff"  # stands in no UTF-8

_hash = mmh3.hash
_bucket = BUCKETS - 1


class PackedMembers:
    """A set that takes 40 % of a frozenset's memory, and a fraction of a microsecond longer.

    Each bucket is one run of bytes, with a separator around every member, that is searched.
    """

    __slots__ = ("_buckets", "_length")

    def __init__(self, buckets: Sequence[bytes], length: int) -> None:
        self._buckets = buckets
        self._length = length

    def __contains__(self, unit: bytes | None) -> bool:
        if unit is None:
            return False
        return SEPARATOR + unit + SEPARATOR in self._buckets[_hash(unit, 0, False) & _bucket]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        for bucket in self._buckets:
            yield from bucket.split(SEPARATOR)[1:-1]

    def __eq__(self, other: object) -> bool:
        # Members are gathered in the order of their rows: other rows, another run of bytes.
        if not isinstance(other, PackedMembers):
            return NotImplemented
        return self._length == other._length and self._buckets == other._buckets

    def __hash__(self) -> int:
        return self._length


class Gathering:
    """Members that come one by one, each once: few make a set, many are packed on the way."""

    __slots__ = ("_few", "_length", "_many")

    def __init__(self) -> None:
        self._few: set[bytes] = set()
        self._many: list[bytearray] = []
        self._length = 0

    def add(self, unit: bytes) -> None:
        """Take in one more."""
        if self._many:
            self._pack(unit)
            return
        self._few.add(unit)
        if len(self._few) > MOST_IN_A_SET:
            self._spill()

    def members(self) -> Members:
        """Return all that have come; to be called once."""
        if not self._many:
            return frozenset(self._few)
        packed: list[bytearray | bytes] = self._many  # type: ignore[assignment]
        for number, bucket in enumerate(packed):
            packed[number] = bytes(bucket)  # one by one, so that there is never all of it twice
        return PackedMembers(packed, self._length)  # type: ignore[arg-type]

    def _spill(self) -> None:
        self._many = [bytearray(SEPARATOR) for _ in range(BUCKETS)]
        for unit in self._few:
            self._pack(unit)
        self._few.clear()

    def _pack(self, unit: bytes) -> None:
        self._many[_hash(unit, 0, False) & _bucket] += unit + SEPARATOR
        self._length += 1


def gathered(units: Iterable[bytes]) -> Members:
    """Return members from units of which none comes twice."""
    gathering = Gathering()
    for unit in units:
        gathering.add(unit)
    return gathering.members()
