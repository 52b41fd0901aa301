import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db.models import UUIDField

from flaggate import context
from flaggate.admin import estimating
from flaggate.admin.estimating import Estimate, Untold, estimate
from flaggate.core.definitions import Condition, Flag, Prerequisite, Rule, Segment, Variant
from flaggate.core.snapshot import Snapshot
from flaggate.core.stages import Stage

TOMORROW = datetime.now(UTC) + timedelta(days=1)
NOBODY = Flag("x", enabled=True, percentage=Decimal(0), salt="s")


@pytest.fixture(autouse=True)
def _time_for_all(monkeypatch):
    monkeypatch.setattr(estimating, "LONGEST", float("inf"))


def users(number):
    User.objects.bulk_create(User(username=f"u{n}") for n in range(number))


def of(after, *segments, before=NOBODY):
    named = {segment.key: segment for segment in segments}
    return estimate(*(Snapshot({"x": each}, named) for each in (before, after)), "x")


def test_all_of_few_users_are_asked():
    users(50)
    half = Flag("x", enabled=True, percentage=Decimal(50), salt="s")
    found = of(half)
    assert (found.before, found.users) == (0, 50)
    assert found == of(half)
    assert 0 < found.after < 50


def test_it_names_those_for_whom_something_changes():
    users(50)
    half = Flag("x", enabled=True, percentage=Decimal(50), salt="s")
    found = of(half)
    assert len(found.changed) == found.gained == found.after
    assert all((old.active, new.active) == (False, True) for _user, old, new in found.changed)
    assert (of(NOBODY, before=half).gained, of(NOBODY, before=half).lost) == (0, found.after)
    assert of(half, before=half).changed == []


def test_another_variant_or_value_is_a_change_even_where_python_calls_them_equal():
    users(3)

    def serving(key, value):
        return Flag("x", enabled=True, salt="s", variants=(Variant(key, value, 1),))

    one = serving("a", 1)
    assert [len(of(other, before=one).changed) for other in (serving("b", 1), one)] == [3, 0]
    assert len(of(serving("a", True), before=one).changed) == 3


def test_of_many_users_a_sample_from_all_of_the_table_is_asked(monkeypatch):
    monkeypatch.setattr(estimating, "MOST_ASKED", 100)
    users(1000)
    everyone = Flag("x", enabled=True, salt="s")
    assert of(everyone) == Estimate(0, 100, 1000, 100, off_before=True)
    pks = [int(user.pk) for user, *_ in of(everyone).changed]
    assert len(set(pks)) == 100
    assert max(pks) - min(pks) > 800


def test_so_it_is_of_users_whose_primary_keys_are_no_numbers(monkeypatch):
    monkeypatch.setattr(estimating, "MOST_ASKED", 10)
    monkeypatch.setattr(estimating, "IntegerField", UUIDField)
    users(30)
    assert of(Flag("x", enabled=True)).asked == 10


def test_gaps_between_few_users_leave_nobody_out(monkeypatch):
    monkeypatch.setattr(estimating, "MOST_ASKED", 3)
    User.objects.bulk_create(User(pk=10**n, username=f"u{n}") for n in range(3))
    assert of(Flag("x", enabled=True)).asked == 3


def test_wide_gaps_between_many_users_find_some_all_the_same(monkeypatch):
    monkeypatch.setattr(estimating, "MOST_ASKED", 10)
    User.objects.bulk_create(User(pk=n * 10**12, username=f"u{n}") for n in range(1, 31))
    assert of(Flag("x", enabled=True)).asked == 10


