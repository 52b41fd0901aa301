"""Where a refused change is shown: at the field that it is about, or above the form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.utils.translation import gettext, gettext_noop

from flaggate.core.messages import Message, said
from flaggate.exceptions import Invalid
from flaggate.models.messages import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaggate.core.definitions import Problem

# "percentage", "variants", "rules[1].segments[0]"
PATH = re.compile(r"(?P<head>\w+)(?:\[(?P<position>\d+)\])?(?:\.(?P<field>\w+))?")


# What is said after a field's name elsewhere, as sentences that stand at the field.
SENTENCES = {
    "is not after active_from. Set a later time, or none.": gettext_noop(
        "This is not after “Active from”. Set a later time, or none."
    ),
    "is decided by the stages of a running rollout. Stop the rollout first.": gettext_noop(
        "The stages of a running rollout decide this. Stop the rollout first."
    ),
    "is below the stage before. Raise it.": gettext_noop(
        "This is below the stage before. Raise it."
    ),
    "is below a second. Give it more time.": gettext_noop(
        "This is below a second. Give it more time."
    ),
    "is empty. Only the last stage may stay.": gettext_noop(
        "Say for how long. Only the last stage may stay."
    ),
}


class Place:
    """Where in a form a problem belongs: a field, or a part with its position and field."""

    def __init__(self, problem: Problem) -> None:
        self.message: str = sentence(problem.message)
        found = PATH.match(problem.path)
        head, position, field = found.groups() if found else ("", None, None)
        self.head: str = head
        self.position = int(position) if position else None
        self.field: str | None = field


def sentence(message: str) -> str:
    """Say at a field what is wrong with it, in the reader's language."""
    template = message.template if isinstance(message, Message) else ""
    written = SENTENCES.get(template)
    return gettext(written) if written else str(translated(message))


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
