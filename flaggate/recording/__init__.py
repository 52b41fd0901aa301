"""What was asked and answered, kept in bounded memory and written in bulk."""

from flaggate.recording.usage import (
    connect,
    counts,
    due,
    flush,
    flush_if_due,
    forget,
    note,
    totals,
    variant_of,
)

__all__ = [
    "connect",
    "counts",
    "due",
    "flush",
    "flush_if_due",
    "forget",
    "note",
    "totals",
    "variant_of",
]
