"""Revisions over HTTP."""

import pytest

from flaggate import changes
from flaggate.api import keys
from flaggate.models import Revision
from tests.api.management.callers import allowed, machine
from tests.fixtures import released, segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def history():
    released("new_checkout", percentage=5, comment="A few.")
    changes.rollout("new_checkout", 50, comment="Half.", source="command")
    segment("beta")


def test_revisions_are_listed_the_newest_first(admin, history):
    listed = admin.document("revisions/")["results"]
    assert [(each["key"], each["version"]) for each in listed] == [
        ("beta", 1),
        ("new_checkout", 2),
        ("new_checkout", 1),
    ]
    assert listed[1] == {
        "id": Revision.objects.get(comment="Half.").pk,
        "subject": "flag",
        "key": "new_checkout",
        "version": 2,
        "created": Revision.objects.get(comment="Half.").created.isoformat(),
        "actor": "",
        "source": "command",
        "comment": "Half.",
        "differences": ["percentage: 5 % → 50 %"],
    }


@pytest.mark.parametrize(
    ("query", "comments"),
    [
        ("?key=new_checkout", ["Half.", "A few."]),
        ("?subject=segment", [""]),
        ("?source=command", ["Half."]),
        ("?actor=ada", []),
        ("?subject=flag&page_size=1", ["Half."]),
    ],
)
def test_revisions_are_filtered(admin, history, query, comments):
    listed = admin.document(f"revisions/{query}")["results"]
    assert [each["comment"] for each in listed] == comments


def of_keys(caller):
    return caller.document("revisions/?subject=key")["results"]


@pytest.mark.parametrize("who", [lambda: machine("manage:write"), lambda: allowed("view_revision")])
def test_revisions_of_keys_are_not_there_for_who_may_not_see_keys(history, who):
    caller = who()
    keys.create("deploy", ["manage:toggle"])
    one = Revision.objects.filter(subject="key").latest("pk")
    assert of_keys(caller) == []
    assert caller.ask("get", f"revisions/{one.pk}/").status_code == 404


@pytest.mark.parametrize("permission", ["view_apikey", "change_apikey"])
def test_revisions_of_keys_are_there_for_who_may_see_keys(history, permission):
    keys.create("deploy", ["manage:toggle"])
    assert len(of_keys(allowed("view_revision", permission))) == 1


def test_one_revision_shows_all_that_was(admin, history):
    revision = Revision.objects.get(comment="Half.")
    document = admin.document(f"revisions/{revision.pk}/")
    assert (document["before"]["percentage"], document["after"]["percentage"]) == (5, 50)
    assert document["before"] == revision.before


def test_no_revision_is_not_found(admin):
    assert admin.ask("get", "revisions/1/").status_code == 404
    assert admin.ask("get", f"revisions/{10**18 - 1}/").status_code == 404
    assert admin.ask("get", f"revisions/{10**30}/").status_code == 404


def test_whoever_may_only_see_flags_does_not_see_who_changed_them(history):
    assert allowed("view_flag").ask("get", "revisions/").status_code == 403
    assert machine("manage:toggle").ask("get", "revisions/").status_code == 403
