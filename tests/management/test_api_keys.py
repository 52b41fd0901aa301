"""``flags keys``."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.utils import timezone

from flaggate.api import keys
from flaggate.models import ApiKey, Revision
from tests.management.shell import document, flags, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def key():
    return keys.create("deploy", ["manage:toggle"]).key


def test_create_prints_the_secret_on_a_line_of_its_own():
    printed = flags("keys", "create", "deploy", "--scope", "manage:toggle").splitlines()
    assert keys.digest(printed[-1]) == ApiKey.objects.get().digest


def test_create_says_it_to_machines():
    made = document("keys", "create", "ci", "--scope", "manage:toggle", "--scope", "manage:write")
    assert keys.digest(made["secret"]) == ApiKey.objects.get().digest
    assert made["scopes"] == ["manage:toggle", "manage:write"]
    assert made["usable"] is True


@pytest.mark.parametrize("written", ["2099-01-31", "2099-01-31T00:00Z", "2099-01-31T01:00+01:00"])
def test_a_key_may_expire(written):
    flags("keys", "create", "ci", "--scope", "evaluate:client", "--expires", written)
    assert ApiKey.objects.get().expires_at.isoformat() == "2099-01-31T00:00:00+00:00"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--expires", "tomorrow"),
        ("--expires", "2099-01-31T01:00"),
        ("--overlap", "1"),
        ("--overlap", "-1d"),
        ("--scope", "all"),
    ],
)
def test_what_can_not_be_read_is_refused(arguments):
    with pytest.raises(CommandError):
        flags("keys", "create", "ci", *arguments)


def test_the_user_who_is_named_must_be_allowed_to():
    User.objects.create_user("nora")
    said = refusal("keys", "create", "ci", "--scope", "evaluate:client", "--as", "nora")
    assert "flaggate.add_apikey" in said


@pytest.mark.parametrize("action", ["create", "rotate", "revoke"])
def test_a_key_must_be_named(action):
    assert f"flags keys {action} NAME" in refusal("keys", action)


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_what_there_is_not_is_told(action):
    assert "no usable key 'x'" in refusal("keys", action, "x")


def test_list_shows_no_secret(key):
    printed = flags("keys", "list")
    assert printed.splitlines()[1].split() == ["deploy", key.prefix, "manage:toggle", "usable"]
    assert document("keys", "list")[0].keys().isdisjoint({"secret", "digest"})


def test_list_may_name_one(key):
    keys.create("other", ["evaluate:client"])
    assert [each["name"] for each in document("keys", "list", "other")] == ["other"]
    assert flags("keys", "list", "nobody") == "There is no such key."


def test_rotate_gives_the_newest_key_of_a_name_another_secret(key):
    first = document("keys", "rotate", "deploy")
    second = document("keys", "rotate", "deploy", "--overlap", "0m")
    assert keys.digest(second["secret"]) == ApiKey.objects.first().digest
    assert not ApiKey.objects.get(prefix=first["prefix"]).usable(timezone.now())
    assert ApiKey.objects.get(pk=key.pk).usable(timezone.now() + timedelta(hours=23))


def test_rotate_says_until_when_the_old_one_works(key):
    assert f"deploy ({key.prefix}…) works until" in flags("keys", "rotate", "deploy")


def test_revoke_by_name_closes_all_of_that_name(key):
    keys.rotate(key)
    flags("keys", "revoke", "deploy", "--comment", "leaked")
    assert not keys.usable("deploy").exists()
    assert {each.comment for each in Revision.objects.all()[:2]} == {"leaked"}


def test_revoke_by_prefix_closes_that_one(key):
    new = keys.rotate(key).key
    flags("keys", "revoke", key.prefix)
    assert list(keys.usable("deploy")) == [new]
