"""``flags show``."""

import pytest
import time_machine

from flaggate import changes
from flaggate.models import Flag, Segment
from tests.management.shell import document, flags

pytestmark = pytest.mark.django_db

NINE = "2027-01-31T09:00:00Z"


def shown(key="x"):
    """The lines beneath the heading, without indentation and alignment."""
    return [" ".join(line.split()) for line in flags("show", key).splitlines()[1:]]


def test_everything_is_shown():
    with time_machine.travel(NINE, tick=False):
        changes.create("y")
        with changes.change(comment="Begin"):
            flag = changes.create(
                "x",
                description="A long\nstory",
                kind="permission",
                owner="Ada",
                tags=["a", "b"],
                permanent=True,
                critical=True,
                client_visible=True,
                expires_on="2028-01-01",
                bucket_by="company",
                percentage=5,
                off_variant="small",
                variants=[("small", {"a": "é"}, 1), ("big", 2.5, 3)],
            )
            segment = Segment.objects.create(key="beta")
            rule = flag.rules.create(percentage=50, variant="big")
            rule.segments.add(segment)
            flag.prerequisites.create(required=Flag.objects.get(key="y"))
    assert flags("show", "x") == (
        "x: off\n"
        "  description   A long story\n"
        "  kind          permission, permanent\n"
        "  owner         Ada\n"
        "  tags          a, b\n"
        "  notes         critical, browsers may see it\n"
        "  expires on    2028-01-01\n"
        "  once enabled  50 % of segment beta (big), then 5 %\n"
        "  bucketed by   company\n"
        "  version       1, modified 2027-01-31 09:00 UTC\n"
        "  last change   by code: Begin\n"
        "\n"
        "  Variants\n"
        '    small = {"a": "é"}, weight 1 of 4, for those outside\n'
        "    big = 2.5, weight 3 of 4\n"
        "\n"
        "  Rules, the first that matches decides\n"
        "    1. 50 % of segment beta (big)\n"
        "    2. 5 % of everyone else\n"
        "\n"
        "  Prerequisites\n"
        "    y is active"
    )


def test_the_stages_of_a_rollout_are_shown_with_the_one_that_holds():
    changes.create("x", percentage=0)
    with time_machine.travel(NINE, tick=False) as clock:
        changes.rollouts.start("x", changes.rollouts.to_plan("5:1d,50:12h,100"))
        clock.shift(24 * 3600)
        assert shown()[-3:] == [
            "1. 5 % for 1d",
            "2. 50 % for 12h, now",
            "3. 100 % until the rollout is ended",
        ]


def test_the_last_change_names_a_person(admin_user):
    changes.create("x", actor=admin_user, source="admin")
    assert "last change by admin (admin)" in shown()


def test_a_change_without_a_revision_is_said_to_be_unrecorded():
    changes.create("x", comment="Begin")
    Flag.objects.update(owner="Ada")
    assert "last change not recorded; before that, revision 1 by code: Begin" in shown()


def test_a_flag_without_any_revision_is_said_to_be_unrecorded():
    Flag.objects.create(key="x")
    assert "last change not recorded" in shown()


def test_why_a_flag_is_broken_is_shown():
    changes.create("x", enabled=True)
    Flag.objects.update(off_variant="gone")
    assert any(line.startswith("broken") and "'gone' is no variant" in line for line in shown())


def test_json_has_the_whole_flag():
    created = changes.create("x", tags=["a"], variants=[("big", 2.5, 3)])
    flag = document("show", "x")
    assert flag["tags"] == ["a"]
    assert flag["variants"] == [{"key": "big", "value": 2.5, "weight": 3}]
    assert (flag["state"], flag["version"], flag["broken"]) == ("off", 1, None)
    assert flag["created"] == created.created.isoformat()
