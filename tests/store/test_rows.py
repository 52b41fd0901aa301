"""A broken row hurts only its flag."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

import flaggate
from flaggate import changes
from flaggate.changes import rollouts
from flaggate.core import definitions as core
from flaggate.core.stages import Stage
from flaggate.models import (
    Condition,
    Flag,
    Prerequisite,
    Rollout,
    Rule,
    Segment,
    SegmentMember,
    Variant,
)
from flaggate.store import columns, read, status, store

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


def test_variants_come_by_their_order_and_then_by_their_keys(flags: None) -> None:
    flag = Flag.objects.get(key="first")
    for key, order in [("d", 1), ("c", 1), ("e", 0)]:
        flag.variants.create(key=key, value=key, order=order)
    found = read("default").flags["first"].variants
    assert [each.key for each in found] == ["a", "e", "b", "c", "d"]


def test_rules_come_by_their_order_and_then_by_their_ids(flags: None) -> None:
    flag = Flag.objects.get(key="first")
    for order, percentage in [(2, 2), (1, 3), (1, 4)]:
        flag.rules.create(order=order, percentage=percentage)
    found = read("default").flags["first"].rules
    assert [each.percentage for each in found] == [100, 3, 4, 2]


def test_the_segments_of_a_rule_come_by_their_keys(flags: None) -> None:
    rule = Rule.objects.get(flag__key="first")
    rule.segments.set([*Segment.objects.order_by("-key")])
    (found,) = read("default").flags["first"].rules
    assert found.segments == ("first_people", "second_people", "third_people")


def test_a_segment_is_read_with_conditions_and_members(flags: None) -> None:
    segment = Segment.objects.get(key="first_people")
    segment.conditions.create(
        attribute="email", operator="ends_with", values=["@a"], negate=True, ignore_case=True
    )
    segment.members.create(targeting_key="43", excluded=True)
    Segment.objects.filter(key="first_people").update(match="any")
    assert read("default").segments["first_people"] == core.Segment(
        "first_people",
        False,
        (
            core.Condition("plan", "one_of", ("gold",)),
            core.Condition("email", "ends_with", ("@a",), True, True),
        ),
        frozenset({b"42"}),
        frozenset({b"43"}),
    )


@pytest.mark.parametrize("paused", [False, True])
def test_a_rollout_is_read_as_its_stages(flags: None, paused: bool) -> None:
    rollouts.start("first", [(5, timedelta(days=1)), (100, None)])
    if paused:
        rollouts.pause("first")
    start = Rollout.objects.get().started_at
    later = [] if paused else [Stage(start + timedelta(days=1), Decimal(100))]
    assert read("default").flags["first"].stages == (Stage(start, Decimal(5)), *later)
    assert read("default").flags["second"].stages == ()


# --- what can't be read ---


def test_operands_that_are_no_list_are_not_read(flags: None) -> None:
    Condition.objects.filter(segment__key="first_people").update(values={"gold": 1})
    found = read("default")
    assert found.unreadable_segments == {"first_people": "values: {'gold': 1} is no list."}
    assert set(found.segments) == {"second_people", "third_people"}


def test_a_match_that_is_unknown_is_not_read(flags: None) -> None:
    Segment.objects.filter(key="first_people").update(match="no")
    (why,) = read("default").unreadable_segments.values()
    assert why == "match: 'no' is neither 'all' nor 'any'."


def test_what_raises_without_a_word_is_named(flags: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(columns, "parsed", full)
    assert set(read("default").unreadable_segments.values()) == {"MemoryError"}


def test_a_rollout_without_a_start_is_not_read(
    flags: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollouts.start("first", [(5, timedelta(days=1)), (100, None)])
    monkeypatch.setattr(columns, "moment", lambda *_: None)
    (why,) = read("default").unreadable.values()
    assert why.reason == "started_at: is null."


if connection.vendor == "sqlite":  # the others have types

    def by_sql(sql: str, *parameters: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)

    @pytest.mark.parametrize("column", ["targeting_key", "excluded"])
    def test_a_member_that_can_not_be_read_breaks_its_segment(flags: None, column: str) -> None:
        segment = Segment.objects.get(key="first_people")
        segment.members.create(targeting_key="43")
        by_sql(
            f"UPDATE flaggate_segmentmember SET {column} = x'ff' WHERE targeting_key = '42'"
            " AND segment_id = %s",
            segment.pk,
        )
        found = read("default")
        assert list(found.unreadable_segments) == ["first_people"]
        assert found.unreadable_segments["first_people"].startswith(f"{column}: b'\\xff' is n")

    @pytest.mark.parametrize(
        ("fields", "killed"),
        [
            ({}, False),
            ({"enabled": False}, True),
            ({"archived_at": datetime(2020, 1, 1, tzinfo=UTC)}, True),
        ],
    )
    def test_of_a_flag_that_can_not_be_read_it_is_known_whether_it_is_killed(
        flags: None, fields: dict[str, object], killed: bool
    ) -> None:
        Flag.objects.filter(key="first").update(**fields, overridable=False)
        by_sql("UPDATE flaggate_flag SET percentage = 'many' WHERE key = 'first'")
        found = read("default")
        assert "first" not in found.flags
        assert found.unreadable["first"].killed is killed
        assert found.unreadable["first"].reason == "percentage: 'many' is no number."

    @pytest.mark.parametrize(("key", "multivariate"), [("first", True), ("first_required", False)])
    def test_of_a_flag_that_can_not_be_read_it_is_known_whether_it_has_variants(
        flags: None, key: str, multivariate: bool
    ) -> None:
        by_sql("UPDATE flaggate_flag SET percentage = 'many' WHERE key = %s", key)
        assert read("default").unreadable[key].multivariate is multivariate

    def test_what_is_named_and_gone_is_named_by_its_number(flags: None) -> None:
        with connection.constraint_checks_disabled():
            by_sql("UPDATE flaggate_rule_segments SET segment_id = 77")
            by_sql("UPDATE flaggate_prerequisite SET required_id = 78")
            found = read("default").flags["first"]
        assert found.rules[0].segments == ("#77",)
        assert found.prerequisites[0].flag == "#78"


# --- parts ---


def test_only_the_named_flags_are_read(flags: None) -> None:
    wanted = Flag.objects.get(key="first")
    assert list(read("default", flags=[wanted.pk]).flags) == ["first"]


@pytest.mark.parametrize("names", [["first"], ["third", "second"]])
def test_a_named_flag_is_read_as_it_is_read_with_all_others(flags: None, names: list[str]) -> None:
    wanted = [Flag.objects.get(key=name).pk for name in names]
    found = read("default").flags
    assert read("default", flags=wanted).flags == {name: found[name] for name in names}


def test_rows_are_chosen_where_flags_are_named_and_only_there(flags: None) -> None:
    wanted = [Flag.objects.get(key="first").pk]
    for only in (wanted, None):
        with CaptureQueriesContext(connection) as queries:
            read("default", flags=only)
        chosen = ["WHERE" in each["sql"] for each in queries if "_rule" in each["sql"]]
        assert chosen == [only is not None] * 2


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
