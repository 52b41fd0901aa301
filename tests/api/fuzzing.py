"""Random requests to whatever an OpenAPI document describes: what both documents have in common.

A few hundred in the suite, always the same; `make fuzz` sends thousands, each time others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

REQUESTS = int(os.environ.get("FLAGGATE_TEST_REQUESTS", "0"))
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


def operations(schema: Any) -> dict[str, Any]:
    """Return the operations of a document by their ids."""
    found = [each.ok() for each in schema.get_all_operations()]
    return {each.definition.raw["operationId"]: each for each in found}


def as_often(parts: int) -> Any:
    """Return hypothesis' settings, by which so many parts together send all requests."""
    return settings(
        max_examples=-(-REQUESTS // parts) or 10,
        derandomize=not REQUESTS,
        suppress_health_check=list(HealthCheck),
    )


def requests(operation: Any) -> Any:
    """Return valid requests, and others."""
    return st.one_of([operation.as_strategy(mode) for mode in GenerationMode])


def counted(name: str, statuses: list[int]) -> str:
    """Say how often there was which status."""
    counts = {code: statuses.count(code) for code in sorted(set(statuses))}
    return f"{name}: {len(statuses)} requests, {counts}"


@pytest.fixture
def one_connection() -> Iterator[None]:
    """As Django's own test client does: a request would close what the test's transaction is in."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
