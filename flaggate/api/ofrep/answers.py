"""Evaluations as OFREP writes them.

The published clients are stricter than the specification: see docs/reference/ofrep.md before
leaving anything out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flaggate.core import evaluation
from flaggate.core.evaluation import UNSET, Evaluation
from flaggate.recording.usage import variant_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flaggate.core.snapshot import Snapshot

    Document = dict[str, Any]

INVALID_CONTEXT = "INVALID_CONTEXT"

# Clients know OpenFeature's words only; the richer one stands in the metadata.
REASONS = {
    evaluation.PREREQUISITE_FAILED: evaluation.DEFAULT,
    evaluation.OVERRIDE: evaluation.TARGETING_MATCH,
}
ERRORS = {evaluation.CONTEXT_NOT_LOADED: evaluation.GENERAL}
DETAILS = {
    evaluation.TARGETING_KEY_MISSING: "The flag goes to a share of all subjects, and the context "
    "has nothing to tell this one by.",
    evaluation.PARSE_ERROR: "The flag's definition can't be read.",
}


def document(answer: Evaluation) -> Document:
    """Write an answer: a success, or a failure, upon which clients take their own default."""
    if answer.error is not None:
        code = ERRORS.get(answer.error, answer.error)
        return failure(code, DETAILS.get(code, "The flag can't be evaluated."), answer.flag)
    written: Document = {
        "key": answer.flag,
        "value": answer.value,
        "reason": REASONS.get(answer.reason, answer.reason),
        "variant": variant_of(answer),
        "metadata": _metadata(answer),
    }
    if answer.value is UNSET:
        del written["value"]  # which means: the caller's default
    return written


def failure(code: str, details: str, key: str | None = None) -> Document:
    """Write why a question, or one flag of it, has no answer."""
    named = {} if key is None else {"key": key}
    return {**named, "errorCode": code, "errorDetails": details}


def not_found(key: str) -> Document:
    """Write that there is no flag: the same for one that the client may not see."""
    return failure(evaluation.FLAG_NOT_FOUND, "There is no such flag.", key)


def encoded(document: Document) -> bytes:
    """Write JSON; a float keeps its decimal point, by which clients tell it from an integer."""
    return json.dumps(document, separators=(",", ":")).encode()


def bulk(snapshot: Snapshot, answers: Iterable[Evaluation]) -> bytes:
    """Write the list of all answers."""
    return b"[" + b",".join(map(_Written.of(snapshot).__getitem__, answers)) + b"]"


def _metadata(answer: Evaluation) -> Document:
    richer = {"reason": answer.reason} if answer.reason in REASONS else {}
    return {"active": answer.active, **richer}


class _Written(dict[Evaluation, bytes]):
    """The answers of one snapshot, each written once: they are prepared, and so the same object."""

    latest: _Written

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        super().__init__()
        self.snapshot = snapshot

    @classmethod
    def of(cls, snapshot: Snapshot) -> _Written:
        if cls.latest.snapshot is not snapshot:
            cls.latest = cls(snapshot)
        return cls.latest

    def __missing__(self, answer: Evaluation) -> bytes:
        written = encoded(document(answer))
        if answer.error is None:  # some of those are made for one question only
            self[answer] = written
        return written


_Written.latest = _Written()
