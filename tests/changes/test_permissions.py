"""Who may make which change: decided by what differs, on every route."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.utils import timezone

from flaggate import changes
from flaggate.exceptions import NotPermitted
from flaggate.models import Condition, Flag, Revision, Rule, Segment

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[User], object]

FLAG_CHANGES: dict[str, Act] = {
    "enable": lambda actor: changes.enable("x", actor=actor),
    "disable": lambda actor: changes.disable("y", actor=actor),
    "rollout": lambda actor: changes.rollout("x", 5, actor=actor),
    "start stages": lambda actor: changes.rollouts.start(
        "y", [(5, timedelta(days=1)), (100, None)], actor=actor
    ),
    "schedule": lambda actor: changes.schedule("x", timezone.now(), actor=actor),
    "archive": lambda actor: changes.archive("x", actor=actor),
    "restore": lambda actor: changes.restore("z", actor=actor),
    "describe": lambda actor: _describe(actor),
    "add a rule": lambda actor: _add_rule(actor),
    "enable and describe": lambda actor: _describe(actor, enabled=True),
    "revert": lambda actor: changes.revert_flag("y", 1, actor=actor),
    "undo": lambda actor: changes.undo("y", actor=actor),
    "create": lambda actor: changes.create("new", actor=actor),
    "copy": lambda actor: changes.copy("x", "new", actor=actor),
    "delete": lambda actor: changes.delete("x", actor=actor),
}
SEGMENT_CHANGES: dict[str, Act] = {
    "add members": lambda actor: changes.members.add("beta", ["2"], actor=actor),
    "remove members": lambda actor: changes.members.remove("beta", ["1"], actor=actor),
    "replace members": lambda actor: changes.members.replace("beta", ["3"], actor=actor),
    "add a condition": lambda actor: _add_condition(actor),
    "revert": lambda actor: changes.revert_segment("beta", 1, actor=actor),
}

# What each permission alone allows; frozen, because operators' roles are built on it.
ALLOWED = {
    "add_flag": {"create", "copy"},
    "change_flag": set(FLAG_CHANGES) - {"create", "copy", "delete"},
    "delete_flag": {"delete"},
    "view_flag": set(),
    "toggle_flag": {"enable", "disable"},
    "rollout_flag": {"rollout", "schedule", "start stages", "undo"},  # of what it allows
    "archive_flag": {"archive", "restore"},
    "revert_flag": {"revert", "undo"},
    "evaluate_flag": set(),
    "override_flag": set(),
    "change_segment": set(SEGMENT_CHANGES),
    "import_members": {"add members", "remove members", "replace members"},
    "revert_segment": {"revert"},
    "view_segment": set(),
}


def _describe(actor: User, **fields: object) -> None:
    with changes.change(actor=actor):
        flag = Flag.objects.get(key="x")
        flag.description = "other"
        for name, value in fields.items():
            setattr(flag, name, value)
        flag.save()


def _add_rule(actor: User) -> None:
    with changes.change(actor=actor):
        rule = Rule.objects.create(flag=Flag.objects.get(key="x"))
        rule.segments.add(Segment.objects.get())


def _add_condition(actor: User) -> None:
    with changes.change(actor=actor):
        Condition.objects.create(segment=Segment.objects.get(), attribute="plan", operator="exists")


@pytest.fixture(autouse=True)
def stored() -> None:
    changes.create("x", percentage=0)
    changes.create("y", percentage=0)
    changes.enable("y")
    changes.rollout("y", 50)
    changes.create("z")
    changes.archive("z")
    with changes.change():
        segment = Segment.objects.create(key="beta")
    with changes.change():
        segment.name = "Beta"
        segment.save()
    changes.members.add("beta", ["1"])


def somebody(permission: str) -> User:
    user = User.objects.create_user("somebody")
    user.user_permissions.add(Permission.objects.get(codename=permission))
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("permission", ALLOWED)
def test_a_permission_allows_what_it_names_and_no_more(permission: str) -> None:
    actor = somebody(permission)
    acts = SEGMENT_CHANGES if permission in SEGMENT_ROLES else FLAG_CHANGES
    assert {name for name, act in acts.items() if _allowed(act, actor)} == ALLOWED[permission]


SEGMENT_ROLES = {"change_segment", "import_members", "revert_segment", "view_segment"}


def _allowed(act: Act, actor: User) -> bool:
    recorded = Revision.objects.count()
    try:
        with transaction.atomic():
            act(actor)
            written = Revision.objects.count() > recorded
            transaction.set_rollback(True)
    except NotPermitted:
        return False
    assert written, "an act that changes nothing would show nothing"
    return True


def test_a_refusal_names_every_permission_that_is_missing() -> None:
    with pytest.raises(NotPermitted, match=r"lacks the permission flaggate\.toggle_flag"):
        changes.enable("x", actor=somebody("rollout_flag"))


def test_what_differs_beside_a_revert_needs_its_own_permission() -> None:
    with (
        pytest.raises(NotPermitted, match="change_flag"),
        changes.change(actor=somebody("revert_flag")),
    ):
        changes.revert_flag("y", 1)
        flag = Flag.objects.get(key="y")
        flag.description = "and a word on top"
        flag.save()
