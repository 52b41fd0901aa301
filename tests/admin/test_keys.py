"""API keys in admin: a secret is shown once, and nothing changes by a GET."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from flaggate.api import keys
from flaggate.models import ApiKey, Revision
from tests.admin.conftest import user

ADD = "admin:flaggate_apikey_add"
LIST = "admin:flaggate_apikey_changelist"
NEW = {"name": "deploy", "scopes": ["manage:toggle"], "comment": "for CI"}


def client(somebody):
    made = Client()
    made.force_login(somebody)
    return made


@pytest.fixture
def keeper():
    """Somebody who may make and close keys, and turn flags on and off."""
    permissions = ("view_apikey", "add_apikey", "change_apikey", "change_flag", "view_revision")
    return client(user("kay", *permissions))


@pytest.fixture
def key():
    return keys.create("deploy", ["manage:toggle"]).key


def act(browser, action, *chosen):
    data = {"action": action, "_selected_action": [key.pk for key in chosen], "comment": "leaked"}
    return browser.post(reverse(LIST), data)


def secrets_in(response):
    return re.findall(r'value="(fgk_\w+_[0-9a-f]{64})"', response.content.decode())


def test_a_new_key_is_shown_once_and_not_stored(keeper):
    response = keeper.post(reverse(ADD), NEW)
    (secret,) = secrets_in(response)
    assert ApiKey.objects.get().digest == keys.digest(secret)
    assert "no-store" in response["Cache-Control"]
    for page in (reverse(LIST), reverse("admin:flaggate_apikey_change", args=[1])):
        assert secret not in keeper.get(page, follow=True).content.decode()


def test_sending_the_form_again_makes_no_second_key(keeper):
    keeper.post(reverse(ADD), NEW)
    again = keeper.post(reverse(ADD), NEW)
    assert "has a key" in again.content.decode()
    assert ApiKey.objects.count() == 1


def test_the_history_has_who_made_it_and_why(keeper):
    keeper.post(reverse(ADD), NEW)
    revision = Revision.objects.get(subject="key")
    assert (revision.actor_name, revision.source, revision.comment) == ("kay", "admin", "for CI")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "fgk_x"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["manage:all"]}, "scopes"),
        ({"scopes": ["manage:write"]}, "scopes"),  # more than the keeper may do
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "expires_at"),
    ],
)
def test_a_refusal_stands_at_its_field(keeper, typed, field):
    response = keeper.post(reverse(ADD), {**NEW, **typed})
    assert list(response.context["adminform"].form.errors) == [field]
    assert not ApiKey.objects.exists()


def test_a_rotation_shows_the_new_secret_and_until_when_the_old_one_works(keeper, key):
    response = act(keeper, "rotate", key)
    (secret,) = secrets_in(response)
    assert keys.digest(secret) == ApiKey.objects.exclude(pk=key.pk).get().digest
    assert key.prefix in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_one_key_is_rotated_at_a_time(keeper, key):
    other = keys.create("other", ["evaluate:client"]).key
    act(keeper, "rotate", key, other)
    assert ApiKey.objects.count() == 2


def test_a_closed_key_is_not_rotated(keeper, key):
    keys.revoke(key)
    act(keeper, "rotate", key)
    assert ApiKey.objects.count() == 1


def test_revoking_closes_all_that_were_chosen(keeper, key):
    other = keys.create("other", ["evaluate:client"]).key
    act(keeper, "revoke", key, other)
    assert not ApiKey.objects.filter(revoked_at=None).exists()
    assert Revision.objects.first().comment == "leaked"


@pytest.mark.parametrize("permissions", [(), ("view_apikey",), ("add_apikey",)])
@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_who_may_not_change_keys_can_not_close_or_rotate_them(key, permissions, action):
    act(client(user("nora", *permissions)), action, key)
    assert list(ApiKey.objects.values_list("revoked_at", "expires_at")) == [(None, None)]


@pytest.mark.parametrize("permissions", [(), ("view_apikey",), ("change_apikey",)])
def test_who_may_not_add_keys_can_not_make_them(permissions):
    response = client(user("nora", *permissions, "change_flag")).post(reverse(ADD), NEW)
    assert response.status_code == 403
    assert not ApiKey.objects.exists()


def test_no_key_is_changed_or_deleted_by_hand(key, admin_client):
    for page in ("change", "delete"):
        admin_client.post(
            reverse(f"admin:flaggate_apikey_{page}", args=[key.pk]),
            {"name": "other", "scopes": ["manage:write"], "post": "yes"},
        )
    act(admin_client, "delete_selected", key)
    key.refresh_from_db()
    assert (key.name, key.scopes) == ("deploy", ["manage:toggle"])


def test_looking_changes_nothing(keeper, key):
    before = list(ApiKey.objects.values())
    addresses = [
        reverse(ADD),
        reverse(LIST),
        f"{reverse(LIST)}?action=revoke&_selected_action={key.pk}",
        reverse("admin:flaggate_apikey_change", args=[key.pk]),
    ]
    for address in addresses:
        assert keeper.get(address, follow=True).status_code == 200
    assert list(ApiKey.objects.values()) == before


def test_the_history_of_a_key_is_its_revisions(keeper, key):
    response = keeper.get(reverse("admin:flaggate_apikey_history", args=[key.pk]))
    assert f"key__exact={key.prefix}" in response["Location"]
    page = keeper.get(response["Location"])
    assert page.status_code == 200
    assert key.prefix in page.content.decode()


def test_moments_are_shown_in_the_zone_of_who_reads_them(keeper, key):
    ApiKey.objects.update(last_used_at="2026-01-01T10:00Z")
    pages = [
        keeper.get(reverse(LIST)),
        keeper.get(reverse("admin:flaggate_apikey_change", args=[key.pk])),
        act(keeper, "rotate", key),
    ]
    found = [page.content.decode().count('<time class="flaggate-moment"') for page in pages]
    assert found == [1, 2, 1]  # last used; that and created; until when the old secret works
    assert all("flaggate/times.js" in page.content.decode() for page in pages)
    assert "None" not in pages[1].content.decode()
