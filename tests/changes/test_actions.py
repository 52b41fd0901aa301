"""The changes that commands, admin and API share."""

from __future__ import annotations

import pytest

import flaggate
from flaggate import changes
from flaggate.exceptions import ChangeRefused, UnknownFlag
from flaggate.models import Flag, Rule, Segment

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
    with pytest.raises(ChangeRefused, match="flags restore x"):
        changes.enable("x")
    with pytest.raises(ChangeRefused, match="flags restore x"):
        changes.rollout("x", 5)
    changes.restore("x")
    assert flaggate.is_active("x")


def test_an_unknown_flag_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownFlag, match="no flag 'nope'"):
        changes.enable("nope")


def test_a_change_returns_the_flag_at_its_new_version() -> None:
    assert changes.create("x").version == 1
    assert changes.enable("x").version == 2
