"""The printed table: a name, a time or a size, its ratio, its target, and whether it is met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from measure import Subject


@dataclass(frozen=True)
class Row:
    """One line."""

    name: str
    figure: str
    ratio: str = ""
    target: str = ""
    verdict: str = ""


def show(title: str, rows: Iterable[Row]) -> None:
    """Print a title and its rows."""
    print(f"\n{title}")
    for row in rows:
        line = f"  {row.name:<51}{row.figure:>10}  {row.ratio:<27}{row.target:<11}{row.verdict}"
        print(line.rstrip())


def rows(subjects: Iterable[Subject], times: Mapping[str, float]) -> list[Row]:
    """Turn measured subjects into rows."""
    return [_row(subject, times) for subject in subjects]


def _row(subject: Subject, times: Mapping[str, float]) -> Row:
    time = times[subject.name]
    if not subject.against:
        return limited(subject.name, time, subject.at_most)
    ratio = time / times[subject.against]
    shown = f"{ratio:.2f} × {subject.against}"
    if subject.at_most is None:
        return Row(subject.name, duration(time), shown)
    return Row(
        subject.name,
        duration(time),
        shown,
        f"≤ {subject.at_most:g} ×",
        verdict(ratio, subject.at_most),
    )


def limited(name: str, time: float, at_most: float | None) -> Row:
    """Return the row of a time in nanoseconds that is held against a time, or against none."""
    if at_most is None:
        return Row(name, duration(time))
    return Row(name, duration(time), "", f"≤ {duration(at_most)}", verdict(time, at_most))


def verdict(measured: float, at_most: float) -> str:
    """Say whether a target is met."""
    return "ok" if measured <= at_most else "over"


def duration(nanoseconds: float) -> str:
    """Write a time with three digits and its unit."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"
