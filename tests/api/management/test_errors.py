"""What was refused, as answers."""

import pytest
from django.db import IntegrityError
from django.db.models import ProtectedError
from rest_framework.exceptions import ValidationError

from flaggate.api.management.errors import answerable
from flaggate.core.definitions import Problem
from flaggate.exceptions import (
    ChangeRefused,
    Conflict,
    Invalid,
    NotPermitted,
    UnknownFlag,
    UnknownSegment,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotPermitted("No."), 403),
        (UnknownFlag("No."), 404),
        (UnknownSegment("No."), 404),
        (ChangeRefused("No."), 409),
        (ProtectedError("No.", set()), 409),
        (Conflict("No."), 412),
    ],
)
def test_a_refused_change_has_a_status_and_says_why(error, status):
    answer = answerable(error)
    assert (answer.status_code, str(answer.detail)) == (status, "No.")


def test_what_the_database_refuses_is_a_conflict_and_shows_nothing_of_it():
    answer = answerable(IntegrityError("UNIQUE constraint failed: flaggate_variant.key"))
    assert answer.status_code == 409
    assert "UNIQUE" not in str(answer.detail)


def test_problems_keep_their_paths():
    answer = answerable(Invalid("flag a", [Problem("rules[0].variant", "is none.")]))
    assert answer.status_code == 400
    assert answer.detail == {"errors": [{"path": "rules[0].variant", "message": "is none."}]}


@pytest.mark.parametrize(
    ("detail", "paths"),
    [
        ({"key": ["a", "b"]}, ["key", "key"]),
        ({"rules": [{}, {"segments": {0: ["a"]}}]}, ["rules[1].segments[0]"]),
        ({"rules": {1: {"segments": {0: ["a"]}}}}, ["rules[1].segments[0]"]),
        ({"non_field_errors": ["a"]}, [""]),
        ({"rules": {"non_field_errors": ["a"]}}, ["rules"]),
        (["a"], [""]),
    ],
)
def test_the_frameworks_errors_become_paths(detail, paths):
    answer = answerable(ValidationError(detail))
    assert [each["path"] for each in answer.detail["errors"]] == paths


def test_any_other_error_stays_what_it_is():
    error = RuntimeError()
    assert answerable(error) is error
