"""Bucketing: which unit is in which bucket, for ever."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from flaggate.core import bucketing
from flaggate.core.definitions import Rule, Segment, Variant
from flaggate.core.evaluation import EvaluationContext
from tests.core.snapshots import flag, snapshot
from tests.core.strategies import Level, Plan, hostile

PERCENTAGES = [Decimal(thousandths).scaleb(-3) for thousandths in range(100_001)]

# --- Golden values ---
#
# Frozen from the first release. To change one of them, or the formula behind them, is to move every
# user of every running rollout into another bucket: who had a feature loses it, who had none gets
# it, and every experiment that is running is spoilt. No release may do that.

GOLDEN = [
    ("checkout", "1", 2132104145, 49641),
    ("checkout", "42", 3286465473, 76518),
    ("checkout", "user@example.com", 3140893844, 73129),
    ("s", "é", 749098956, 17441),
    ("checkout.v", "1", 1073547342, 24995),
]

# Who is inside 12.5 % and who gets which variant, of the ids 0 to 299; see `goldens` below.
GOLDEN_FILE = Path(__file__).with_name("golden_answers.json")


@pytest.mark.parametrize(("salt", "unit", "hashed", "bucket"), GOLDEN)
def test_golden_values(salt, unit, hashed, bucket):
    found = bucketing.hashed(unit.encode(), bucketing.seed(salt))

    assert (found, bucketing.bucket(found)) == (hashed, bucket)


def test_variants_are_seeded_from_the_salt_and_a_suffix():
    assert bucketing.variant_seed("checkout") == bucketing.seed("checkout.v") == 1289597276


def goldens():
    """Answer a share, a split, and a split of a rule's share, for 300 subjects each."""
    share = flag("share", percentage=Decimal("12.5"))
    split = flag(
        "split",
        salt="é",
        variants=(Variant("a", "A", 50), Variant("b", "B", 0), Variant("c", "C", 37)),
    )
    ruled = flag(
        "ruled",
        salt="s",
        bucket_by="visitor",
        rules=(Rule(("even",), Decimal("33.333")),),
        variants=(Variant("x", 1, 1), Variant("y", 2, 2)),
    )
    even = Segment("even", included=frozenset(str(number).encode() for number in range(0, 300, 2)))
    definitions = snapshot(share, split, ruled, even)
    subjects = [EvaluationContext(n, {"visitor": f"visitor-{n}@example.com"}) for n in range(300)]
    return {
        key: [_shown(definitions.evaluate(key, subject)) for subject in subjects]
        for key in definitions.flags
    }


def _shown(answer):
    return answer.variant or answer.active


def test_golden_answers():
    assert goldens() == json.loads(GOLDEN_FILE.read_text())


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_another_process_gives_the_same_answers_whatever_its_hash_seed(hash_seed):
    program = (
        "import json; from tests.core import test_bucketing as t; print(json.dumps(t.goldens()))"
    )

    answered = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )

    assert json.loads(answered.stdout) == json.loads(GOLDEN_FILE.read_text())


# --- From a percentage to the first hash outside ---


def test_the_threshold_is_the_first_hash_whose_bucket_is_outside():
    """For each of the 100,001 percentages: inside below it, outside from it on."""
    for thousandths, percentage in enumerate(PERCENTAGES):
        threshold = bucketing.threshold(percentage)

        assert threshold == 0 or bucketing.bucket(threshold - 1) < thousandths
        assert threshold == bucketing.HASHES or bucketing.bucket(threshold) >= thousandths


def test_nobody_is_inside_0_percent_and_everybody_inside_100():
    assert bucketing.threshold(Decimal(0)) == 0
    assert bucketing.threshold(Decimal(100)) == 2**32


@pytest.mark.parametrize("thousandths", [0, 1, 12_500, 49_641, 99_999])
def test_the_threshold_is_the_same_however_the_percentage_is_written(thousandths):
    percentage = PERCENTAGES[thousandths]

    assert bucketing.threshold(percentage) == bucketing.threshold(percentage.normalize())


def test_buckets_go_from_0_to_99999():
    assert bucketing.bucket(0) == 0
    assert bucketing.bucket(2**32 - 1) == 99_999


@pytest.mark.parametrize(
    "weights", [[1], [1, 1], [50, 30, 20], [0, 1, 0, 2], [1, 2**31 - 1], [2**31 - 1] * 3, [1] * 97]
)
def test_a_variant_ends_at_the_first_hash_that_belongs_to_a_later_one(weights):
    total, cumulative = sum(weights), 0
    for weight, threshold in zip(weights, bucketing.variant_thresholds(weights), strict=True):
        cumulative += weight

        assert threshold == 0 or ((threshold - 1) * total) >> 32 < cumulative
        assert threshold == 2**32 or (threshold * total) >> 32 >= cumulative


