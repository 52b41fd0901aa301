"""Where a refused change is shown: at the field that it is about, or above the form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flaggate.core.messages import said
from flaggate.exceptions import Invalid
from flaggate.models.messages import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaggate.core.definitions import Problem

# "percentage", "variants", "rules[1].segments[0]"
PATH = re.compile(r"(?P<head>\w+)(?:\[(?P<position>\d+)\])?(?:\.(?P<field>\w+))?")


class Place:
    """Where in a form a problem belongs: a field, or a part with its position and field."""

    def __init__(self, problem: Problem) -> None:
        self.message: str = translated(problem.message)
        found = PATH.match(problem.path)
        head, position, field = found.groups() if found else ("", None, None)
        self.head: str = head
        self.position = int(position) if position else None
        self.field: str | None = field


def words(refusal: Exception) -> str:
    """Say why something was refused, in the reader's language."""
    if isinstance(refusal, Invalid):
        problems = [translated(problem.said) for problem in refusal.problems]
        return f"{translated(refusal.name)}: {' '.join(problems)}"
    return str(translated(said(refusal)))


def problems_of(refusal: Exception | None, subject: str, key: str) -> Iterator[Problem]:
    """Find the problems of this very flag or segment."""
    if isinstance(refusal, Invalid) and refusal.name == f"{subject} {key}":
        yield from refusal.problems
