"""What nothing in Python can beat by much: one function that does the least that is needed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import mmh3

from flaggate.core import bucketing
from measure import Subject

_hash = mmh3.hash

KEYS = [f"flag_{number}" for number in range(10)]
SEEDS = {key: bucketing.seed(key) for key in KEYS}
ROLLOUTS = {key: (SEEDS[key], bucketing.threshold(Decimal(50))) for key in KEYS}


def look_up(key: str) -> int:
    return SEEDS[key]


def look_up_and_hash(key: str, unit: bytes) -> int:
    return _hash(unit, SEEDS[key], False)


def floor(key: str, unit: bytes) -> bool:
    seed, threshold = ROLLOUTS[key]
    return _hash(unit, seed, False) < threshold


_NAMES: dict[str, Any] = {**globals(), "key": KEYS[7], "unit": b"42"}

LOOK_UP = "look-up"
LOOK_UP_AND_HASH = "look-up + hash"
FLOOR = "floor"

SUBJECTS = [
    Subject(LOOK_UP, "look_up(key)", _NAMES),
    Subject(LOOK_UP_AND_HASH, "look_up_and_hash(key, unit)", _NAMES),
    Subject(FLOOR, "floor(key, unit)", _NAMES),
]
