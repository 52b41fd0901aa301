"""API keys over HTTP."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flaggate.api import keys
from flaggate.models import ApiKey, Revision
from tests.api.management.callers import allowed, errors, holding, machine
from tests.fixtures import released

pytestmark = pytest.mark.django_db

NEW = {"name": "pipeline", "scopes": ["manage:toggle"], "comment": "For CI."}


def test_a_new_key_shows_its_secret_once_and_opens_what_its_scopes_say(admin):
    released("new_checkout")
    answer = admin.ask("post", "keys/", NEW)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert answer["Location"].endswith(f"/keys/{made['prefix']}/")
    assert (made["state"], made["created_by"], made["expires_at"]) == ("usable", "admin", None)
    secret = made.pop("secret")
    assert admin.document(f"keys/{made['prefix']}/") == made
    disabled = holding(secret).ask("post", "flags/new_checkout/disable/")
    assert disabled.status_code == 200
    assert Revision.objects.get(subject="key").comment == "For CI."


def test_keys_are_listed_without_secrets(admin):
    keys.create("one", ["manage:write"])
    keys.create("two", ["evaluate:client"])
    listed = admin.document("keys/")["results"]
    assert [each["name"] for each in listed] == ["two", "one"]
    assert not any("secret" in each or "digest" in each for each in listed)
    assert [each["name"] for each in admin.document("keys/?name=one")["results"]] == ["one"]


def test_a_key_may_expire(admin):
    moment = (timezone.now() + timedelta(days=1)).isoformat()
    assert admin.ask("post", "keys/", {**NEW, "expires_at": moment}).json()["expires_at"] == moment


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["manage:everything"]}, "scopes[0]"),
        ({"scopes": "manage:write"}, "scopes"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(admin, body, path):
    assert list(errors(admin.ask("post", "keys/", {**NEW, **body}))) == [path]
    assert not ApiKey.objects.exists()


def test_a_rotated_key_works_beside_the_new_one_for_a_while(admin):
    released("new_checkout")
    old = keys.create("pipeline", ["manage:toggle"])
    answer = admin.ask("post", f"keys/{old.key.prefix}/rotate/", {"overlap": 3600})
    assert answer.status_code == 201
    for secret in (old.secret, answer.json()["secret"]):
        assert holding(secret).ask("get", "flags/new_checkout/").status_code == 200
    assert admin.document(f"keys/{old.key.prefix}/")["state"].startswith("usable until")


def test_without_overlap_the_old_secret_is_dead(admin):
    old = keys.create("pipeline", ["manage:toggle"])
    admin.ask("post", f"keys/{old.key.prefix}/rotate/", {"overlap": 0})
    assert holding(old.secret).ask("get", "flags/").status_code == 401


def test_a_revoked_key_opens_nothing(admin):
    old = keys.create("pipeline", ["manage:toggle"])
    caller = holding(old.secret)
    assert caller.ask("get", "flags/").status_code == 200
    answer = admin.ask("post", f"keys/{old.key.prefix}/revoke/", {"comment": "Leaked."})
    assert answer.json()["state"].startswith("revoked")
    assert caller.ask("get", "flags/").status_code == 401
    assert Revision.objects.filter(subject="key").latest("pk").comment == "Leaked."


def test_what_is_dead_is_not_rotated(admin):
    old = keys.create("pipeline", ["manage:toggle"])
    keys.revoke(old.key)
    assert admin.ask("post", f"keys/{old.key.prefix}/rotate/").status_code == 409


def test_an_unknown_key_is_not_found(admin):
    for method, path in (("get", ""), ("post", "rotate/"), ("post", "revoke/")):
        assert admin.ask(method, f"keys/fgk_0/{path}").status_code == 404


def test_a_secret_is_never_kept_for_a_repetition(admin):
    answer = admin.ask("post", "keys/", NEW, Idempotency_Key="once")
    assert list(errors(answer)) == ["Idempotency-Key"]
    assert not ApiKey.objects.exists()


def test_nobody_hands_out_more_than_they_have():
    answer = allowed("add_apikey").ask("post", "keys/", NEW)
    assert answer.status_code == 403
    assert "toggle_flag" in answer.json()["detail"]


@pytest.mark.parametrize("scope", ApiKey.Scope.values)
def test_no_key_manages_keys(scope):
    caller = machine(scope)
    prefix = ApiKey.objects.get().prefix
    assert caller.ask("get", "keys/").status_code == 403
    assert caller.ask("post", "keys/", NEW).status_code == 403
    assert caller.ask("post", f"keys/{prefix}/rotate/").status_code == 403
    assert caller.ask("post", f"keys/{prefix}/revoke/").status_code == 403
