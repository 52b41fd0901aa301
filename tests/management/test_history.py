"""``flags history``."""

import pytest
import time_machine
from django.core.management import CommandError

from flaggate import changes
from flaggate.models import Flag, Segment
from tests.management.shell import document, flags, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nine():
    with time_machine.travel("2027-01-31T09:00:00Z", tick=False):
        yield


def test_each_revision_says_when_who_from_where_why_and_what(admin_user):
    changes.create("x", percentage=0)
    changes.rollout("x", 5, actor=admin_user, source="admin", comment="Carefully\nnow")
    assert flags("history", "x").splitlines() == [
        "2  2027-01-31 09:00 UTC  admin (admin)",
        "   “Carefully now”",
        "   percentage: 0 % → 5 %",
        "1  2027-01-31 09:00 UTC  code",
        "   created",
        "   percentage: 0 %",
    ]


def test_what_plain_writes_changed_is_shown_with_the_next_revision():
    changes.create("x")
    Flag.objects.update(owner="Ada")
    changes.enable("x")
    assert "   before that, not recorded: owner: – → Ada" in flags("history", "x").splitlines()
    assert document("history", "x")[0]["unrecorded"] == ["owner: – → Ada"]


def test_only_the_latest_are_shown_and_older_ones_are_announced():
    changes.create("x")
    for percentage in (1, 2, 3):
        changes.rollout("x", percentage)
    lines = flags("history", "x", "--limit", 2).splitlines()
    assert [line[0] for line in lines[:-1] if line[0] != " "] == ["4", "3"]
    assert lines[-1] == "There are older ones; --limit shows more."
    assert len(document("history", "x", "--limit", 2)) == 2


def test_a_history_that_is_whole_announces_nothing():
    changes.create("x")
    assert "older" not in flags("history", "x", "--limit", 1)


def test_the_oldest_shown_revision_is_compared_with_the_one_before_it():
    changes.create("x")
    Flag.objects.update(owner="Ada")
    changes.enable("x")
    assert document("history", "x", "--limit", 1)[0]["unrecorded"]


def test_a_segment_has_a_history_too():
    with changes.change(comment="Begin"):
        Segment.objects.create(key="beta", name="Beta")
    assert flags("history", "beta", "--segment").splitlines()[1:] == [
        "   “Begin”",
        "   created",
        "   name: Beta",
    ]


def test_a_deleted_flag_keeps_its_history():
    changes.create("x", enabled=True)
    changes.delete("x", comment="Done")
    assert "   deleted" in flags("history", "x").splitlines()


def test_a_flag_without_revisions_is_said_to_have_none():
    Flag.objects.create(key="x")
    assert flags("history", "x") == "No change of the flag x is recorded."
    assert document("history", "x") == []


def test_an_unknown_segment_is_refused():
    changes.create("x")
    assert refusal("history", "x", "--segment") == "There is no segment 'x'."


@pytest.mark.parametrize("limit", ["0", "-1", "all"])
def test_a_limit_is_a_number_of_revisions(limit):
    with pytest.raises(CommandError, match=r"Give 1 or more\."):
        flags("history", "x", f"--limit={limit}")


def test_json_has_the_whole_of_before_and_after(admin_user):
    changes.create("x", percentage=0)
    changes.rollout("x", 5, actor=admin_user, source="admin", comment="Go")
    latest, first = document("history", "x")
    assert (latest["version"], latest["actor"], latest["source"]) == (2, "admin", "admin")
    assert (latest["comment"], latest["differences"]) == ("Go", ["percentage: 0 % → 5 %"])
    assert (latest["before"]["percentage"], latest["after"]["percentage"]) == (0, 5)
    assert (first["actor"], first["before"]) == (None, None)
