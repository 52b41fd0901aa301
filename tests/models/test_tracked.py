"""A write on whatever way reaches all processes, and never opens a feature to all."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

import flaggate
from flaggate.models import (
    Condition,
    Flag,
    Prerequisite,
    Rule,
    Segment,
    SegmentMember,
    State,
    Variant,
    state,
)
from flaggate.store import store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def flag() -> Flag:
    """A flag with a row of every kind, written by the plain ORM."""
    flag = Flag.objects.create(key="x", enabled=True, percentage=0)
    segment = Segment.objects.create(key="beta")
    Condition.objects.create(segment=segment, attribute="plan", operator="exists")
    SegmentMember.objects.create(segment=segment, targeting_key="42")
    rule = Rule.objects.create(flag=flag)
    rule.segments.add(segment)
    Variant.objects.create(flag=flag, key="a", value=1)
    Prerequisite.objects.create(flag=flag, required=Flag.objects.create(key="y", enabled=True))
    return flag


def rule() -> Any:
    return Rule.objects.get()


WRITES: dict[str, tuple[Callable[[], object], str]] = {
    "save": (lambda: Flag.objects.get(key="x").save(), "flag"),
    "save with update_fields": (
        lambda: Flag.objects.get(key="x").save(update_fields=["owner"]),
        "flag",
    ),
    "update": (lambda: Flag.objects.filter(key="x").update(enabled=False), "flag"),
    "bulk_update": (
        lambda: Flag.objects.bulk_update(Flag.objects.filter(key="x"), ["owner"]),
        "flag",
    ),
    "update_or_create": (
        lambda: Flag.objects.update_or_create(key="x", defaults={"owner": "ada"}),
        "flag",
    ),
    "variant save": (lambda: Variant.objects.get().save(), "flag"),
    "variant update": (lambda: Variant.objects.update(weight=2), "flag"),
    "variant update by the flag": (lambda: rule().flag.variants.update(weight=2), "flag"),
    "variant bulk_create": (
        lambda: Variant.objects.bulk_create([Variant(flag=rule().flag, key="b", value=2)]),
        "flag",
    ),
    "variant delete": (lambda: Variant.objects.get().delete(), "flag"),
    "rule update": (lambda: Rule.objects.update(percentage=5), "flag"),
    "rule delete": (lambda: Rule.objects.all().delete(), "flag"),
    "prerequisite delete": (lambda: Prerequisite.objects.all().delete(), "flag"),
    "segments add": (lambda: rule().segments.add(Segment.objects.create(key="z")), "flag"),
    "segments remove": (lambda: rule().segments.remove(Segment.objects.get()), "flag"),
    "segments clear": (lambda: rule().segments.clear(), "flag"),
    "segments set": (lambda: rule().segments.set([]), "flag"),
    "rules of a segment add": (
        lambda: Segment.objects.create(key="z").rules.add(rule()),
        "flag",
    ),
    "rules of a segment clear": (lambda: Segment.objects.get().rules.clear(), "flag"),
    "segment save": (lambda: Segment.objects.get().save(), "segment"),
    "segment update": (lambda: Segment.objects.update(match="any"), "segment"),
    "condition save": (lambda: Condition.objects.get().save(), "segment"),
    "condition update": (lambda: Condition.objects.update(negate=True), "segment"),
    "condition delete": (lambda: Condition.objects.all().delete(), "segment"),
    "member bulk_create": (
        lambda: SegmentMember.objects.bulk_create(
            [SegmentMember(segment=Segment.objects.get(), targeting_key="43")]
        ),
        "segment",
    ),
    "member delete": (lambda: SegmentMember.objects.all().delete(), "segment"),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_plain_write_gives_state_and_aggregate_a_new_version(flag: Flag, name: str) -> None:
    write, aggregate = WRITES[name]
    model: Any = Flag if aggregate == "flag" else Segment
    key = "x" if aggregate == "flag" else "beta"
    before = state.read("default"), model.objects.get(key=key).version
    write()
    after = state.read("default")
    assert after.number > before[0].number
    assert after.token != before[0].token
    assert model.objects.get(key=key).version > before[1]


def test_a_new_flag_reaches_the_state(flag: Flag) -> None:
    before = state.read("default")
    Flag.objects.create(key="new")
    assert state.read("default") != before


def test_a_deleted_flag_reaches_the_state(flag: Flag) -> None:
    before = state.read("default")
    flag.delete()
    assert state.read("default") != before
    assert not flaggate.is_active("x", 42)


def test_the_write_and_its_new_version_commit_together(flag: Flag) -> None:
    before = state.read("default")
    with pytest.raises(RuntimeError), transaction.atomic():
        Flag.objects.update(enabled=False)
        raise RuntimeError
    assert state.read("default") == before
    assert flaggate.is_active("x", 42)


def test_loaddata_is_seen(flag: Flag) -> None:
    dumped = io.StringIO()
    call_command("dumpdata", "flaggate.flag", stdout=dumped)
    Flag.objects.filter(key="x").update(enabled=False)
    assert not flaggate.is_active("x", 42)
    with open_fixture(dumped.getvalue()) as path:
        call_command("loaddata", path, verbosity=0)
    assert flaggate.is_active("x", 42)


class open_fixture:
    def __init__(self, text: str) -> None:
        self.text = text

    def __enter__(self) -> str:
        import tempfile

        self.file = tempfile.NamedTemporaryFile("w", suffix=".json")
        self.file.write(self.text)
        self.file.flush()
        return self.file.name

    def __exit__(self, *_: object) -> None:
        self.file.close()


def test_flush_begins_a_new_epoch_which_is_seen_at_once(flag: Flag) -> None:
    assert flaggate.is_active("x", 42)
    before = State.objects.get()
    call_command("flush", interactive=False, verbosity=0)
    assert State.objects.get().epoch != before.epoch
    assert not flaggate.is_active("x", 42)


def test_a_truncated_state_is_made_anew_by_the_next_write(flag: Flag) -> None:
    State.objects.all().delete()
    Flag.objects.filter(key="x").update(enabled=False)
    assert State.objects.count() == 1
    assert not flaggate.is_active("x", 42)


@pytest.mark.parametrize(
    "remove",
    [
        lambda: rule().segments.clear(),
        lambda: Rule.segments.through.objects.all().delete(),
        lambda: Rule.segments.through.objects.all()._raw_delete("default"),
        lambda: _by_sql("DELETE FROM flaggate_rule_segments"),
    ],
    ids=["clear", "through", "raw delete", "sql"],
)
def test_removing_the_segments_of_a_rule_opens_it_to_nobody(
    flag: Flag, remove: Callable[[], object]
) -> None:
    assert flaggate.is_active("x", 42)
    remove()
    store.forget()
    assert not any(flaggate.is_active("x", user) for user in range(100))


def _by_sql(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_marks_of_writes_do_not_pile_up_in_a_transaction(flag: Flag) -> None:
    with transaction.atomic():
        for _ in range(5):
            Variant.objects.update(weight=2)
        assert len(connection.run_on_commit) == 1
    assert not state.Written.alive
