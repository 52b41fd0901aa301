"""Random requests, valid and not, to every operation that the OpenAPI document names."""

from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
import schemathesis
import yaml
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from flaggate import changes
from flaggate.api import keys
from flaggate.models import ApiKey, Revision
from tests.api.fuzzing import CHECKS, as_often, counted, operations, requests
from tests.api.fuzzing import one_connection as one_connection
from tests.fixtures import layouts, segment, targeted

DOCUMENT = yaml.safe_load(
    (Path(__file__).parents[3] / "docs" / "reference" / "openapi.yaml").read_text()
)
OPERATIONS = operations(schemathesis.openapi.from_dict(DOCUMENT))
ADMIN = {"Authorization": f"Basic {b64encode(b'admin:password').decode()}"}

app = get_wsgi_application()


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
    statuses = []

    @as_often(len(OPERATIONS))
    @given(requests(operation), st.fixed_dictionaries(mostly), st.integers(0, 3))
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
    print(counted(name, statuses))
