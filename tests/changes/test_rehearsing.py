"""A change of which nothing stays."""

from __future__ import annotations

import pytest

from flaggate import changes
from flaggate.exceptions import Conflict, Invalid
from flaggate.models import Flag, Revision, State
from flaggate.signals import flag_changed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def flag() -> Flag:
    return changes.create("x", percentage=0)


def test_what_it_would_do_can_be_looked_at_and_is_taken_back(flag: Flag) -> None:
    before = State.objects.get().token
    heard: list[object] = []
    flag_changed.connect(lambda **_: heard.append(1), weak=False, dispatch_uid="test")
    with changes.rehearse() as opened:
        changes.rollout("x", 5)
        assert Flag.objects.get().percentage == 5
        assert len(opened.check()) == 1
    flag_changed.disconnect(dispatch_uid="test")
    assert Flag.objects.get().percentage == 0
    assert (State.objects.get().token, Revision.objects.count(), heard) == (before, 1, [])


def test_what_would_be_refused_is_refused(flag: Flag) -> None:
    with pytest.raises(Invalid), changes.rehearse() as opened:
        Flag.objects.filter(key="x").update(off_variant="nope")
        opened.check()
    with pytest.raises(Conflict), changes.rehearse(expected_versions={("flag", "x"): 7}):
        pass
    assert Flag.objects.get().off_variant == ""


def test_it_has_a_transaction_of_its_own(flag: Flag) -> None:
    inside = pytest.raises(RuntimeError, match="inside a change")
    with inside, changes.change(), changes.rehearse():
        pass
