"""What each scope allows, in the words of Django's permissions."""

import pytest
from django.contrib.auth.models import Permission

from flaggate import changes
from flaggate.api import keys
from flaggate.api.scopes import GRANTS, KeyActor
from flaggate.exceptions import NotPermitted
from flaggate.models import ApiKey, Flag, Revision, Segment

pytestmark = pytest.mark.django_db

# Frozen: whoever widens a scope widens what every key out there may do.
ALLOWED = {
    "evaluate:client": "",
    "evaluate:server": "evaluate_flag",
    "manage:toggle": "rollout_flag toggle_flag",
    "manage:write": """
        add_flag add_segment archive_flag change_flag change_segment delete_flag delete_segment
        evaluate_flag import_members revert_flag revert_segment rollout_flag toggle_flag view_flag
        view_revision view_segment view_usage
    """,
}


def machine(*scopes):
    return KeyActor(keys.create("deploy", scopes).key)


@pytest.mark.parametrize("scope", ApiKey.Scope.values)
def test_a_scope_grants_exactly_these_permissions(scope):
    key = machine(scope)
    every = Permission.objects.filter(content_type__app_label="flaggate")
    granted = {each.codename for each in every if key.has_perm(f"flaggate.{each.codename}")}
    assert granted == set(ALLOWED[scope].split()) == GRANTS[scope]


def test_a_scope_grants_nothing_of_other_apps():
    assert not machine(*GRANTS).has_perm("auth.change_user")


def test_a_scope_that_nobody_knows_grants_nothing():
    key = ApiKey(name="old", scopes=["manage:everything"])
    assert KeyActor(key).permissions == frozenset()


def test_a_toggling_key_toggles_and_nothing_else():
    changes.create("x")
    key = machine("manage:toggle")
    changes.enable("x", actor=key, source="api")
    changes.rollout("x", 5, actor=key, source="api")
    for act in (changes.archive, changes.delete):
        with pytest.raises(NotPermitted, match="key:deploy lacks the permission"):
            act("x", actor=key)
    with pytest.raises(NotPermitted), changes.change(actor=key):
        flag = Flag.objects.get(key="x")
        flag.client_visible = True
        flag.save()


def test_the_history_names_the_key_and_no_user():
    changes.create("x", actor=machine("manage:write"), source="api")
    revision = Revision.objects.get(subject="flag")
    assert (revision.actor, revision.actor_name) == (None, "key:deploy")


def test_a_writing_key_writes_segments():
    with changes.change(actor=machine("manage:write")):
        Segment.objects.create(key="beta")
