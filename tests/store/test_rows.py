"""A broken row hurts only its flag."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

import flaggate
from flaggate import changes
from flaggate.core import definitions as core
from flaggate.models import Condition, Flag, Prerequisite, Rule, Segment, SegmentMember, Variant
from flaggate.store import read, status, store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def flags(settings: Any) -> None:
    """Three flags that share nothing; the first has a row in every table."""
    settings.FLAGGATE = {"MAX_STALENESS": 0}
    with changes.change():
        for name in ("first", "second", "third"):
            required = Flag.objects.create(key=f"{name}_required", enabled=True)
            segment = Segment.objects.create(key=f"{name}_people")
            Condition.objects.create(
                segment=segment, attribute="plan", operator="one_of", values=["gold"]
            )
            SegmentMember.objects.create(segment=segment, targeting_key="42")
            flag = Flag.objects.create(
                key=name,
                enabled=True,
                active_from=datetime(2020, 1, 1, tzinfo=UTC),
                off_variant="b",
                percentage=0,
            )
            Variant.objects.create(flag=flag, key="a", value={"n": 1}, weight=1, order=0)
            Variant.objects.create(flag=flag, key="b", value="off", weight=0, order=1)
            Rule.objects.create(flag=flag, variant="a").segments.add(segment)
            Prerequisite.objects.create(flag=flag, required=required)
    assert flaggate.variant("first", 42) == "a"


def spoil(model: Any, column: str, value: object, **of: object) -> bool:
    """Write a value by SQL, past all checks of Django; tell whether the database took it."""
    row = model.objects.filter(**of).first()
    quote = connection.ops.quote_name
    table, name = quote(model._meta.db_table), quote(column)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {name} = %s WHERE id = %s", [value, row.pk])
            cursor.execute("UPDATE flaggate_state SET version = version + 1")
    except (DatabaseError, ValueError):
        return False
    return True


COLUMNS = [
    *((Flag, name, {"key": "first"}) for name in ("enabled", "percentage", "bucket_by", "salt")),
    *((Flag, name, {"key": "first"}) for name in ("off_variant", "active_from", "active_until")),
    *((Flag, name, {"key": "first"}) for name in ("client_visible", "archived_at")),
    *((Variant, name, {"flag__key": "first", "key": "a"}) for name in ("key", "value", "weight")),
    *((Variant, name, {"flag__key": "first", "key": "a"}) for name in ("order", "flag_id")),
    *((Rule, name, {"flag__key": "first"}) for name in ("order", "percentage", "variant")),
    (Rule, "flag_id", {"flag__key": "first"}),
    *((Prerequisite, name, {"flag__key": "first"}) for name in ("required_id", "variant")),
    *((Segment, name, {"key": "first_people"}) for name in ("key", "match", "on_demand")),
    *((Condition, name, {"segment__key": "first_people"}) for name in ("attribute", "operator")),
    *((Condition, name, {"segment__key": "first_people"}) for name in ("values", "negate")),
    (Condition, "ignore_case", {"segment__key": "first_people"}),
    *((SegmentMember, name, {"segment__key": "first_people"}) for name in ("targeting_key",)),
    (SegmentMember, "excluded", {"segment__key": "first_people"}),
]
SPOILT = [None, "", "garbage", "2026-13-45 99:99:99", -1, 7.5, 10**15, '{"a"', "[" * 9000, b"\xff"]


@pytest.mark.parametrize("value", SPOILT, ids=lambda value: repr(value)[:20])
def test_what_sql_wrote_into_any_column_raises_nothing_and_leaves_the_others_alone(
    flags: None, value: object
) -> None:
    for model, column, of in COLUMNS:
        if column == "flag_id" and not connection.features.supports_foreign_keys:
            continue
        before = model.objects.filter(**of).values_list("pk", column).first()
        if before is None or not spoil(model, column, value, **of):
            continue
        try:
            for name in ("second", "third"):
                assert flaggate.variant(name, 42) == "a", f"{model.__name__}.{column}"
            flaggate.evaluate("first", 42)
            flaggate.flags_for(42).explain("first")
            assert store.failures == 0, f"{model.__name__}.{column}: {store.error}"
        finally:
            with connection.cursor() as cursor:
                quote = connection.ops.quote_name
                raw = before[1]
                if column in ("value", "values"):
                    raw = '{"n": 1}' if column == "value" else '["gold"]'
                cursor.execute(
                    f"UPDATE {quote(model._meta.db_table)} SET {quote(column)} = %s WHERE id = %s",
                    [raw, before[0]],
                )
                cursor.execute("UPDATE flaggate_state SET version = version + 1")
        assert flaggate.variant("first", 42) == "a", f"{model.__name__}.{column} was put back"


def test_a_broken_flag_is_served_by_its_last_good_definition(flags: None) -> None:
    spoil(Rule, "variant", "no_such_variant", flag__key="first")
    assert flaggate.variant("first", 42) == "a"
    assert "first" in status().quarantined


def test_the_reason_of_a_quarantine_names_field_value_and_remedy(flags: None) -> None:
    spoil(Rule, "variant", "no_such_variant", flag__key="first")
    flaggate.is_active("first")
    reason = status().quarantined["first"].reason
    assert "rules[0].variant: 'no_such_variant' is no variant" in reason
    assert "'a', 'b'" in reason


def test_a_broken_flag_without_a_last_good_definition_is_off_with_parse_error(flags: None) -> None:
    spoil(Rule, "variant", "no_such_variant", flag__key="first")
    store.forget()
    answer = flaggate.evaluate("first", 42)
    assert (answer.active, answer.reason, answer.error) == (False, "ERROR", "PARSE_ERROR")


def test_the_enabled_column_still_kills_a_broken_flag(flags: None) -> None:
    spoil(Rule, "variant", "no_such_variant", flag__key="first")
    assert flaggate.is_active("first", 42)
    spoil(Flag, "enabled", False, key="first")
    assert not flaggate.is_active("first", 42)


def test_a_broken_flag_can_be_turned_off_by_the_write_path(flags: None) -> None:
    spoil(Rule, "variant", "no_such_variant", flag__key="first")
    assert flaggate.is_active("first", 42)
    changes.disable("first")
    assert not flaggate.is_active("first", 42)


def test_a_mended_flag_leaves_its_quarantine(flags: None) -> None:
    spoil(Rule, "variant", "no_such_variant", flag__key="first")
    assert flaggate.is_active("first", 42)
    Rule.objects.filter(flag__key="first").update(variant="b")
    assert flaggate.variant("first", 42) == "b"
    assert not status().quarantined


def test_a_segment_removed_by_sql_leaves_its_rule_broken_and_open_to_nobody(flags: None) -> None:
    segment = Segment.objects.get(key="first_people")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM flaggate_rule_segments WHERE segment_id = %s", [segment.pk])
        cursor.execute("UPDATE flaggate_state SET version = version + 1")
    assert not flaggate.is_active("first", 42)
    assert not flaggate.is_active("first", 43)
    assert flaggate.is_active("second", 42)


def test_reading_gives_what_was_written(flags: None) -> None:
    flag = read("default").flags["first"]
    assert flag.percentage == Decimal(0)
    assert flag.active_from == datetime(2020, 1, 1, tzinfo=UTC)
    assert flag.rules == (core.Rule(("first_people",), Decimal(100), "a"),)
    assert flag.prerequisites == (core.Prerequisite("first_required"),)
    assert [(each.key, each.value, each.weight) for each in flag.variants] == [
        ("a", {"n": 1}, 1),
        ("b", "off", 0),
    ]


@pytest.mark.parametrize(
    "value",
    ["text", "", 1, 1.0, -0.5, 0.1, 10**18, 9007199254740993, 1e15, True, False, [], [1, 1.0, "1"]],
    ids=repr,
)
def test_a_value_keeps_its_json_type(value: object) -> None:
    changes.create("typed", enabled=True, variants=[("only", value, 1)])
    found = read("default").flags["typed"].variants[0].value
    assert repr(found) == repr(value)


@pytest.mark.parametrize("percentage", ["0", "0.001", "33.333", "66.667", "99.999", "100"])
def test_a_percentage_keeps_its_three_decimals(percentage: str) -> None:
    changes.create("exact", percentage=Decimal(percentage))
    assert read("default").flags["exact"].percentage == Decimal(percentage)


def test_only_the_named_flags_are_read(flags: None) -> None:
    wanted = Flag.objects.get(key="first")
    assert list(read("default", flags=[wanted.pk]).flags) == ["first"]


def test_members_can_be_left_out(flags: None) -> None:
    assert read("default").segments["first_people"].included == {b"42"}
    assert read("default", members=False).segments["first_people"].included == frozenset()


def test_without_google_re2_a_pattern_puts_its_flags_into_quarantine(
    flags: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with changes.change():
        segment = Segment.objects.get(key="first_people")
        segment.conditions.create(attribute="plan", operator="matches", values=["gold"])
    monkeypatch.setitem(sys.modules, "re2", None)
    flaggate.is_active("first")
    assert list(status().quarantined) == ["first"]
