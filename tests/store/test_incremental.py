"""Only what changed is read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

import flaggate
from flaggate import changes
from flaggate.models import Condition, Flag, Prerequisite, Rule, Segment, SegmentMember, Variant
from flaggate.store import read, rows, status, store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture(autouse=True)
def flags(settings: Any) -> None:
    settings.FLAGGATE = {"MAX_STALENESS": 0}
    with changes.change():
        for name in ("first", "second"):
            segment = Segment.objects.create(key=f"{name}_people")
            SegmentMember.objects.create(segment=segment, targeting_key="42")
            flag = Flag.objects.create(key=name, enabled=True, percentage=0)
            Rule.objects.create(flag=flag).segments.add(segment)
        Flag.objects.create(key="third", enabled=True)
    assert flaggate.is_active("first", 42)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The loads that read everything."""
    loads: list[str] = []
    everything = rows.read

    def counted(using: str, **options: Any) -> Any:
        loads.append(using)
        return everything(using, **options)

    monkeypatch.setattr(rows, "read", counted)
    return loads


def definition(key: str) -> Any:
    return store.snapshot.flags[key]


def closure(key: str) -> Any:
    return store.snapshot.evaluators[key]


def test_a_changed_flag_alone_is_read_and_compiled(whole: list[str]) -> None:
    flaggate.flags_for(42).all()
    before = [(definition(key), closure(key)) for key in ("first", "second", "third")]
    changes.disable("second")
    flaggate.flags_for(42).all()
    after = [(definition(key), closure(key)) for key in ("first", "second", "third")]
    same = [old[0] is new[0] and old[1] is new[1] for old, new in zip(before, after, strict=True)]
    assert same == [True, False, True]
    assert whole == []


EDITS: dict[str, Callable[[], object]] = {
    "flag": lambda: changes.rollout("third", 5),
    "new flag": lambda: changes.create("fourth", enabled=True),
    "deleted flag": lambda: changes.delete("third"),
    "variant": lambda: Variant.objects.create(flag=flag("third"), key="a", value=1),
    "rule": lambda: Rule.objects.filter(flag=flag("first")).update(percentage=50),
    "removed rule": lambda: Rule.objects.filter(flag=flag("first")).delete(),
    "segments of a rule": lambda: Rule.objects.get(flag=flag("first")).segments.set(
        [Segment.objects.get(key="second_people")]
    ),
    "prerequisite": lambda: Prerequisite.objects.create(flag=flag("first"), required=flag("third")),
    "condition": lambda: Condition.objects.create(
        segment=segment("first"), attribute="plan", operator="exists"
    ),
    "member": lambda: SegmentMember.objects.create(segment=segment("first"), targeting_key="43"),
    "removed member": lambda: SegmentMember.objects.filter(segment=segment("first")).delete(),
    "new segment": lambda: Segment.objects.create(key="third_people"),
}


def flag(key: str) -> Flag:
    return Flag.objects.get(key=key)


def segment(name: str) -> Segment:
    return Segment.objects.get(key=f"{name}_people")


@pytest.mark.parametrize("name", EDITS)
def test_what_is_read_in_part_is_what_would_be_read_as_a_whole(name: str, whole: list[str]) -> None:
    EDITS[name]()
    store.current()
    assert whole == []
    fresh = read("default")
    assert store.loaded.definitions == fresh
    assert dict(store.snapshot.flags) == fresh.flags
    assert dict(store.snapshot.segments) == fresh.segments


def by_sql(sql: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


@pytest.mark.parametrize(
    "bump",
    [
        "UPDATE flaggate_state SET version = version + 1",
        "UPDATE flaggate_state SET version = version - 1",
        "UPDATE flaggate_state SET token = epoch",
        "UPDATE flaggate_state SET epoch = token, token = epoch, version = version + 1",
    ],
)
def test_a_state_that_does_not_continue_is_read_as_a_whole(bump: str, whole: list[str]) -> None:
    by_sql("UPDATE flaggate_flag SET enabled = %s", False)
    by_sql(bump)
    assert not flaggate.is_active("first", 42)
    assert whole == ["default"]


@pytest.mark.parametrize(("most", "loads"), [(3, []), (2, ["default"])])
def test_more_changes_than_are_read_one_by_one_are_read_as_a_whole(
    whole: list[str], monkeypatch: pytest.MonkeyPatch, most: int, loads: list[str]
) -> None:
    monkeypatch.setattr(rows, "MOST_CHANGED", most)
    with changes.change():
        Flag.objects.update(owner="ada")
    store.current()
    assert whole == loads
    assert store.loaded.definitions == read("default")


if connection.vendor == "sqlite":  # the others have types
    SPOILT = {
        "flag": "UPDATE flaggate_flag SET percentage = 'many' WHERE key = 'first'",
        "segment": "UPDATE flaggate_segment SET on_demand = 'often' WHERE key = 'first_people'",
    }

    @pytest.mark.parametrize("name", SPOILT)
    def test_what_can_no_longer_be_read_is_not_kept_as_it_was(name: str, whole: list[str]) -> None:
        with transaction.atomic():
            Flag.objects.filter(key="first").update(owner="ada")
            Segment.objects.filter(key="first_people").update(name="People")
            by_sql(SPOILT[name])
        store.current()
        assert whole == []
        assert store.loaded.definitions == read("default")

    @pytest.mark.parametrize("name", SPOILT)
    def test_what_can_not_be_read_is_known_while_others_change(name: str, whole: list[str]) -> None:
        by_sql(SPOILT[name])
        by_sql("UPDATE flaggate_state SET version = version + 1")
        store.current()
        whole.clear()
        changes.disable("third")
        store.current()
        assert whole == []
        assert store.loaded.definitions == read("default")


def test_a_flag_that_stays_broken_stays_in_quarantine_while_others_change() -> None:
    Rule.objects.filter(flag__key="first").update(variant="nope")
    assert flaggate.is_active("first", 42)
    changes.disable("third")
    assert flaggate.is_active("first", 42)
    assert set(status().quarantined) == {"first"}


def test_a_flag_that_breaks_is_logged_once_with_its_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flaggate.is_active("first", 42)
    Rule.objects.filter(flag__key="first").update(variant="nope")
    for key in ("second", "third"):
        changes.disable(key)
        flaggate.is_active("first", 42)
    (message,) = [each.getMessage() for each in caplog.records if "is broken" in each.getMessage()]
    assert message.startswith("The flag 'first' is broken, so its last good definition is served:")
    assert "'nope'" in message


def test_a_segment_that_breaks_takes_the_flags_that_use_it_along() -> None:
    Condition.objects.create(segment=segment("first"), attribute="x", operator="nope", values=[1])
    assert flaggate.is_active("first", 42), "by its last good definition"
    assert set(status().quarantined) == {"first"}
    Condition.objects.all().delete()
    assert flaggate.is_active("first", 42)
    assert not status().quarantined


def test_a_required_flag_that_loses_its_variant_breaks_the_flag_that_requires_it() -> None:
    variant = Variant.objects.create(flag=flag("third"), key="a", value=1)
    Prerequisite.objects.create(flag=flag("first"), required=flag("third"), variant="a")
    assert flaggate.is_active("first", 42)
    variant.delete()
    flaggate.is_active("first", 42)
    assert set(status().quarantined) == {"first"}
