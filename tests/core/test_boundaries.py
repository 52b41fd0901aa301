"""The moments at which answers change although nobody changes a flag."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from flaggate.core.boundaries import boundaries
from flaggate.core.definitions import Condition, Flag, Segment
from flaggate.core.readers import instant
from flaggate.core.snapshot import Snapshot
from flaggate.core.stages import Stage

NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def of(*flags, segments=()):
    found = boundaries({each.key: each for each in flags}, {each.key: each for each in segments})
    return [datetime.fromtimestamp(int(each) / 10**9, UTC) for each in found]


def asks(attribute, operator, *values):
    return Segment("late", conditions=(Condition(attribute, operator, values),))


def test_without_time_there_are_none():
    assert of(Flag("x"), segments=[asks("plan", "one_of", "gold")]) == []


def test_starts_ends_and_stages_come_in_order_and_once():
    stages = (Stage(NOON, Decimal(5)), Stage(NOON + 2 * HOUR, Decimal(50)))
    flags = [
        Flag("x", active_from=NOON + HOUR, active_until=NOON + 3 * HOUR),
        Flag("y", active_from=NOON + HOUR, stages=stages),
    ]
    assert of(*flags) == [NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]


def test_conditions_on_now_count_in_every_form_of_a_moment():
    written = [NOON.isoformat(), (NOON + HOUR).timestamp() * 1000, "nonsense"]
    assert of(segments=[asks("now", "after", *written)]) == [NOON, NOON + HOUR]


def test_conditions_on_other_moments_do_not():
    assert of(segments=[asks("date_joined", "after", NOON.isoformat())]) == []


def test_a_snapshot_finds_them_once():
    snapshot = Snapshot({"x": Flag("x", active_from=NOON)})
    assert snapshot.boundaries == [instant(NOON)]
    assert snapshot.boundaries is snapshot.boundaries
