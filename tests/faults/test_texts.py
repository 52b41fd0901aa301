"""Keys and units of any text and any length, through the database and through a request."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import DatabaseError

import flaggate
from flaggate import changes
from flaggate.exceptions import FlaggateError
from flaggate.models import Flag, Segment
from flaggate.store import store
from tests.fixtures import released, targeted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

TEXTS = {
    "empty": "",
    "a space": " ",
    "NUL": "a\0b",
    "a lone surrogate": "a\ud800",
    "a pair of them": "\ud83d\ude00",
    "an emoji": "😀",
    "accents, composed": "é",
    "accents, apart": "e\u0301",
    "right to left": "\u202eabc",
    "not a character": "\uffff",
    "beyond the first plane": "\U0010ffff",
    "a line": "a\r\nb",
    "markup": "<script>alert(1)</script>",
    "a format": "%s %(x)s {x} {{ x }}",
    "SQL": "'; DROP TABLE flaggate_flag; --",
    "a path": "../../etc/passwd",
    "very long": "x" * 10**6,
}


def test_any_text_may_be_asked_for_and_be_a_unit() -> None:
    released("x", percentage=50)
    for name, text in TEXTS.items():
        assert flaggate.is_active(text) is False, name
        assert flaggate.evaluate("x", text).error in (None, "TARGETING_KEY_MISSING"), name
        flaggate.flags_for(text).explain("x")
        flaggate.flags_for(42).explain(text)


def test_a_text_that_is_no_key_is_refused_before_anything_is_written() -> None:
    for text in TEXTS.values():
        with pytest.raises((FlaggateError, ValueError)):
            changes.create(text)
    assert not Flag.objects.exists()


def test_a_member_of_any_text_is_in_its_segment_or_refused() -> None:
    targeted("x")
    audience = Segment.objects.get(key="x.audience")
    taken = []
    for text in TEXTS.values():
        with suppress(DatabaseError, ValueError), changes.change():
            changes.add_members(audience, [text])
            taken.append(text)
    taken = [text for text in taken if audience.members.filter(targeting_key=text).exists()]
    assert len(taken) > len(TEXTS) / 2
    assert [text for text in taken if not flaggate.is_active("x", text)] == [""]
    assert store.failures == 0


def test_the_longest_keys_go_through_the_database_and_back() -> None:
    key, unit = "k" * 100, "u" * 200
    released(key, percentage=0)
    changes.enable(key, for_keys=[unit])
    assert flaggate.is_active(key, unit)
    assert not flaggate.is_active(key, unit[:-1])
    assert not flaggate.is_active(key + "k", unit)


def test_a_segment_of_a_thousand_odd_members_is_read_whole() -> None:
    odd = [chr(0x4E00 + number) * (number % 7 + 1) for number in range(1000)]
    released("x", percentage=0)
    changes.enable("x", for_keys=odd)
    assert all(flaggate.is_active("x", each) for each in odd)
