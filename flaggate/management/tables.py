"""Aligned text for people."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GAP = "  "
NARROWEST = 20  # columns of text that is wrapped


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, wrap: int, width: int | None = None
) -> Iterator[str]:
    """Align rows under a header, without columns that are empty throughout.

    With a ``width`` the column at the position ``wrap`` is wrapped to make the lines fit.
    """
    cells = [list(map(line, row)) for row in rows]
    used = [place for place in range(len(header)) if any(row[place] for row in cells)]
    widths = {place: max(len(row[place]) for row in (header, *cells)) for place in used}
    if width is not None and wrap in widths:
        others = sum(widths.values()) - widths[wrap] + len(GAP) * (len(used) - 1)
        widths[wrap] = min(widths[wrap], max(NARROWEST, width - others))
    for row in (header, *cells):
        columns = [textwrap.wrap(row[place], widths[place]) for place in used]
        for parts in zip_longest(*columns, fillvalue=""):
            aligned = (part.ljust(widths[place]) for part, place in zip(parts, used, strict=True))
            yield GAP.join(aligned).rstrip()


def pairs(entries: Iterable[tuple[str, str]], indent: str = GAP) -> Iterator[str]:
    """Align names and what they stand for; an entry that says nothing is left out."""
    said = [(name, line(text)) for name, text in entries if text]
    longest = max((len(name) for name, _text in said), default=0)
    for name, text in said:
        yield f"{indent}{name.ljust(longest)}{GAP}{text}"


def line(text: str) -> str:
    """Make one line of a text, without characters that would steer a terminal."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """Replace what is no character, or would steer a terminal."""
    return "".join(each if each.isprintable() else " " for each in text)
