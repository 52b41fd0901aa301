"""Patterns that ruin other engines, each on the text that does it, of 1,024 characters."""

from __future__ import annotations

import json
from pathlib import Path
from time import thread_time_ns
from typing import Any

from flaggate.core.operators import matcher
from flaggate.core.patterns import MAX_SEARCHED
from table import Row, limited

CORPUS = Path(__file__).parent.parent / "tests" / "core" / "ruinous_patterns.json"
LIMIT = 5e6  # nanoseconds


def rows(rounds: int) -> list[Row]:
    """Return the slowest pattern of each family; those that are refused never run."""
    return [
        limited(name, max(_fastest(case, rounds) for case in cases if "refused" not in case), LIMIT)
        for name, cases in json.loads(CORPUS.read_text()).items()
    ]


def _fastest(case: dict[str, Any], rounds: int) -> float:
    text = case["begin"] + case["repeat"] * MAX_SEARCHED
    text = text[: MAX_SEARCHED - len(case["end"])] + case["end"]
    return min(_first_search(case["pattern"], text) for _ in range(rounds))


def _first_search(pattern: str, text: str) -> int:
    """Return the processor's nanoseconds: nothing is known of the pattern yet, the worst case."""
    import re2

    re2.purge()
    test = matcher("matches", [pattern])
    started = thread_time_ns()
    test(text)
    return thread_time_ns() - started
