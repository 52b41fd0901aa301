"""The verdict of a soak: it fails where something is not as promised."""

import pytest
from soaking.reader import Seen
from soaking.verdict import Outage, figures
from soaking.writer import Written

# Generations 1 and 2 are committed at 10 and 20 seconds, 3 is rolled back.
WRITTEN = Written([(1, 10.0), (2, 20.0)], [3], failed=0)
OUTAGE = [(21.0, 25.0)]


def seen(last_request: dict[int, float], **fields) -> Seen:
    """What a process saw that is otherwise without blame."""
    begin = {"requests": 1, "last_generations": [2], "last_request": last_request}
    return Seen(1.0, **{**begin, **fields})


def failed(one: Seen, outages: list[Outage] = ()) -> list[str]:
    found = figures([one], WRITTEN, outages, seconds=0.1 + sum(up - down for down, up in outages))
    return [figure.name for figure in found if not figure.holds]


def test_who_follows_in_time_is_without_blame():
    assert failed(seen({0: 11.5, 1: 21.5, 2: 30.0})) == []


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"exceptions": ["ValueError()"]}, "exceptions"),
        ({"errors": ["GENERAL"]}, "answers with an error"),
        ({"torn": 1}, "torn reads"),
        ({"steps_back": 1}, "steps back"),
        ({"last_request": {3: 20.5}}, "uncommitted generations seen"),
        ({"last_request": {1: 21.8}}, "staleness, MAX_STALENESS 1"),
        ({"last_generations": [2, 2, 1]}, "threads that end on an older version"),
        ({"threads": (1, 2)}, "threads left over"),
        ({"descriptors": (5, 6)}, "file descriptors left over"),
        ({"memory": (0, 6 * 1024**2)}, "growth in memory after the warm-up (RSS)"),
    ],
)
def test_each_broken_promise_is_named(fields, name):
    assert failed(seen(**{"last_request": {2: 30.0}, **fields})) == [name]


def test_what_an_outage_hides_is_owed_three_seconds_after_it():
    assert failed(seen({1: 27.9}), OUTAGE) == []
    assert failed(seen({1: 28.1}), OUTAGE) == ["staleness after the outage"]


def test_an_outage_does_not_excuse_what_was_old_before_it():
    late = Written([(1, 10.0), (2, 19.0)], [], failed=0)
    found = figures([seen({1: 22.0})], late, OUTAGE, seconds=4.1)
    assert [each.name for each in found if not each.holds] == ["staleness, MAX_STALENESS 1"]


def test_a_writer_that_is_too_slow_proves_nothing():
    found = figures([seen({2: 30.0})], WRITTEN, [], seconds=1)
    assert [each.name for each in found if not each.holds] == [
        "commits a second while the database is up"
    ]
