"""Members: a set, and packed where there are many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaggate.core import members
from flaggate.core.definitions import Rule, Segment
from flaggate.core.members import Gathering, PackedMembers, gathered
from tests.core.snapshots import NOBODY, answer, flag, user

units = st.sets(st.text(st.characters(codec="utf-8"), min_size=1).map(str.encode), min_size=2)


def packed(keys, monkeypatch):
    monkeypatch.setattr(members, "MOST_IN_A_SET", 1)
    found = gathered(keys)
    assert isinstance(found, PackedMembers)
    return found


@given(units, units)
def test_packed_members_are_those_that_were_gathered_and_no_others(keys, others):
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = packed(keys, monkeypatch)

    assert all(key in found for key in keys)
    assert not any(other in found for other in others - keys)
    assert set(found) == keys
    assert len(found) == len(keys)


def test_a_part_of_a_member_is_no_member(monkeypatch):
    found = packed([b"1234", b"5678"], monkeypatch)

    assert not any(part in found for part in (b"", b"1", b"123", b"234", b"12345"))


def test_members_may_share_a_bucket(monkeypatch):
    monkeypatch.setattr(members, "_bucket", 0)  # all in the first
    found = packed([b"1", b"2"], monkeypatch)

    assert [key in found for key in (b"1", b"2", b"12", b"3")] == [True, True, False, False]
    assert set(found) == {b"1", b"2"}


def test_nobody_is_no_member(monkeypatch):
    assert None not in packed([b"1", b"2"], monkeypatch)


def test_few_members_are_a_plain_set():
    assert gathered([b"1", b"2"]) == frozenset({b"1", b"2"})
    assert Gathering().members() == frozenset()


def test_packed_members_of_the_same_rows_are_equal(monkeypatch):
    keys = [b"%d" % number for number in range(100)]

    assert packed(keys, monkeypatch) == packed(keys, monkeypatch)
    assert hash(packed(keys, monkeypatch)) == hash(packed(keys, monkeypatch))
    assert packed(keys, monkeypatch) != packed([*keys[1:], b"new"], monkeypatch)
    assert packed(keys, monkeypatch) != frozenset(keys)


def test_a_flag_for_very_many_people(monkeypatch):
    audience = Segment("s", included=packed([b"1", b"2", b"3"], monkeypatch))
    definition = flag(percentage=0, rules=(Rule(("s",)),))

    assert answer(definition, audience, of=user("2")).active
    assert not answer(definition, audience, of=user("4")).active
    assert not answer(definition, audience, of=NOBODY).active
