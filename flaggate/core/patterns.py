"""Patterns of RE2: what is wrong with one, and the search that several compile to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from flaggate.core.messages import Message, quoted

MAX_PATTERN = 256  # characters
MAX_SEARCHED = 1024  # characters
# RE2's time is the length of the text times that of the pattern's program, and (?:a?){1000} has a
# long one: it took a second. 300 steps cost some 3 ms at most, as benchmarks/patterns.py shows.
MAX_STEPS = 300
# Bytes that RE2 may use for one pattern. It gives up early on a program that is far too long, and
# remembers fewer states of a search, which costs more time than it saves when all of them are new.
MAX_MEMORY = 64 * 1024

_TOO_LARGE = "pattern too large"  # how RE2 says that MAX_MEMORY does not do


def pattern_problem(pattern: str, ignore_case: bool) -> Message | None:
    """Say why a pattern can't be used, and how to mend it."""
    if len(pattern) > MAX_PATTERN:
        return Message(
            "%(pattern)s is longer than %(limit)d characters; shorten or split it.",
            pattern=quoted(pattern),
            limit=MAX_PATTERN,
        )
    if "C" in re.findall(r"(?s)\\(.)", pattern):
        return Message(
            "%(pattern)s has \\C, which matches parts of characters; write a dot.",
            pattern=quoted(pattern),
        )
    try:
        too_long = _compiled(pattern, ignore_case).programsize > MAX_STEPS
    except ImportError:
        return Message("Patterns need google-re2; install flaggate[re2], or use another operator.")
    except Exception as error:  # re2's own, or a text that has no encoding
        reason = _reason(error)
        too_long = reason.startswith(_TOO_LARGE)
        if not too_long:
            return Message(
                "%(pattern)s is no RE2 pattern (%(reason)s); correct it.",
                pattern=quoted(pattern),
                reason=reason,
            )
    if too_long:
        return Message(
            "%(pattern)s takes more than %(steps)d steps; split it, "
            "or use smaller repetitions and classes of characters.",
            pattern=quoted(pattern),
            steps=MAX_STEPS,
        )
    return None


def searcher(patterns: Iterable[str], ignore_case: bool) -> Callable[[str], bool]:
    """Compile the test whether any of the patterns is found in a text."""
    searches = [_compiled(pattern, ignore_case).search for pattern in patterns]

    def found_in(text: str) -> bool:
        if len(text) > MAX_SEARCHED:
            return False
        # RE2 takes a lone surrogate for a character. Without surrogatepass the text could not match
        # at all, and one of them would let anything slip past a negated pattern.
        searched = text.encode("utf-8", "surrogatepass")
        return any(search(searched) is not None for search in searches)

    return found_in


def _compiled(pattern: str, ignore_case: bool) -> Any:
    # Only google-re2 has Options: other packages named re2 may fall back to the standard library.
    from re2 import Options, compile

    options = Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    options.never_capture = True
    options.max_mem = MAX_MEMORY
    return compile(pattern.encode(), options)


def _reason(error: Exception) -> str:
    found = error.args[0]
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(error)