def test_the_last_variant_ends_after_the_last_hash():
    assert bucketing.variant_thresholds([3, 4, 7])[-1] == 2**32


# --- Nesting ---


def test_from_0_to_100_percent_whoever_is_in_stays_in():
    subjects = [EvaluationContext(str(number)) for number in range(2000)]
    audiences = []
    for percentage in range(101):
        definitions = snapshot(flag(percentage=Decimal(percentage)))
        audiences.append({each for each in subjects if definitions.evaluate("flag", each)})

    assert all(lower < higher for lower, higher in pairwise(audiences))
    assert audiences[0] == set()
    assert audiences[100] == set(subjects)


def test_lowering_a_percentage_removes_only_the_last_to_come():
    def inside(percentage):
        definitions = snapshot(flag(percentage=percentage))
        return {key for key in range(2000) if definitions.evaluate("flag", EvaluationContext(key))}

    def bucket(key):
        return bucketing.bucket(bucketing.hashed(b"%d" % key, bucketing.seed("checkout")))

    kept, removed = inside(Decimal(25)), inside(Decimal(60)) - inside(Decimal(25))

    assert len(kept) > 400
    assert max(map(bucket, kept)) < 25_000 <= min(map(bucket, removed))
    assert max(map(bucket, removed)) < 60_000


# --- Units ---


UNITS = [
    ("1", b"1"),
    ("User@Example.com", b"User@Example.com"),
    ("é", b"\xc3\xa9"),
    ("\U0001f600", b"\xf0\x9f\x98\x80"),
    (" ", b" "),
    ("\0", b"\0"),
    ("a\0b", b"a\0b"),
    (1, b"1"),
    (0, b"0"),
    (-7, b"-7"),
    (10**4000, b"1" + b"0" * 4000),
    (Plan.A, b"a"),
    (Level.ONE, b"1"),
]


@pytest.mark.parametrize(("value", "unit"), UNITS, ids=range(len(UNITS)))
def test_a_unit_is_the_utf8_of_a_text_or_of_an_integer_in_decimal(value, unit):
    assert bucketing.unit(value) == unit
    assert bucketing.identity(value) == unit.decode()


@pytest.mark.parametrize(
    ("base", "of", "unit"), [(str, ["a"], b"a"), (int, [7], b"7"), (object, [], None)]
)
def test_a_unit_is_what_an_object_is_by_type_whatever_its_methods_do(base, of, unit):
    assert bucketing.unit(hostile(base, *of)) == unit


class Pretender:
    """Claims to be a text, as a lazy object does before it is asked."""

    __class__ = str


NO_UNITS = [
    None,
    "",
    "\ud800",
    "a\udfffb",
    b"1",
    True,
    False,
    1.0,
    float("nan"),
    Decimal(1),
    10**5000,
    [],
    ["1"],
    ("1",),
    {"1": 1},
    {"1"},
    object(),
    str,
    Pretender(),
]


@pytest.mark.parametrize("value", NO_UNITS, ids=range(len(NO_UNITS)))
def test_anything_else_is_no_unit(value):
    assert bucketing.unit(value) is None
    assert bucketing.identity(value) is None


@pytest.mark.parametrize("value", NO_UNITS, ids=range(len(NO_UNITS)))
def test_who_has_no_unit_is_told_so_where_a_hash_is_needed(value):
    definitions = snapshot(
        flag(percentage=Decimal("99.999")),
        flag("by_org", percentage=Decimal("99.999"), bucket_by="org"),
    )

    by_key = definitions.evaluate("flag", EvaluationContext(value))
    by_org = definitions.evaluate("by_org", EvaluationContext("1", {"org": value}))

    assert (by_key.active, by_key.reason, by_key.error) == (False, "ERROR", "TARGETING_KEY_MISSING")
    assert (by_org.active, by_org.reason, by_org.error) == (False, "ERROR", "TARGETING_KEY_MISSING")


def test_a_salt_may_be_any_text():
    assert bucketing.seed("\ud800") == bucketing.seed("\ud800") != bucketing.seed("\ud801")


@pytest.mark.parametrize(
    ("text", "encoded"), [("", b""), ("é", b"\xc3\xa9"), ("\ud800", None), ("a\udc80", None)]
)
def test_what_has_no_utf8_does_not_encode(text, encoded):
    assert bucketing.encode(text) == encoded
