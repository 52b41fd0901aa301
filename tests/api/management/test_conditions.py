"""Changes on condition: ETag and If-Match."""

import pytest

from flaggate import changes
from flaggate.models import Flag, Revision
from tests.fixtures import released, segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def flag():
    released("new_checkout")
    changes.rollout("new_checkout", 5)


def test_an_answer_has_the_version_as_its_etag(admin, flag):
    assert admin.ask("get", "flags/new_checkout/")["ETag"] == '"2"'


@pytest.mark.parametrize("tag", ['"2"', 'W/"2"', '"1", "2"', "*"])
def test_a_condition_that_holds_lets_the_change_pass(admin, flag, tag):
    answer = admin.ask("patch", "flags/new_checkout/", {"owner": "shop"}, If_Match=tag)
    assert (answer.status_code, answer["ETag"]) == (200, '"3"')


@pytest.mark.parametrize("tag", ['"1"', '"3"', '"1", "3"', "2", '"x"', "", f'"{"9" * 5000}"'])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("put", "", {"key": "new_checkout"}),
        ("patch", "", {"owner": "shop"}),
        ("delete", "", None),
        ("post", "disable/", None),
    ],
)
def test_a_condition_that_fails_changes_nothing(admin, flag, method, path, body, tag):
    answer = admin.ask(method, f"flags/new_checkout/{path}", body, If_Match=tag)
    assert answer.status_code == 412
    assert "Load it again" in answer.json()["detail"]
    assert Flag.objects.get().version == 2


def test_a_conflict_says_who_was_faster(admin, flag):
    answer = admin.ask("post", "flags/new_checkout/disable/", If_Match='"1"')
    assert "was changed by code" in answer.json()["detail"]
    assert "from version 1 to 2" in answer.json()["detail"]


@pytest.mark.parametrize("tag", ["", '"x"'])
def test_what_names_no_version_is_no_conflict_with_anybody(admin, flag, tag):
    answer = admin.ask("post", "flags/new_checkout/disable/", If_Match=tag)
    assert "names no version of new_checkout" in answer.json()["detail"]
    assert "was changed by" not in answer.json()["detail"]


def test_segments_have_versions_too(admin):
    segment("beta")
    path, body = "segments/beta/members:add/", {"keys": ["42"]}
    assert admin.ask("post", path, body, If_Match='"1"').status_code == 200
    assert admin.ask("post", path, body, If_Match='"1"').status_code == 412


# --- critical flags --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("put", "", {"key": "payments", "critical": True}),
        ("patch", "", {"enabled": False}),
        ("delete", "", None),
        ("post", "disable/", None),
        ("post", "rollout/", {"percentage": 5}),
    ],
)
def test_a_critical_flag_is_not_changed_unseen(admin, method, path, body):
    released("payments", critical=True)
    answer = admin.ask(method, f"flags/payments/{path}", body)
    assert answer.status_code == 428
    assert "send If-Match" in answer.json()["detail"]
    assert admin.ask(method, f"flags/payments/{path}", body, If_Match="*").status_code < 300


def test_a_critical_flag_is_copied_and_explained_as_any_other(admin):
    released("payments", critical=True)
    assert admin.ask("post", "flags/payments/copy/", {"key": "payments_2"}).status_code == 201
    assert admin.ask("post", "flags/payments/explain/").status_code == 200
    assert Revision.objects.filter(key="payments").count() == 1
