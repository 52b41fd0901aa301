"""Moments as people type them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime

from django.utils import timezone


def moment(text: str) -> datetime:
    """Read a moment with its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or timezone.is_naive(found):
        raise ArgumentTypeError(
            f"{text!r} is no moment with a zone. Write it like 2027-01-31T09:00Z."
        )
    return found
