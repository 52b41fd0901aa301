"""A request that is sent twice is done once."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from flaggate.api.management import idempotency
from flaggate.models import Flag, IdempotencyKey, Revision
from tests.api.management.callers import allowed, caller_of, errors, user_with
from tests.fixtures import released, segment

pytestmark = pytest.mark.django_db

PATH, BODY = "flags/new_checkout/", {"owner": "shop"}


def seen(answer):
    return answer.status_code, answer.content, answer.get("ETag"), answer.get("Location")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "flags/", {"key": "cart", "variants": [{"key": "a", "value": 2.0}]}),
        ("patch", PATH, BODY),
        ("put", PATH, {"key": "new_checkout"}),
        ("delete", PATH, None),
        ("post", f"{PATH}disable/", None),
        ("post", f"{PATH}copy/", {"key": "cart"}),
        ("post", "segments/beta/members:add/", {"keys": ["42"]}),
    ],
)
def test_the_same_request_gets_the_same_answer(admin, method, path, body):
    released("new_checkout", percentage=5)
    segment("beta")
    first = admin.ask(method, path, body, Idempotency_Key="once")
    made = Revision.objects.count()
    assert made == 3, first.content
    again = admin.ask(method, path, body, Idempotency_Key="once")
    assert seen(again) == seen(first)
    assert Revision.objects.count() == made


def test_it_stays_the_same_while_others_write(admin):
    released("new_checkout")
    first = admin.ask("patch", PATH, BODY, Idempotency_Key="once")
    admin.ask("patch", PATH, {"owner": "billing"})
    assert seen(admin.ask("patch", PATH, BODY, Idempotency_Key="once")) == seen(first)
    assert Flag.objects.get().owner == "billing"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("patch", PATH, {"owner": "billing"}, {}),
        ("put", PATH, {"key": "new_checkout", "owner": "shop"}, {}),
        ("post", f"{PATH}disable/", None, {}),
        ("patch", PATH, BODY, {"If_Match": '"2"'}),
    ],
)
def test_another_request_with_the_same_key_is_refused(admin, method, path, body, headers):
    released("new_checkout")
    admin.ask("patch", PATH, BODY, Idempotency_Key="once")
    answer = admin.ask(method, path, body, Idempotency_Key="once", **headers)
    assert answer.status_code == 422
    assert "Use a new one" in answer.json()["detail"]
    assert Flag.objects.get().version == 2


def test_the_order_of_names_in_a_body_makes_no_difference(admin):
    released("new_checkout")
    admin.ask("patch", PATH, {"owner": "shop", "tags": []}, Idempotency_Key="once")
    answer = admin.ask("patch", PATH, {"tags": [], "owner": "shop"}, Idempotency_Key="once")
    assert answer.status_code == 200


def test_callers_do_not_share_keys():
    released("new_checkout")
    for name, owner in (("ada", "shop"), ("bob", "billing")):
        caller = allowed("change_flag", username=name)
        caller.ask("patch", PATH, {"owner": owner}, Idempotency_Key="once")
        assert Flag.objects.get().owner == owner


def test_what_failed_may_be_tried_again(admin):
    released("new_checkout")
    pause = f"{PATH}pause/"
    assert admin.ask("post", pause, Idempotency_Key="once").status_code == 409
    admin.ask("post", f"{PATH}rollout/", {"stages": [{"percentage": 5}]})
    assert admin.ask("post", pause, Idempotency_Key="once").status_code == 200


def test_keys_are_kept_for_a_day_and_purged_by_the_next_one(admin, admin_user):
    released("new_checkout")
    admin.ask("patch", PATH, BODY, Idempotency_Key="old")
    with time_machine.travel(timezone.now() + idempotency.KEPT + timedelta(seconds=1)):
        admin.force_login(admin_user)
        admin.ask("patch", PATH, BODY, Idempotency_Key="new")
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_that_is_none_is_refused(admin, key):
    released("new_checkout")
    answer = admin.ask("patch", PATH, BODY, Idempotency_Key=key)
    assert list(errors(answer)) == ["Idempotency-Key"]


def test_without_the_permission_nothing_is_repeated(admin):
    released("new_checkout")
    user = user_with("change_flag")
    ada = caller_of(user)
    ada.ask("patch", PATH, BODY, Idempotency_Key="once")
    user.user_permissions.clear()
    assert ada.ask("patch", PATH, BODY, Idempotency_Key="once").status_code == 403
