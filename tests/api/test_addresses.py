"""Addresses without their last slash, and those at which there is nothing."""

import pytest

from flaggate import changes
from flaggate.models import Flag
from tests.api.management.callers import machine

pytestmark = pytest.mark.django_db

STRANGE = ["", "nothing/", "flags/a%0A/", "flags/a%00/", "flags/a%2Fb/", "flags/☃/", "revisions/x/"]


@pytest.mark.parametrize("debug", [False, True])
def test_a_flag_is_stopped_without_the_last_slash(settings, debug):
    settings.DEBUG = debug
    changes.create("x", enabled=True)
    answer = machine("manage:toggle").ask("post", "flags/x/disable", {"comment": "At once"})
    assert (answer.status_code, answer.json()["state"]) == (200, "off")
    assert not Flag.objects.get().enabled


def test_what_is_made_without_the_last_slash_says_where_it_is():
    answer = machine("manage:write").ask("post", "flags", {"key": "x"})
    assert (answer.status_code, answer["Location"]) == (
        201,
        "http://testserver/api/flags/v1/flags/x/",
    )


def test_who_may_is_judged_as_with_the_slash():
    changes.create("x", enabled=True)
    assert machine("evaluate:client").ask("post", "flags/x/disable").status_code == 403
    assert Flag.objects.get().enabled


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", STRANGE)
def test_where_there_is_nothing_the_answer_is_json(path, method):
    answer = machine("manage:write").ask(method, path)
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "There is nothing at this address."},
    )


@pytest.mark.urls("tests.api.ofrep.urls")
@pytest.mark.parametrize("path", ["", "nothing", "evaluate", "streams/x"])
def test_beside_the_endpoints_of_ofrep_the_answer_is_one_of_its_failures(client, path):
    answer = client.post(f"/ofrep/v1/{path}")
    assert answer.status_code == 404
    assert answer.json() == {"errorDetails": "There is nothing at this address."}
    assert answer["Cache-Control"] == "private, no-store"
