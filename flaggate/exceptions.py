"""What flaggate raises; evaluation itself never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flaggate.core.definitions import Problem


class FlaggateError(Exception):
    """The root of everything that flaggate raises."""


class UnknownFlag(FlaggateError, LookupError):
    """A key that no flag has; raised only under the STRICT setting."""


class UnknownSegment(FlaggateError, LookupError):
    """A key that no segment has."""


class ContextNotLoaded(FlaggateError):
    """An attribute of the subject that can't be read where it was needed."""


class ChangeRefused(FlaggateError):
    """A change that was refused whole; nothing of it was written."""


class Invalid(ChangeRefused, ValueError):
    """A change that would leave broken definitions behind."""

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.name = name
        self.problems = tuple(problems)
        super().__init__(f"{name}: " + " ".join(str(problem) for problem in problems))


class Conflict(ChangeRefused):
    """A change that was made from an outdated version."""


class NotPermitted(ChangeRefused, PermissionError):
    """A change for which its actor lacks a permission."""
