"""Large segments: loaded once, packed, reloaded only when they changed, or left where they are."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

import flaggate
from flaggate import changes
from flaggate.context.memberships import memberships
from flaggate.core import members
from flaggate.core.members import PackedMembers
from flaggate.models import Segment
from flaggate.store import read, store
from tests.fixtures import segment, targeted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture(autouse=True)
def _packs_three(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(members, "MOST_IN_A_SET", 2)
    settings.FLAGGATE = {"MAX_STALENESS": 0}


def loaded(key: str) -> Any:
    return store.current().segments[key]


def test_many_members_are_packed_and_few_are_not() -> None:
    segment("many", included=["1", "2", "é"])
    segment("few", included=["1"])
    assert isinstance(loaded("many").included, PackedMembers)
    assert set(loaded("many").included) == {b"1", b"2", "é".encode()}
    assert loaded("few").included == frozenset({b"1"})


def test_members_are_read_again_only_where_they_changed() -> None:
    for key in ("one", "other"):
        segment(key, included=["1", "2", "3"])
    before = loaded("one"), loaded("other")
    changes.members.add("other", ["4"])
    after = loaded("one"), loaded("other")
    assert after[0] is before[0]
    assert len(after[1].included) == 4


def test_members_are_read_a_few_thousand_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    segment("many", included=["1", "2", "3"])
    cursors: list[Any] = []
    chunked = connection.chunked_cursor

    def counted() -> Any:
        cursors.append(chunked())
        return cursors[-1]

    monkeypatch.setattr(connections["default"], "chunked_cursor", counted)
    assert len(read("default").segments["many"].included) == 3
    assert len(cursors) == 1


# --- on demand ---


@pytest.fixture
def on_demand() -> Segment:
    """A segment of its own for the flag "x", whose members stay in the database."""
    audience = segment("vip", included=["1", "2", "3"])
    changes.members.add("vip", ["2"], excluded=True)
    with changes.change():
        audience.on_demand = True
        audience.save()
        targeted("x").rules.get().segments.set([audience])
    return audience


def test_members_of_an_on_demand_segment_are_not_loaded(on_demand: Segment) -> None:
    segment("few", included=["7"])
    assert (loaded("vip").included, loaded("vip").excluded) == (frozenset(), frozenset())
    assert loaded("vip").on_demand
    assert loaded("few").included == frozenset({b"7"})


def test_they_are_found_where_they_are(on_demand: Segment) -> None:
    assert [flaggate.is_active("x", key) for key in ("1", "2", "3", "4", None)] == [
        True,
        False,  # excluded wins
        True,
        False,
        False,
    ]


def test_a_new_member_is_one_at_once(on_demand: Segment) -> None:
    assert not flaggate.is_active("x", 4)
    changes.members.add("vip", ["4"])
    assert flaggate.is_active("x", 4)


def test_one_look_up_serves_all_on_demand_segments_of_a_subject(on_demand: Segment) -> None:
    with changes.change():
        other = segment("other", included=["1"])
        other.on_demand = True
        other.save()
        targeted("y").rules.get().segments.set([other])
    flags = flaggate.flags_for("1")
    with CaptureQueriesContext(connection) as queries:
        answers = [flags.is_active(key) for key in ("x", "y", "x")]
    assert (answers, len(queries)) == ([True, True, True], 1)


BY_INDEX = {
    "sqlite": "(segment_id=? AND targeting_key=?)",
    "postgresql": "using flaggate_segment_member on flaggate_segmentmember",
    "mysql": "'flaggate_segment_member', 'flaggate_segment_member'",
}


def test_the_look_up_is_by_an_index(on_demand: Segment) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert memberships("1") == {"vip": True}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")  # for tables this small it would be right
        prefix = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        cursor.execute(f"{prefix} {queries[0]['sql']}")
        plan = " ".join(str(row) for row in cursor.fetchall())
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = on")
    assert BY_INDEX[connection.vendor] in plan
    assert "SCAN flaggate_segmentmember" not in plan
    assert "Seq Scan on flaggate_segmentmember" not in plan


def test_nobody_pays_who_asks_for_other_flags(on_demand: Segment) -> None:
    targeted("plain")
    flags = flaggate.flags_for("1")
    with CaptureQueriesContext(connection) as queries:
        flags.is_active("plain")
    assert len(queries) == 0


def test_a_context_of_the_project_is_looked_up_too(on_demand: Segment) -> None:
    assert flaggate.is_active("x", flaggate.EvaluationContext("1"))
    assert not flaggate.is_active("x", flaggate.EvaluationContext("4"))


def test_what_can_not_be_looked_up_is_off(on_demand: Segment, monkeypatch: Any) -> None:
    def gone(targeting_key: object) -> None:
        raise ConnectionError("the database is gone")

    monkeypatch.setattr("flaggate.context.subjects.memberships", gone)
    answer = flaggate.evaluate("x", "1")
    assert (answer.active, answer.reason, answer.error) == (False, "ERROR", "GENERAL")


def test_explain_says_who_is_included(on_demand: Segment) -> None:
    steps = [
        flaggate.flags_for(key).explain("x").rules[0].segments[0].member for key in ("1", "2", "4")
    ]
    assert steps == ["included", "excluded", ""]


def test_a_segment_without_its_setting_is_loaded_again(on_demand: Segment) -> None:
    with changes.change():
        on_demand.on_demand = False
        on_demand.save()
    assert set(loaded("vip").included) == {b"1", b"2", b"3"}


def test_members_that_are_not_asked_for_are_not_read(on_demand: Segment) -> None:
    segment("few", included=["7"])
    found = read(connection.alias, members=False)
    assert found.segments["few"].included == frozenset()
