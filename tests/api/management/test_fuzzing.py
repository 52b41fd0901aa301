"""Random requests, valid and not, to every operation that the OpenAPI document names.

A few hundred in the suite, always the same; `make fuzz` sends 10,000, each time others.
"""

import os
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
import schemathesis
import yaml
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from flaggate import changes
from flaggate.api import keys
from flaggate.models import ApiKey, Revision
from tests.fixtures import layouts, segment, targeted

DOCUMENT = yaml.safe_load(
    (Path(__file__).parents[3] / "docs" / "reference" / "openapi.yaml").read_text()
)
REQUESTS = int(os.environ.get("FLAGGATE_TEST_REQUESTS", "0"))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {
    each.ok().definition.raw["operationId"]: each.ok() for each in SCHEMA.get_all_operations()
}
EACH = -(-REQUESTS // len(OPERATIONS)) or 10  # requests to one operation
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
ADMIN = {"Authorization": f"Basic {b64encode(b'admin:password').decode()}"}

app = get_wsgi_application()


@pytest.fixture
def one_connection():
    """As Django's own test client does: a request would close what the test's transaction is in."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def known(admin_user):
    """What there is, by the name of the parameter that asks for it."""
    targeted("new_checkout", ("plan", "one_of", ["pro"]))
    layouts("price_layout", critical=True)
    changes.create("rolled_out")
    changes.rollouts.start("rolled_out", [(5, timedelta(days=1)), (100, None)])
    changes.create("retired")
    changes.archive("retired")
    segment("beta", ("email", "ends_with", ["@example.com"]), included=["1", "2"])
    made = keys.create("pipeline", ["manage:toggle"])
    flags = ["new_checkout", "price_layout", "rolled_out", "retired"]
    return {
        "flag": {"key": flags},
        "segment": {"key": ["beta", "new_checkout.audience"]},
        "revision": {"id": [each.pk for each in Revision.objects.all()]},
        "key": {"prefix": [made.key.prefix]},
    }


def make_sense(case, there):
    """Name what there is, and say nothing that contradicts itself, so that some writes succeed."""
    if case.path_parameters:
        case.path_parameters |= there
    if not isinstance(case.body, dict):
        return
    if case.method in ("PUT", "PATCH") and "key" in case.body:
        case.body["key"] = there["key"]
    if "stages" in case.body and case.path.endswith("/rollout/"):
        case.body.pop("percentage", None)


@pytest.mark.django_db
@pytest.mark.parametrize("name", OPERATIONS)
def test_no_request_is_answered_in_a_way_that_is_not_documented(name, known, one_connection):
    operation = OPERATIONS[name]
    mostly = {
        parameter: st.sampled_from(values)
        for parameter, values in known[name.split("_")[0]].items()
    }
    modes = [operation.as_strategy(mode) for mode in GenerationMode]
    statuses = []

    @settings(
        max_examples=EACH,
        derandomize=not REQUESTS,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(modes), st.fixed_dictionaries(mostly), st.integers(0, 3))
    def ask(case, there, chance):
        if chance:
            make_sense(case, there)
        with transaction.atomic():
            answer = case.call(app=app, headers=ADMIN)
            transaction.set_rollback(True)
        statuses.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    ask()
    assert User.objects.count() == ApiKey.objects.count() == 1
    counts = {code: statuses.count(code) for code in sorted(set(statuses))}
    print(f"{name}: {len(statuses)} requests, {counts}")
