"""``flags list``."""

import pytest
from django.db import connection
from django.db.models import JSONField, Value

from flaggate import changes
from flaggate.models import Flag, wording
from tests.management.shell import document, flags, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def four():
    changes.create("on", enabled=True, kind="experiment", tags=["shop", "new"])
    changes.create("off", owner="Team Checkout", tags=["shop"])
    changes.create("later", enabled=True, active_from="2100-01-01T00:00:00Z")
    changes.create("gone", enabled=True)
    changes.archive("gone")


def keys(*arguments):
    return [flag["key"] for flag in document("list", *arguments)]


def test_archived_flags_are_hidden(four):
    assert keys() == ["later", "off", "on"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("--state on", ["later", "on"]),
        ("--state off", ["off"]),
        ("--state archived", ["gone"]),
        ("--state all", ["gone", "later", "off", "on"]),
        ("--kind experiment", ["on"]),
        ("--tag shop", ["off", "on"]),
        ("--tag shop --tag new", ["on"]),
        ("--owner checkout", ["off"]),
        ("--owner checkout --state on", []),
    ],
)
def test_filters_choose(four, filters, found):
    assert keys(*filters.split()) == found


def test_a_row_says_what_an_operator_wants_to_know(four):
    Flag.objects.filter(key="off").update(modified="2027-01-31T09:00:00Z")
    assert flags("list", "--state", "off").splitlines() == [
        "KEY  STATE  KIND     OWNER          MODIFIED",
        "off  off    release  Team Checkout  2027-01-31",
    ]


def test_a_broken_flag_is_seen_to_be_broken():
    changes.create("x", enabled=True)
    Flag.objects.update(off_variant="gone")
    assert "broken; on for everyone" in flags("list")
    assert document("list")[0]["broken"].startswith("off_variant: 'gone' is no variant")


@pytest.mark.parametrize("tags", [5, None, "shop", [{}]], ids=repr)
def test_tags_that_are_none_are_no_reason_to_fail(four, tags):
    Flag.objects.filter(key="off").update(tags=Value(tags, JSONField()))
    assert keys("--tag", "shop") == ["on"]
    assert flags("show", "off")


def test_no_flag_at_all_is_said():
    assert flags("list") == "There are no flags yet."
    assert document("list") == []


def test_filters_that_leave_nothing_are_said(four):
    assert flags("list", "--tag", "nope") == "No flag matches."


def test_a_row_that_no_model_can_hold_is_left_to_the_doctor():
    changes.create("x")
    with connection.cursor() as cursor:  # only SQLite stores any text as a number
        cursor.execute("UPDATE flaggate_flag SET percentage = 'half'")
    assert "`manage.py flags doctor` says whose it is" in refusal("list")


def test_a_long_list_takes_as_many_queries_as_a_short_one(django_assert_num_queries):
    with changes.change():
        for number in range(30):
            changes.create(f"flag_{number}", enabled=True, percentage=50)
    flags("list")
    with django_assert_num_queries(1 + len(wording.READS)):
        flags("list")
