"""Hash a unit to one of 100,000 stable buckets.

Frozen from the first release: murmur3 x86 32-bit, unsigned, seeded by the hash of the flag's salt.
Whoever changes anything here moves every user of every running rollout into another bucket; the
golden values in the tests pin it.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import mmh3

from flaggate.core.readers import is_a

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

BUCKETS = 100_000
HASHES = 1 << 32


def encode(text: str) -> bytes | None:
    """Return the UTF-8 of a text, or None where it has none.

    Only bytes may reach mmh3: version 5 crashes the interpreter on a text with a lone surrogate.
    """
    try:
        return str.encode(text, "utf-8")
    except UnicodeEncodeError:
        return None


def unit(value: object) -> bytes | None:
    """Return what is hashed for a value: a non-empty text or an int; None for anything else."""
    if is_a(value, str):
        return encode(value) or None
    if is_a(value, int) and not is_a(value, bool):
        return _decimal_text(value)
    return None


def identity(value: object) -> str | None:
    """Return the text of the unit that a value makes, or None where it makes none."""
    found = unit(value)
    return None if found is None else found.decode()


def _decimal_text(number: int) -> bytes | None:
    try:
        return int.__repr__(number).encode()
    except ValueError:  # more digits than the interpreter agrees to print
        return None


def seed(salt: str) -> int:
    """Return the seed of a flag's rollout."""
    return mmh3.hash(_salt(salt), 0, False)


def variant_seed(salt: str) -> int:
    """Return the seed of a flag's variants.

    It is another hash than the rollout's: sharing one would put a whole 20 % rollout into the first
    variant.
    """
    return mmh3.hash(_salt(f"{salt}.v"), 0, False)


def _salt(salt: str) -> bytes:
    return salt.encode("utf-8", "surrogatepass")


def hashed(unit: bytes, seed: int) -> int:
    """Return the unsigned 32-bit hash of a unit."""
    return mmh3.hash(unit, seed, False)


def bucket(hash_: int) -> int:
    """Return the bucket, 0 to 99,999, of a hash."""
    return (hash_ * BUCKETS) >> 32


def threshold(percentage: Decimal) -> int:
    """Return the first hash that is outside a percentage (0-100).

    ``bucket(h) < percentage * 1000`` exactly when ``h < threshold(percentage)``.
    """
    numerator, denominator = (percentage * 1000).as_integer_ratio()
    return -(-(numerator * HASHES) // (denominator * BUCKETS))


def variant_thresholds(weights: Iterable[int]) -> list[int]:
    """Return, variant by variant, the first hash that belongs to a later one.

    ``(h * total) >> 32 < cumulative`` exactly when ``h < threshold``.
    """
    cumulative = list(accumulate(weights))
    total = cumulative[-1]
    return [-(-(weight * HASHES) // total) for weight in cumulative]