@pytest.mark.parametrize("chunk", [1, 50])
def test_those_for_whom_there_is_time_are_not_the_oldest(monkeypatch, chunk):
    monkeypatch.setattr(estimating, "CHUNK", chunk)
    monkeypatch.setattr(estimating, "LONGEST", -1)
    users(50)
    asked = {of(Flag("x", enabled=True)).changed[0][0].pk for _ in range(20)}
    assert len(asked) > 1


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Estimate(0, 30, 100, 100), "30 of 100 users (now 0)"),
        (Estimate(0, 1030, 4019, 4019), "1,030 of 4,019 users (now 0)"),
        (
            Estimate(26, 70, 4019, 1000),
            "about 280 of 4,019 users (now about 100; 1,000 were asked)",
        ),
        (Estimate(4, 12, 4019, 172), "about 300 of 4,019 users (now about 100; 172 were asked)"),
        (
            Estimate(0, 51, 25_000, 1000),
            "about 1,300 of 25,000 users (now hardly any; 1,000 were asked)",
        ),
        (
            Estimate(999, 1, 25_000, 1000),
            "about 20 of 25,000 users (now about 24,980; 1,000 were asked)",
        ),
        (Estimate(2, 0, 100, 2), "hardly any of 100 users (now about 100; 2 were asked)"),
        (
            Estimate(1000, 0, 25_000, 1000, off_after=True),
            "none of 25,000 users (now about 25,000; 1,000 were asked)",
        ),
        (
            Estimate(0, 1000, 25_000, 1000, off_before=True),
            "about 25,000 of 25,000 users (now none; 1,000 were asked)",
        ),
    ],
)
def test_it_says_no_more_than_a_sample_knows(found, words):
    assert str(found) == words


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (0, 1),
        (1.9, 1),
        (2, 2),
        (4.9, 2),
        (5, 5),
        (9.9, 5),
        (10, 10),
        (28, 20),
        (77, 50),
        (100, 100),
    ],
)
def test_a_number_is_rounded_to_what_is_sure(error, step):
    assert estimating._step(error) == step


def test_two_thirds_of_all_samples_lie_within_the_standard_error():
    drawn = random.Random(1)
    everybody = [True] * 300 + [False] * 700
    counts = [sum(drawn.sample(everybody, 400)) for _ in range(2000)]
    within = [abs(n * 2.5 - 300) <= Estimate(0, 0, 1000, 400)._error(n) for n in counts]
    assert 0.65 < sum(within) / 2000 < 0.72


@pytest.mark.parametrize(
    "off",
    [
        {"enabled": False},
        {"enabled": True, "archived": True},
        {"enabled": True, "active_until": datetime.now(UTC) - timedelta(days=1)},
        {"enabled": True, "percentage": Decimal(0)},
        {"enabled": True, "active_from": TOMORROW},
    ],
)
def test_a_flag_that_is_off_is_known_to_be_for_nobody(off):
    users(1)
    found = of(Flag("x", salt="s", **off), before=Flag("x", enabled=True, salt="s"))
    assert (found.off_before, found.off_after) == (False, True)


def test_so_is_one_that_requires_a_flag_that_is_off():
    users(1)
    on, off = requiring(Flag("b", enabled=False))
    found = estimate(off, on, "a")
    assert (found.off_before, found.off_after) == (True, True)


# --- of a flag that has not begun -------------------------------------------------------------


def scheduled(percentage, **fields):
    timed = {"enabled": True, "active_from": TOMORROW, **fields}
    return Flag("x", percentage=Decimal(percentage), salt="s", **timed)


def test_of_a_flag_that_has_not_begun_it_says_how_many_get_it_then():
    users(50)
    found = of(scheduled(100), before=scheduled(50))
    assert str(found) == f"from then on 50 of 50 users (instead of {found.before})"
    assert 0 < found.before < 50
    assert (found.off_before, found.off_after) == (False, False)


def test_a_sample_is_said_to_be_one_then_as_well():
    found = Estimate(0, 26, 4019, 1000, off_before=True, later=True)
    said = "from then on about 100 of 4,019 users (instead of none; 1,000 were asked)"
    assert str(found) == said


def test_what_it_requires_and_its_stages_are_those_of_that_moment():
    users(50)
    stages = (Stage(TOMORROW - timedelta(hours=1), Decimal(100)),)
    before = Snapshot({"a": Flag("a")})
    after = Snapshot(
        {
            "a": scheduled(0, stages=stages, prerequisites=(Prerequisite("b"),)),
            "b": scheduled(100, active_from=TOMORROW - timedelta(hours=2)),
        }
    )
    assert str(estimate(before, after, "a")) == "from then on 50 of 50 users (instead of 0)"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (Flag("x", enabled=True), scheduled(100), "0 of 9 users (now 9)"),
        (scheduled(100), scheduled(100, enabled=False), "0 of 9 users (now 0)"),
        (scheduled(100), scheduled(0), "0 of 9 users (now 0)"),
        (scheduled(100), scheduled(100, active_until=TOMORROW), "0 of 9 users (now 0)"),
        (scheduled(100), Flag("x", enabled=True), "9 of 9 users (now 0)"),
        (NOBODY, scheduled(100, active_from=TOMORROW - timedelta(days=2)), "9 of 9 users (now 0)"),
    ],
)
def test_what_is_on_before_or_never_is_asked_about_now(before, after, words):
    users(9)
    assert str(of(after, before=before)) == words


