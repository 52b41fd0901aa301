"""Bodies: strict JSON, of bounded size and depth."""

import json

import pytest
from rest_framework.serializers import ValidationError

from flaggate.api.management.fields import MOST_NAMED, Many, Text
from flaggate.models import Flag
from tests.api.management.callers import errors
from tests.fixtures import released, segment

pytestmark = pytest.mark.django_db

ADDRESS = "/api/flags/v1/flags/"


def post(caller, body, content_type="application/json"):
    return caller.generic("POST", ADDRESS, body, content_type)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "is no JSON"),
        (b'{"key": "a"', "is no JSON"),
        (b'{"key": "a", "key": "b"}', "a name stands twice"),
        (b'{"key": "a", "percentage": NaN}', "NaN is no JSON number"),
        (b'{"key": "a", "percentage": -Infinity}', "is no JSON number"),
        (b'{"key": "a", "percentage": 1e999}', "JSON can't express"),
        (b'{"key": "a", "percentage": 1e16}', "float of 1e16 or more"),
        (b'{"key": "\xff"}', "is no JSON"),
        (b'{"key": "a", "description": "\\ud800"}', "surrogate"),
        (b'{"key": "a", "\\ud800": 1}', "surrogate"),
        (b'{"key": "a", "description": "\\u0000"}', "NUL"),
        (b'{"key": ' + b"[" * 200 + b"]" * 200 + b"}", "nested deeper"),
        (b"[" * 1_000_000, "nested too deep"),
        (b'{"key": ' + b"9" * 5000 + b"}", "is no JSON"),
        (b'{"key": ' + b"9" * 400 + b"}", "300 digits"),
    ],
)
def test_what_is_no_strict_json_is_refused(admin, body, said):
    answer = post(admin, body)
    assert (answer.status_code, said in answer.json()["detail"]) == (400, True), answer.content
    assert not Flag.objects.exists()


def test_a_body_larger_than_the_project_allows_is_refused(admin, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = post(admin, json.dumps({"key": "a", "description": "x" * 1000}))
    assert (answer.status_code, "DATA_UPLOAD_MAX_MEMORY_SIZE" in answer.json()["detail"]) == (
        413,
        True,
    )
    assert post(admin, json.dumps({"key": "a"})).status_code == 201


def test_a_project_may_allow_any_size(admin, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    assert post(admin, json.dumps({"key": "a"})).status_code == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_only_json_is_taken(admin, content_type):
    assert post(admin, "key=a", content_type).status_code == 415


def test_an_empty_form_is_an_empty_body(admin):
    """What curl -X POST sends without data."""
    released("a")
    answer = admin.generic("POST", f"{ADDRESS}a/disable/", b"", "application/x-www-form-urlencoded")
    assert answer.status_code == 200


ATTRIBUTES = {f"a{number}": 1 for number in range(100_000)}
CONDITION = {"attribute": "plan", "operator": "one_of"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("flags/", {"key": "a", "tags": [1] * 200_000}),
        ("flags/", {"key": "a", "tags": [1] * 1000}),
        ("flags/", {"key": "a", "percentage": 0, "rules": [{"segments": [1] * 200_000}]}),
        ("flags/", {"key": "a", "percentage": 0, "rules": [{"segments": [1] * 1000}]}),
        ("flags/", {"key": "a", "percentage": 0, "rules": [{}] * 200_000}),
        ("flags/", {"key": "a", "percentage": 0, "rules": [{}] * 1000}),
        ("flags/", ATTRIBUTES),
        ("flags/x/explain/", {"context": ATTRIBUTES}),
        ("flags/x/rollout/", {"stages": [{}] * 200_000}),
        ("segments/", {"key": "a", "conditions": [{**CONDITION, "values": [{}] * 200_000}]}),
        ("segments/", {"key": "a", "conditions": [{**CONDITION, "values": [{}] * 10_000}]}),
        ("segments/", {"key": "a", "conditions": [ATTRIBUTES]}),
        ("segments/s/members:add/", {"keys": [1] * 200_000}),
        ("segments/s/members:remove/", {"keys": [""] * 200_000}),
        ("keys/", {"name": "a", "scopes": ["manage:write"] * 20_000}),
        ("keys/", {"name": "a", "scopes": ["x"], **ATTRIBUTES}),
    ],
)
def test_whoever_sends_too_much_is_told_of_the_first_problems_only(admin, path, body):
    released("x")
    segment("s")
    found = errors(admin.ask("post", path, body))
    assert 0 < len(found) <= MOST_NAMED


@pytest.mark.parametrize(("entries", "looked_at"), [(100, MOST_NAMED), (101, 0)])
def test_a_list_is_looked_into_no_further_than_needed(entries, looked_at):
    seen = []

    class Noted(Text):
        def run_validation(self, data):
            seen.append(data)
            return super().run_validation(data)

    with pytest.raises(ValidationError):
        Many(child=Noted(), max_length=100).run_validation([1] * entries)
    assert len(seen) == looked_at


def test_a_list_of_as_many_entries_as_may_be_is_taken(admin):
    body = {"key": "a", "conditions": [{**CONDITION, "values": list(range(10_000))}]}
    assert admin.ask("post", "segments/", body).status_code == 201
    body = {"key": "a", "tags": [str(number) for number in range(1000)]}
    assert admin.ask("post", "flags/", body).status_code == 201


def test_a_whole_context_of_as_many_attributes_as_may_be_is_explained(admin):
    released("x")
    context = {f"a{number}": 1 for number in range(1000)}
    assert admin.ask("post", "flags/x/explain/", {"context": context}).status_code == 200
