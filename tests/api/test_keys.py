"""API keys: made, rotated and revoked, each recorded, none with a secret that can be read again."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.serializers import serialize
from django.utils import timezone

from flaggate.api import keys
from flaggate.api.scopes import GRANTS, KeyActor
from flaggate.exceptions import ChangeRefused, Invalid, NotPermitted
from flaggate.models import ApiKey, Revision

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def actor(*permissions):
    user = User.objects.create_user(f"user {User.objects.count()}")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def made(name="deploy", scopes=("manage:toggle",), **options):
    return keys.create(name, scopes, **options)


def revisions():
    return list(Revision.objects.filter(subject="key").order_by("pk"))


# --- Create ---------------------------------------------------------------------------------


def test_a_secret_carries_256_random_bits_behind_its_prefix():
    issued = made()
    prefix, _, random = issued.secret.rpartition("_")
    assert prefix == issued.key.prefix
    assert len(random) == 64
    assert made("other").secret != issued.secret


def test_nothing_that_is_stored_tells_the_secret():
    issued = made(comment="why")
    rows = serialize("json", [*ApiKey.objects.all(), *Revision.objects.all()])
    assert issued.secret.rpartition("_")[2] not in rows
    assert ApiKey.objects.get().digest == keys.digest(issued.secret)


def test_no_revision_has_even_the_digest():
    made()
    assert keys.digest not in [revisions()[0].before, revisions()[0].after]
    assert ApiKey.objects.get().digest not in serialize("json", revisions())


def test_a_new_key_is_recorded():
    user = actor("add_apikey", "toggle_flag", "rollout_flag")
    key = made(actor=user, source="admin", comment="for CI").key
    revision = revisions()[0]
    assert (revision.key, revision.version) == (key.prefix, 1)
    assert (revision.actor, revision.source, revision.comment) == (user, "admin", "for CI")
    assert (revision.before, revision.after["scopes"]) == (None, ["manage:toggle"])
    assert key.created_by == user


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": " deploy"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "fgk_12345678"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["manage:all"]}, "scopes"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expires_at"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(changed, path):
    with pytest.raises(Invalid) as refused:
        made(**changed)
    assert [problem.path for problem in refused.value.problems] == [path]
    assert not ApiKey.objects.exists()


def test_a_name_is_taken_while_its_key_is_usable():
    key = made().key
    with pytest.raises(Invalid, match="has a key"):
        made()
    keys.revoke(key)
    made()


# --- Who may --------------------------------------------------------------------------------


def test_without_the_permission_nobody_makes_a_key():
    with pytest.raises(NotPermitted, match=r"flaggate\.add_apikey"):
        made(scopes=["evaluate:client"], actor=actor())


def test_nobody_hands_out_what_they_may_not_do():
    somebody = actor("add_apikey", "toggle_flag")
    with pytest.raises(NotPermitted, match=r"flaggate\.rollout_flag"):
        made(actor=somebody)


def test_whoever_may_change_a_flag_may_hand_out_its_toggle():
    made(actor=actor("add_apikey", "change_flag"))


@pytest.mark.parametrize("act", [keys.rotate, keys.revoke])
def test_without_the_permission_nobody_rotates_or_revokes(act):
    key = made(scopes=["evaluate:client"]).key
    with pytest.raises(NotPermitted, match=r"flaggate\.change_apikey"):
        act(key, actor=actor("add_apikey"))


def test_revoking_needs_no_permission_of_the_scopes():
    keys.revoke(made(scopes=["manage:write"]).key, actor=actor("change_apikey"))


@pytest.mark.parametrize("scopes", [[scope] for scope in GRANTS] + [list(GRANTS)])
def test_no_key_makes_or_closes_keys(scopes):
    machine = KeyActor(made(scopes=scopes).key)
    for act in (
        lambda: made("other", actor=machine),
        lambda: keys.revoke(machine.key, actor=machine),
    ):
        with pytest.raises(NotPermitted):
            act()


# --- Rotate ---------------------------------------------------------------------------------


def test_after_a_rotation_both_secrets_work_for_a_day():
    old = made(scopes=["manage:toggle"]).key
    new = keys.rotate(old).key
    old.refresh_from_db()
    for hours, usable in ((0, True), (23, True), (25, False)):
        moment = timezone.now() + timedelta(hours=hours)
        assert (old.usable(moment), new.usable(moment)) == (usable, True)
    assert (new.name, new.scopes) == (old.name, old.scopes)


def test_a_rotation_never_makes_a_key_live_longer():
    ends = timezone.now() + timedelta(hours=1)
    old = made(expires_at=ends).key
    new = keys.rotate(old, overlap=timedelta(days=7)).key
    old.refresh_from_db()
    assert old.expires_at == new.expires_at == ends


def test_a_rotation_is_recorded_for_both():
    old = made().key
    new = keys.rotate(old, comment="yearly").key
    assert [(each.key, each.version) for each in revisions()] == [
        (old.prefix, 1),
        (new.prefix, 1),
        (old.prefix, 2),
    ]
    assert {each.comment for each in revisions()[1:]} == {"yearly"}


def test_a_key_that_has_a_successor_is_not_rotated_again():
    old = made().key
    new = keys.rotate(old).key
    with pytest.raises(ChangeRefused, match=f"into {new.prefix}. Rotate that one"):
        keys.rotate(old)
    assert keys.rotate(new).key.usable(timezone.now())


def test_whose_successor_is_lost_rotates_again_and_loses_no_time():
    old = made().key
    keys.revoke(keys.rotate(old).key)
    again = keys.rotate(old).key
    assert again.expires_at is None
    assert len(keys.usable(old.name)) == 2


def test_a_closed_key_is_not_rotated():
    key = made().key
    keys.revoke(key)
    with pytest.raises(ChangeRefused, match="Create a new one"):
        keys.rotate(key)


def test_an_overlap_below_zero_is_refused():
    with pytest.raises(ChangeRefused, match="overlap"):
        keys.rotate(made().key, overlap=timedelta(seconds=-1))


# --- Revoke ---------------------------------------------------------------------------------


def test_a_revoked_key_opens_nothing():
    key = keys.revoke(made().key)
    assert not key.usable(timezone.now())
    assert not keys.usable(key.name).exists()


def test_revoking_again_changes_nothing():
    key = made().key
    first = keys.revoke(key).revoked_at
    assert keys.revoke(key).revoked_at == first
    assert len(revisions()) == 2


def test_an_expired_key_opens_nothing():
    key = made(expires_at=timezone.now() + timedelta(hours=1)).key
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert not key.usable(timezone.now())
        assert not keys.usable(key.prefix).exists()


def test_a_user_who_goes_leaves_the_keys():
    user = User.objects.create_superuser("ada")
    made(actor=user)
    user.delete()
    assert ApiKey.objects.get().usable(timezone.now())
    assert revisions()[0].actor_name == "ada"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda key: None, "usable"),
        (keys.revoke, "revoked"),
        (keys.rotate, "usable until"),
        (lambda key: keys.rotate(key, overlap=timedelta(0)), "expired"),
    ],
)
def test_the_state_of_a_key_is_said_in_words(change, said):
    key = made().key
    change(key)
    key.refresh_from_db()
    assert keys.state_of(key).startswith(said)
