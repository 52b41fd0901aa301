"""The OpenAPI document of the management API."""

from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "openapi.yaml"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The document as the code says it now; a warning is an error."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.yaml"
    call_command(
        "spectacular",
        urlconf="flaggate.api.urls",
        validate=True,
        fail_on_warn=True,
        file=str(path),
    )
    return path.read_text()


def test_a_project_that_has_mounted_everything_gets_a_document_without_warnings(tmp_path):
    path = tmp_path / "all.yaml"
    call_command(
        "spectacular",
        urlconf="tests.api.everything",
        validate=True,
        fail_on_warn=True,
        file=str(path),
    )
    assert len(yaml.safe_load(path.read_text())["paths"]) > 20


@pytest.fixture(scope="module")
def operations(generated):
    paths = yaml.safe_load(generated)["paths"]
    return {
        each["operationId"]: each
        for path in paths.values()
        for method, each in path.items()
        if method != "parameters"
    }


def test_the_committed_document_is_what_the_code_says(generated):
    assert COMMITTED.read_text() == generated, "Run `make openapi`."


def test_every_write_but_those_with_a_secret_takes_an_idempotency_key(operations):
    takes = {
        name
        for name, each in operations.items()
        if any(one["name"] == "Idempotency-Key" for one in each.get("parameters", ()))
    }
    writes = {name for name, each in operations.items() if "409" in each["responses"]}
    assert writes - takes == {"key_create", "key_rotate"}


def test_every_change_of_what_has_versions_takes_if_match(operations):
    takes = {
        name
        for name, each in operations.items()
        if any(one["name"] == "If-Match" for one in each.get("parameters", ()))
    }
    assert takes == {name for name, each in operations.items() if "412" in each["responses"]}
    assert {"flag_update", "flag_enable", "segment_add_members"} < takes
    assert not {"flag_create", "flag_explain", "key_revoke", "flag_list"} & takes


def test_an_api_key_may_be_shown_in_two_ways_of_which_one_is_enough(operations):
    assert operations["flag_list"]["security"][:2] == [{"apiKey": []}, {"apiKeyHeader": []}]


def test_unknown_fields_are_said_to_be_refused(generated):
    assert (
        yaml.safe_load(generated)["components"]["schemas"]["Rule"]["additionalProperties"] is False
    )