def test_it_stops_when_it_takes_too_long(monkeypatch):
    users(30)
    monkeypatch.setattr(estimating, "LONGEST", -1)
    assert of(Flag("x", enabled=True)) == Estimate(0, 1, 30, 1, off_before=True)  # the first


# --- what can't be told -----------------------------------------------------------------------


def test_without_users_there_is_nothing_to_tell():
    with pytest.raises(Untold, match="no users were found"):
        of(Flag("x", enabled=True))


@pytest.mark.parametrize("attribute", ["language", "ip", "visitor"])
def test_what_only_a_request_knows_is_not_guessed(attribute):
    users(3)
    segment = Segment("s", conditions=(Condition(attribute, "exists"),))
    said = rf"x depends on what a user alone does not tell \({attribute}\)\."
    with pytest.raises(Untold, match=said):
        of(Flag("x", enabled=True, rules=(Rule(("s",)),)), segment)


@pytest.mark.parametrize("by", ["visitor", "organisation"])
def test_a_share_of_what_not_every_user_has_is_not_guessed(by):
    users(3)
    with pytest.raises(Untold, match=f"x is shared out by {by}, which not every user has"):
        of(Flag("x", enabled=True, percentage=Decimal(5), salt="s", bucket_by=by))


def requiring(*required, enabled=True):
    """What "a" would be, on if "b" is, beside what it is; and the flags that are required."""
    flags = {each.key: each for each in required}
    a = Flag("a", enabled=enabled, salt="s", prerequisites=(Prerequisite("b"),))
    return [Snapshot({**flags, "a": each}) for each in (a, replace(a, enabled=False))]


SHARED = {"enabled": True, "percentage": Decimal(50), "salt": "s"}


@pytest.mark.parametrize("by", ["visitor", "organisation"])
@pytest.mark.parametrize("turned", ["on", "off"])
def test_neither_is_a_share_of_a_required_flag(by, turned):
    users(3)
    on, off = requiring(
        Flag("b", enabled=True, salt="s", prerequisites=(Prerequisite("c"),)),
        Flag("c", **SHARED, bucket_by=by),
    )
    with pytest.raises(Untold, match=f"c is shared out by {by}, which not every user has"):
        estimate(*((off, on) if turned == "on" else (on, off)), "a")


def test_neither_is_what_a_required_flag_asks_of_a_request():
    users(3)
    french = {"s": Segment("s", conditions=(Condition("language", "one_of", ("fr",)),))}
    on, off = requiring(Flag("b", enabled=True, rules=(Rule(("s",)),)))
    on.segments = off.segments = french
    with pytest.raises(Untold, match=r"b depends on .* \(language\)"):
        estimate(off, on, "a")


def test_a_required_flag_that_is_shared_out_by_user_is_counted():
    users(50)
    on, off = requiring(Flag("b", **SHARED))
    found = estimate(off, on, "a")
    assert 0 < found.after < 50
    assert found.before == 0


def test_all_of_what_not_every_user_has_is_everyone():
    users(3)
    assert of(Flag("x", enabled=True, salt="s", bucket_by="visitor")).after == 3


def test_what_is_broken_is_not_asked():
    users(3)
    with pytest.raises(Untold, match="what is stored of it is broken"):
        estimate(Snapshot({}, {}), Snapshot({"x": NOBODY}, {}), "x")


def test_an_attribute_that_fails_keeps_nobody_from_a_change(monkeypatch):
    users(3)
    monkeypatch.setattr(context, "of_subject", lambda *_: 1 / 0)
    with pytest.raises(Untold, match="could not be read"):
        of(Flag("x", enabled=True, percentage=Decimal(5)))
