"""What a sub-command answers: a document for machines, lines for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.management.color import Style

Options = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where lines go: Django's colours, and the width in columns; None where nobody looks."""

    style: Style
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The same twice, as JSON and as lines; with a problem the command ends with 1."""

    document: Any
    lines: Iterable[str]
    problem: str = ""


Action = Callable[[Options, Terminal], Answer]
