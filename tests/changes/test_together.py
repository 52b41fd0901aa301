"""The changes of a column alone, for many flags at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flaggate import changes
from flaggate.changes import together
from flaggate.exceptions import ChangeRefused, Conflict, Invalid, UnknownFlag
from flaggate.models import Flag, Revision, Segment, State

pytestmark = [pytest.mark.django_db, pytest.mark.database]

KEYS = ["a", "b"]


@pytest.fixture(autouse=True)
def flags() -> None:
    for key in KEYS:
        changes.create(key, percentage=0)


def column(name: str) -> list[Any]:
    return list(Flag.objects.order_by("key").values_list(name, flat=True))


def test_flags_are_turned_on_and_off_together() -> None:
    together.enable(KEYS)
    assert column("enabled") == [True, True]
    assert None not in column("first_enabled_at")
    together.disable(KEYS)
    assert column("enabled") == [False, False]


def test_a_share_is_set_for_all() -> None:
    together.rollout(KEYS, "12.5 %")
    assert [str(each) for each in column("percentage")] == ["12.500", "12.500"]


def test_flags_are_archived_and_restored_together_and_stay_archived_since_the_first_time() -> None:
    since = changes.archive("a").archived_at
    together.archive(KEYS)
    assert column("archived_at")[0] == since
    assert column("archived_at")[1] > since
    together.restore(KEYS)
    assert column("archived_at") == [None, None]


def test_it_is_one_change_with_a_revision_for_each() -> None:
    before = State.objects.get().version
    together.enable(KEYS, comment="Both.", expected_versions={("flag", "a"): 1, ("flag", "b"): 1})
    assert State.objects.get().version == before + 1
    assert column("version") == [2, 2]
    assert Revision.objects.filter(comment="Both.").count() == 2


def test_when_they_were_modified_is_noted() -> None:
    before = column("modified")
    together.enable(KEYS)
    assert all(now > then for now, then in zip(column("modified"), before, strict=True))


def test_what_was_changed_together_is_undone_together() -> None:
    changes.rollout("a", 5)
    with changes.change():
        together.enable(KEYS)
        Flag.objects.filter(key="b").update(
            tags=["x"], expires_on="2030-01-01", active_from="2030-01-01T10:00Z", owner="we"
        )
        segment = Segment.objects.create(key="beta")
        Flag.objects.get(key="b").rules.create().segments.add(segment)
        changes.rollout("b", 7)
    together.undo(KEYS, comment="No.")
    assert column("enabled") == [False, False]
    assert [int(each) for each in column("percentage")] == [5, 0]
    b = Flag.objects.get(key="b")
    assert (b.tags, b.expires_on, b.active_from, b.owner, b.rules.count()) == (
        [],
        None,
        None,
        "",
        0,
    )
    assert Revision.objects.filter(comment="No.").count() == 2
    together.undo(["b"])
    b.refresh_from_db()
    assert (b.tags, str(b.expires_on), b.owner, b.rules.count()) == (["x"], "2030-01-01", "we", 1)
    assert b.active_from.isoformat() == "2030-01-01T10:00:00+00:00"


def test_when_they_were_undone_is_noted() -> None:
    together.enable(KEYS)
    before = column("modified")
    together.undo(KEYS)
    assert all(now > then for now, then in zip(column("modified"), before, strict=True))


def test_where_one_has_nothing_to_undo_nothing_is_undone() -> None:
    changes.enable("a")
    with pytest.raises(ChangeRefused, match="flag b: there is no change that could be undone"):
        together.undo(KEYS)
    with pytest.raises(UnknownFlag, match="There is no flag 'c'"):
        together.undo(["a", "c"])
    assert column("enabled") == [True, False]


def archived() -> None:
    changes.archive("b")


@pytest.mark.parametrize(
    ("prepare", "act", "error", "words"),
    [
        (archived, lambda: together.enable(KEYS), ChangeRefused, "flag b: is archived. Restore"),
        (archived, lambda: together.rollout(KEYS, 5), ChangeRefused, "flag b: is archived."),
        (None, lambda: together.enable(["a", "c"]), UnknownFlag, "There is no flag 'c'"),
        (None, lambda: together.rollout(KEYS, 101), Invalid, "flag a"),
        (
            None,
            lambda: together.enable(KEYS, expected_versions={("flag", "b"): 7}),
            Conflict,
            "flag b: was changed",
        ),
    ],
)
def test_what_is_refused_for_one_is_refused_for_all(
    prepare: Callable[[], None] | None, act: Callable[[], None], error: Any, words: str
) -> None:
    if prepare:
        prepare()
    with pytest.raises(error, match=words):
        act()
    assert column("enabled") == [False, False]
    assert column("percentage") == [0, 0]


def test_the_queries_of_a_change_that_is_looked_at_do_not_grow_with_its_flags() -> None:
    def queries(keys: list[str]) -> int:
        with CaptureQueriesContext(connection) as found, changes.rehearse() as opened:
            opened.touched(Flag.objects.filter(key__in=keys).values_list("pk", flat=True), ())
            together.enable(keys)
            opened.check()
        return len(found)

    assert queries(KEYS) == queries(["a"])
