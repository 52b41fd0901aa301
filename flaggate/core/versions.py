"""The precedence of versions, by SemVer 2.0."""

from __future__ import annotations

import re

Identifier = tuple[bool, int, str]
Precedence = tuple[tuple[Identifier, ...], bool, tuple[Identifier, ...]]

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"({_NUMBER})(?:\.({_NUMBER}))?(?:\.({_NUMBER}))?"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def precedence(version: str) -> Precedence | None:
    """Return what orders a version among others, or None for a text that is no version.

    One or two numbers stand for ``1.0.0`` and ``1.2.0``; build metadata does not count.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        return None
    *numbers, prerelease = found.groups()
    release = tuple(_identifier(number or "0") for number in numbers)
    if prerelease is None:
        return release, True, ()
    return release, False, tuple(map(_identifier, prerelease.split(".")))


def _identifier(text: str) -> Identifier:
    # Digits without leading zeros order by length, then as text: int() refuses very long ones.
    return (False, len(text), text) if text.isdigit() else (True, 0, text)
