"""The signals: after the commit, once for each change, whatever a receiver does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from flaggate import changes, signals
from flaggate.models import Flag, Segment
from tests.fixtures import segment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def heard() -> Iterator[list[tuple[Any, str, str]]]:
    """What was sent: the model, the key, and the comment of the revision."""

    def hear(sender: Any, revision: Any, **_: Any) -> None:
        sent.append((sender, revision.key, revision.comment))

    sent: list[tuple[Any, str, str]] = []
    for signal in (signals.flag_changed, signals.segment_changed):
        signal.connect(hear, weak=False)
    yield sent
    for signal in (signals.flag_changed, signals.segment_changed):
        signal.disconnect(hear)


def test_a_change_of_a_flag_is_told_with_its_revision(heard):
    changes.create("new_checkout", comment="first")
    assert heard == [(Flag, "new_checkout", "first")]


def test_a_change_of_a_segment_is_told_apart(heard):
    segment("beta")
    assert heard == [(Segment, "beta", "")]


def test_nothing_is_told_before_the_commit(heard):
    with transaction.atomic():
        changes.create("new_checkout")
        assert not heard
    assert len(heard) == 1


def test_nothing_is_told_of_what_was_rolled_back(heard):
    with pytest.raises(LookupError), transaction.atomic():
        changes.create("new_checkout")
        raise LookupError
    assert not heard


def test_nothing_is_told_of_what_changed_nothing(heard):
    changes.create("new_checkout")
    changes.disable("new_checkout")
    assert len(heard) == 1


def test_a_receiver_that_raises_stops_neither_the_change_nor_the_others(heard):
    def broken(**_: Any) -> None:
        raise RuntimeError

    signals.flag_changed.connect(broken)
    changes.create("new_checkout")
    signals.flag_changed.disconnect(broken)
    assert Flag.objects.exists()
    assert len(heard) == 1
