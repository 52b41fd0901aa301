"""Chains, circles and deep values, as SQL or an older release may have left them."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

import flaggate
from flaggate import changes
from flaggate.models import Flag, Prerequisite, Variant
from flaggate.store import status, store
from tests.fixtures import released, targeted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def by_sql(sql: str, *parameters: Any) -> None:
    """Write past all checks, and tell the process to read everything."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        cursor.execute("UPDATE flaggate_state SET version = version + 1")
    store._due = 0


def link(links: list[tuple[str, str]]) -> None:
    """Make flags require others, past the check of circles and depth."""
    ids = dict(Flag.objects.values_list("key", "pk"))
    Prerequisite.objects.bulk_create(
        Prerequisite(flag_id=ids[key], required_id=ids[required]) for key, required in links
    )


def test_a_chain_of_2000_prerequisites_raises_nothing_and_spoils_no_other_flag() -> None:
    keys = [f"link_{number}" for number in range(2000)]
    Flag.objects.bulk_create(Flag(key=key, enabled=True) for key in keys)
    released("x")
    link(list(pairwise(keys)))
    flags = flaggate.flags_for(42)
    assert flags.is_active("x")
    assert flags.is_active(keys[-1])
    assert flags.is_active(keys[-50]), "50 are allowed"
    assert flags.evaluate(keys[0]).reason == "PREREQUISITE_FAILED"
    assert not flags.is_active(keys[0])
    assert len(flags.all()) == 2001
    assert not flags.explain(keys[0]).evaluation.active
    assert store.failures == 0


@pytest.mark.parametrize("length", [1, 2, 60])
def test_a_circle_of_prerequisites_turns_off_those_in_it_alone(length: int) -> None:
    keys = [f"link_{number}" for number in range(length)]
    Flag.objects.bulk_create(Flag(key=key, enabled=True) for key in keys)
    released("x")
    link(list(zip(keys, [*keys[1:], keys[0]], strict=True)))
    flags = flaggate.flags_for(42)
    assert {key: each.active for key, each in flags.all().items()} == {
        **dict.fromkeys(keys, False),
        "x": True,
    }
    assert {flags.evaluate(key).reason for key in keys} == {"PREREQUISITE_FAILED"}


def test_a_circle_of_segments_turns_off_the_flags_that_use_it_alone() -> None:
    targeted("circling", ("targeting_key", "one_of", ["42"]))
    released("x")
    by_sql(
        "UPDATE flaggate_condition SET operator = 'in_segment', attribute = '', "
        f"{connection.ops.quote_name('values')} = %s",
        '["circling.audience"]',
    )
    store.__init__()
    assert flaggate.is_active("x", 42)
    assert flaggate.evaluate("circling", 42).error == "PARSE_ERROR"
    assert list(status().quarantined) == ["circling"]


DEPTHS = [100, sys.getrecursionlimit(), 100_000]


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_value_of_any_depth_hurts_its_own_flag_at_most(depth: int) -> None:
    """MariaDB refuses what is deeper than 32 levels, and PostgreSQL what its stack can't hold."""
    released("deep", variants=[("only", 1, 1)])
    released("x")
    nested = "[" * depth + "]" * depth
    try:
        by_sql("UPDATE flaggate_variant SET value = %s", nested)
    except Exception:
        assert connection.vendor != "sqlite" or depth == DEPTHS[-1]
    store.__init__()
    flags = flaggate.flags_for(42)
    assert flags.is_active("x")
    flags.value("deep")
    flags.explain("deep")
    flags.all()
    assert store.failures == 0


def test_what_is_too_deep_to_be_read_is_refused_when_it_is_written() -> None:
    nested: Any = 1
    for _ in range(2000):
        nested = [nested]
    with pytest.raises((ValueError, RecursionError)):
        changes.create("deep", variants=[("only", nested, 1)])
    assert not Flag.objects.exists()
    assert not Variant.objects.exists()
