"""``flags enable``, ``disable``, ``archive``, ``restore`` and ``delete``."""

import io

import pytest
from django.contrib.auth.models import Permission, User

import flaggate
from flaggate import changes
from flaggate.models import Flag, Revision
from tests.management.shell import document, flags, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def flag():
    return changes.create("x", percentage=5)


@pytest.fixture
def ada():
    return User.objects.create_user("ada")


def typed(monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_what_changed_is_said_in_one_sentence(flag):
    assert flags("enable", "x") == "x: on for 5 % (was off). Revision 2."
    assert flags("disable", "x") == "x: off (was on for 5 %). Revision 3."
    assert flags("archive", "x") == "x: archived (was off). Revision 4."
    assert flags("restore", "x") == "x: off (was archived). Revision 5."


def test_what_changed_nothing_is_said_to_have_done_so(flag):
    assert flags("disable", "x") == "x: off already. Nothing was changed."
    assert Revision.objects.count() == 1


def test_a_flag_is_enabled_for_just_these_people(flag):
    flags("enable", "x", "--for", 42, "v-17")
    assert flaggate.is_active("x", 42)
    assert flaggate.is_active("x", "v-17")


def test_the_revision_of_the_people_is_named(flag):
    changes.enable("x", for_keys=["42"])
    assert flags("enable", "x", "--for", 43) == (
        "x: on for chosen people, then 5 %. Revision 2 of the segment x.people."
    )


def test_a_write_answers_a_machine_with_the_flag(flag):
    answer = document("enable", "x")
    assert (answer["key"], answer["enabled"], answer["version"]) == ("x", True, 2)


def test_a_write_is_the_systems_and_comes_from_a_command(flag):
    flags("enable", "x", "--comment", "Go")
    revision = Revision.objects.first()
    assert (revision.actor, revision.source, revision.comment) == (None, "command", "Go")


def test_a_user_who_is_named_becomes_the_actor(flag, ada):
    ada.user_permissions.add(Permission.objects.get(codename="change_flag"))
    flags("enable", "x", "--as", "ada")
    assert Revision.objects.first().actor == ada


@pytest.mark.parametrize("command", ["enable x", "archive x", "delete x --yes", "create y"])
def test_a_user_who_is_named_needs_the_permission(flag, ada, command):
    assert "ada lacks the permission flaggate." in refusal(*command.split(), "--as", "ada")
    assert Revision.objects.count() == 1


def test_a_user_who_does_not_exist_is_refused(flag):
    assert refusal("enable", "x", "--as", "eve").startswith("There is no user 'eve'.")
    assert not Flag.objects.get().enabled


def test_an_archived_flag_is_restored_before_it_is_enabled(flag):
    changes.archive("x")
    assert "Restore it first." in refusal("enable", "x")


def test_a_flag_is_deleted_when_its_key_is_typed(flag, monkeypatch):
    typed(monkeypatch, "x\n")
    assert flags("delete", "x").endswith("x: deleted. It was never enabled.")
    assert not Flag.objects.exists()


@pytest.mark.parametrize("answer", ["", "\n", "yes\n"], ids=["nothing", "enter", "yes"])
def test_without_the_typed_key_nothing_is_deleted(flag, monkeypatch, answer):
    typed(monkeypatch, answer)
    assert refusal("delete", "x") == "flag x: was not deleted. Type its key, or use --yes."
    assert Flag.objects.exists()


def test_nobody_is_asked_where_yes_is_given(monkeypatch):
    changes.create("x", enabled=True)
    typed(monkeypatch, "")
    assert flags("delete", "x", "--yes") == "x: deleted. Its key can't be used again."


def test_what_was_deleted_is_said_to_a_machine(flag):
    assert document("delete", "x", "--yes") == {"key": "x", "deleted": True}


def test_a_required_flag_is_not_deleted(flag):
    other = changes.create("y")
    with changes.change():
        other.prerequisites.create(required=flag)
    assert "is required by y" in refusal("delete", "x", "--yes")
