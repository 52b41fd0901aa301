"""All flags in a file, for a process that starts while the database is gone.

The file is JSON with a schema version and a checksum: one that is torn, edited or from another
release is refused as a whole, and said so in the log.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flaggate.core import definitions as core
from flaggate.core.members import PackedMembers, gathered
from flaggate.core.quarantine import assemble
from flaggate.core.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flaggate.core.snapshot import Snapshot

SCHEMA = 1


def write(path: Path, flags: Mapping[str, core.Flag], segments: Mapping[str, core.Segment]) -> None:
    """Write flags and segments to a file, at once: readers see the old one or the new one.

    Raises OSError.
    """
    body = {
        "written_at": datetime.now(UTC).isoformat(),
        "flags": [_encoded(flag) for flag in flags.values()],
        "segments": [_encoded(segment) for segment in segments.values()],
    }
    text = json.dumps({"schema": SCHEMA, "checksum": _checksum(body), "body": body}, indent=1)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path) -> Snapshot:
    """Read the snapshot that a file holds. Raises OSError and ValueError."""
    body = _body(path)
    try:
        flags = [_flag(entry) for entry in body["flags"]]
        segments = [_segment(entry) for entry in body["segments"]]
        loaded_at = datetime.fromisoformat(body["written_at"])
    except (KeyError, TypeError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"{path}: holds what this release can't read: {error!r}.") from error
    return assemble(
        {flag.key: flag for flag in flags},
        {segment.key: segment for segment in segments},
        unreadable={},
        unreadable_segments={},
        version=None,
        source="bootstrap",
        loaded_at=loaded_at,
        previous=None,
    )


def _body(path: Path) -> Any:
    remedy = "Write it again: `manage.py flags export --bootstrap`."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        schema, checksum, body = (document[name] for name in ("schema", "checksum", "body"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path}: is no bootstrap file. {remedy}") from error
    if schema != SCHEMA:
        raise ValueError(f"{path}: has schema {schema!r} and not {SCHEMA}. {remedy}")
    if checksum != _checksum(body):
        raise ValueError(f"{path}: its checksum does not fit; it was cut or edited. {remedy}")
    return body


def _checksum(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _encoded(value: Any) -> Any:
    """Turn a definition into JSON, field by field; a variant's own value stays as it is."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (frozenset, PackedMembers)):
        return sorted(member.decode() for member in value)
    if isinstance(value, tuple):
        return [_encoded(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return {each.name: _encoded(getattr(value, each.name)) for each in fields(value)}
    return value


def _flag(entry: dict[str, Any]) -> core.Flag:
    return core.Flag(
        **{
            **entry,
            "percentage": Decimal(entry["percentage"]),
            "active_from": _moment(entry["active_from"]),
            "active_until": _moment(entry["active_until"]),
            "variants": tuple(core.Variant(**each) for each in entry["variants"]),
            "rules": tuple(_rule(each) for each in entry["rules"]),
            "prerequisites": tuple(core.Prerequisite(**each) for each in entry["prerequisites"]),
            "stages": tuple(_stage(each) for each in entry["stages"]),
        }
    )


def _rule(entry: dict[str, Any]) -> core.Rule:
    return core.Rule(tuple(entry["segments"]), Decimal(entry["percentage"]), entry["variant"])


def _stage(entry: dict[str, Any]) -> Stage:
    return Stage(datetime.fromisoformat(entry["starts"]), Decimal(entry["percentage"]))


def _segment(entry: dict[str, Any]) -> core.Segment:
    return core.Segment(
        **{
            **entry,
            "conditions": tuple(
                core.Condition(**{**each, "values": tuple(each["values"])})
                for each in entry["conditions"]
            ),
            "included": gathered(member.encode() for member in entry["included"]),
            "excluded": gathered(member.encode() for member in entry["excluded"]),
        }
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
