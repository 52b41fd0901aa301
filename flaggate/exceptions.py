"""What flaggate raises; evaluation itself never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flaggate.core.definitions import Problem


class FlaggateError(Exception):
    """The root of everything that flaggate raises."""


class UnknownFlag(FlaggateError, LookupError):
    """A key that no flag has; raised by changes, and by questions under the STRICT setting only."""


class UnknownSegment(FlaggateError, LookupError):
    """A key that no segment has; raised by changes."""


class ContextNotLoaded(FlaggateError):
    """An attribute that can't be read where it was needed, as in an event loop.

    Raised by questions under the STRICT setting only.
    """


class ChangeRefused(FlaggateError):
    """A change that was refused whole; nothing of it was written."""


class Invalid(ChangeRefused, ValueError):
    """A change that would leave broken definitions behind."""

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        #: What is wrong: such as ``flag new_checkout``.
        self.name = name
        #: One for each thing that is wrong, with ``path`` and ``message``.
        self.problems = tuple(problems)
        super().__init__(f"{name}: " + " ".join(str(problem) for problem in problems))


class Conflict(ChangeRefused):
    """A change that was made from an outdated version."""


class NotPermitted(ChangeRefused, PermissionError):
    """A change for which its actor lacks a permission."""
