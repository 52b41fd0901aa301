"""The changes that commands, admin and API share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import flaggate
from flaggate import changes
from flaggate.exceptions import ChangeRefused, Invalid, UnknownFlag
from flaggate.models import Flag, Revision, Rule, Segment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_a_new_flag_is_off_for_everybody() -> None:
    changes.create("x")
    assert not flaggate.is_active("x", 42)


def test_a_flag_is_released_in_stages_and_switched_off() -> None:
    changes.create("x", enabled=True, percentage=0)
    inside = []
    for percentage in (0, 5, 50, 100):
        changes.rollout("x", percentage)
        inside.append({user for user in range(1000) if flaggate.is_active("x", user)})
    assert inside[0] < inside[1] < inside[2] < inside[3]
    assert len(inside[3]) == 1000
    changes.disable("x")
    assert not any(flaggate.is_active("x", user) for user in range(1000))


@pytest.mark.parametrize("percentage", [5, 5.0, "5", "5 %", "5%"])
def test_a_percentage_may_be_written_as_people_do(percentage: object) -> None:
    changes.create("x")
    assert changes.rollout("x", percentage).percentage == 5


def test_just_these_people() -> None:
    changes.create("x")
    changes.enable("x", for_keys=["42", "43"])
    changes.enable("x", for_keys=["43", "44"])
    active = [user for user in range(100) if flaggate.is_active("x", user)]
    assert active == [42, 43, 44]
    assert Segment.objects.get().key == "x.people"
    assert Rule.objects.count() == 1


def test_the_rule_for_these_people_stands_on_top() -> None:
    changes.create("x", enabled=True, percentage=0)
    with changes.change():
        segment = Segment.objects.create(key="nobody")
        segment.conditions.create(attribute="plan", operator="exists")
        segment.members.create(targeting_key="42")
        Rule.objects.create(flag=Flag.objects.get(), percentage=0).segments.add(segment)
    assert not flaggate.is_active("x", 42)
    changes.enable("x", for_keys=["42"])
    assert flaggate.is_active("x", 42)


def test_people_come_beside_the_share_of_everyone_else() -> None:
    changes.create("x", percentage=50)
    changes.enable("x", for_keys=["42"])
    assert Flag.objects.get().percentage == 50


def test_an_archived_flag_is_off_and_comes_back_as_it_was() -> None:
    changes.create("x", enabled=True)
    changes.archive("x")
    assert not flaggate.is_active("x")
    with pytest.raises(ChangeRefused, match="Restore it first"):
        changes.enable("x")
    with pytest.raises(ChangeRefused, match="Restore it first"):
        changes.rollout("x", 5)
    changes.restore("x")
    assert flaggate.is_active("x")


def test_an_unknown_flag_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownFlag, match="no flag 'nope'"):
        changes.enable("nope")


NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)


def test_a_change_returns_the_flag_at_its_new_version() -> None:
    returned = [
        changes.create("x"),
        changes.enable("x"),
        changes.disable("x"),
        changes.rollout("x", 5),
        changes.schedule("x", NOON),
        changes.archive("x"),
        changes.restore("x"),
    ]
    assert [(flag.key, flag.version) for flag in returned] == [("x", n) for n in range(1, 8)]
    assert [flag.enabled for flag in returned[:3]] == [False, True, False]


def test_a_new_flag_has_its_variants_in_their_order() -> None:
    changes.create("x", variants=[("b", 1, 2), ("a", {"n": 1}, 3)])
    variants = Flag.objects.get().variants.order_by("order")
    assert list(variants.values_list("key", "value", "weight", "order")) == [
        ("b", 1, 2, 0),
        ("a", {"n": 1}, 3, 1),
    ]


def test_a_new_flag_has_the_columns_and_its_revision_the_words_that_were_given() -> None:
    changes.create("x", owner="Ada", source="test", comment="first")
    revision = Revision.objects.get()
    assert (Flag.objects.get().owner, revision.source, revision.comment) == ("Ada", "test", "first")


@pytest.mark.parametrize(
    ("key", "options", "path"),
    [
        ("no spaces", {}, "key"),
        ("x", {"kind": "nonsense"}, "kind"),
        ("x", {"percentage": 101}, "percentage"),
        ("x", {"variants": [("a", 1, 1), ("no spaces", 1, 1)]}, "variants[1].key"),
        ("x", {"variants": [("a", None, 1)]}, "variants[0].value"),
        ("x", {"variants": [("a", 1, -1)]}, "variants[0].weight"),
        ("x", {"variants": [("a", 1, 1), ("a", 2, 1)]}, "variants[1].key"),
    ],
)
def test_a_new_flag_that_is_not_valid_is_refused_whole(
    key: str, options: dict[str, Any], path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        changes.create(key, **options)
    assert [each.path for each in refused.value.problems] == [path]
    assert f"flag {key}" in str(refused.value)
    assert not Flag.objects.exists()


def test_a_key_that_is_taken_is_refused() -> None:
    changes.create("x")
    with pytest.raises(Invalid) as refused:
        changes.create("x")
    assert [each.path for each in refused.value.problems] == ["key"]


@pytest.mark.parametrize("percentage", ["many", "", -1, 100.1, "NaN", 0.0001])
def test_a_share_that_is_none_is_refused_with_the_flag_that_was_meant(percentage: Any) -> None:
    changes.create("x")
    with pytest.raises(Invalid, match="flag x") as refused:
        changes.rollout("x", percentage)
    assert [each.path for each in refused.value.problems] == ["percentage"]
    assert Flag.objects.get().percentage == 100


def test_a_time_is_set_and_taken_away() -> None:
    changes.create("x")
    changes.schedule("x", NOON, NOON + timedelta(days=1))
    flag = Flag.objects.get()
    assert (flag.active_from, flag.active_until) == (NOON, NOON + timedelta(days=1))
    changes.schedule("x")
    flag = Flag.objects.get()
    assert (flag.active_from, flag.active_until) == (None, None)


def test_a_flag_that_does_not_exist_has_no_schedule() -> None:
    with pytest.raises(UnknownFlag, match=r"There is no flag 'x'\."):
        changes.schedule("x")


def test_an_archived_flag_takes_no_schedule() -> None:
    changes.create("x")
    changes.archive("x")
    with pytest.raises(ChangeRefused, match=r"flag x: is archived\. Restore it first"):
        changes.schedule("x", active_until=NOON)


def test_an_archived_flag_can_be_turned_off_too() -> None:
    changes.create("x", enabled=True)
    changes.archive("x")
    assert not changes.disable("x").enabled


def test_an_archived_flag_keeps_the_moment_at_which_it_was_archived() -> None:
    changes.create("x")
    Flag.objects.update(archived_at=NOON)
    assert changes.archive("x").archived_at == NOON
    assert Flag.objects.get().archived_at == NOON


@pytest.mark.parametrize("act", [changes.disable, changes.archive])
def test_what_turns_a_flag_off_writes_nothing_else(act: Any) -> None:
    changes.create("x", enabled=True, owner="Ada")
    with CaptureQueriesContext(connection) as captured:
        act("x")
    written = [each["sql"] for each in captured if each["sql"].startswith("UPDATE")]
    assert any("flaggate_flag" in sql for sql in written)
    assert not any("owner" in sql for sql in written)


def test_a_flag_is_deleted() -> None:
    changes.create("x")
    changes.delete("x")
    assert not Flag.objects.exists()


def test_a_flag_that_others_require_is_not_deleted() -> None:
    changes.create("x")
    for key in ("b", "a"):
        changes.create(key).prerequisites.create(required=Flag.objects.get(key="x"))
    with pytest.raises(ChangeRefused, match=r"flag x: is required by a, b\. Remove it there"):
        changes.delete("x")
    assert Flag.objects.filter(key="x").exists()


# --- these people ---


def test_these_people_alone_get_a_flag_that_was_for_everyone() -> None:
    changes.create("x")
    changes.enable("x", for_keys=["42"])
    assert Flag.objects.get().percentage == 0
    assert Rule.objects.get().percentage == 100
    assert Segment.objects.get().name == "People of x"


def test_who_enables_for_nobody_leaves_the_share_of_everyone() -> None:
    changes.create("x")
    changes.enable("x", for_keys=[])
    assert Flag.objects.get().percentage == 100
    assert not Rule.objects.exists()


def test_beside_rules_the_share_of_everyone_else_stays_100_percent() -> None:
    changes.create("x", percentage=0)
    changes.enable("x", for_keys=["42"])
    changes.rollout("x", 100)
    changes.enable("x", for_keys=["43"])
    assert Flag.objects.get().percentage == 100


def test_beside_a_running_rollout_its_share_stays() -> None:
    changes.create("x", percentage=0)
    changes.rollouts.start("x", [(5, timedelta(days=1)), (100, None)])
    Flag.objects.update(percentage=100)
    with changes.change() as opened:
        opened.state_percentage("x")
        changes.enable("x", for_keys=["42"])
    assert Flag.objects.get().percentage == 100


def test_the_rules_below_these_people_stay_in_their_order() -> None:
    flag = changes.create("x", percentage=0)
    with changes.change():
        for order in (0, 1):
            segment = Segment.objects.create(key=f"segment_{order}")
            flag.rules.create(order=order).segments.add(segment)
    changes.enable("x", for_keys=["42"])
    rules = Rule.objects.order_by("order").values_list("order", "segments__key")
    assert list(rules) == [(0, "x.people"), (1, "segment_0"), (2, "segment_1")]
