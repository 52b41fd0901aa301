"""Random requests, valid and not, to what the protocol's own OpenAPI document describes."""

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import given
from hypothesis import strategies as st

from flaggate import changes
from flaggate.models import Flag
from tests.api.fuzzing import CHECKS, as_often, counted, operations, requests
from tests.api.fuzzing import one_connection as one_connection
from tests.api.ofrep.test_specification import SPECIFICATION, mended
from tests.fixtures import layouts, released, targeted

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.ofrep.urls")]

OPERATIONS = operations(schemathesis.openapi.from_dict(mended(SPECIFICATION)))
CALLERS = ("server", "browser")

app = get_wsgi_application()


@pytest.fixture
def known():
    """Flags of every kind, by key; one that is broken, too."""
    released("on", client_visible=True)
    released("share", percentage=50, client_visible=True)
    layouts("price_layout", client_visible=True)
    targeted("rule", ("plan", "one_of", ["gold"]))
    changes.create("to_the_caller", client_visible=True, variants=[("a", 1.5, 1)])
    released("broken")
    Flag.objects.filter(key="broken").update(percentage=-1)
    return ["on", "share", "price_layout", "rule", "to_the_caller", "broken", "nowhere"]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("who", CALLERS)
def test_no_request_is_answered_in_a_way_that_the_protocol_does_not_know(
    request, name, who, known, one_connection
):
    headers = request.getfixturevalue(who).headers
    statuses = []

    @as_often(len(OPERATIONS) * len(CALLERS))
    @given(requests(OPERATIONS[name]), st.sampled_from(known), st.integers(0, 3))
    def ask(case, key, chance):
        if chance and case.path_parameters:
            case.path_parameters["key"] = key
        answer = case.call(app=app, headers=headers)
        statuses.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    ask()
    print(counted(f"{name}, {who}", statuses))
