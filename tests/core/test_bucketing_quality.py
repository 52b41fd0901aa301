"""Bucketing is as good as chance: uniform, and every salt independent of every other.

Ids and salts are the same in every run, so that no test fails by bad luck. What is asked is whether
fair buckets could have given these numbers: each bound is so wide that of a thousand choices of ids
and salts fair buckets would fail a test for one.
"""

import random
from array import array
from collections import Counter
from decimal import Decimal
from functools import cache
from itertools import combinations, islice, product, repeat
from math import erfc, exp, sqrt
from uuid import NAMESPACE_URL, uuid5

import pytest

from flaggate.core import bucketing
from flaggate.core.definitions import Variant
from flaggate.core.evaluation import EvaluationContext
from tests.core.snapshots import flag, snapshot

N = 100_000
BINS = 100
CHANCE = 0.001  # that fair buckets fail one test

FIRST = ("ada", "alan", "barbara", "edsger", "frances", "grace", "john", "ken", "margaret", "tony")
LAST = ("allen", "backus", "dijkstra", "hamilton", "hoare", "hopper", "knuth", "liskov", "turing")
IDS = {
    "sequential": [b"%d" % number for number in range(1, N + 1)],
    "uuid": [str(uuid5(NAMESPACE_URL, str(number))).encode() for number in range(N)],
    "email": [
        f"{first}.{last}{number}@example.com".encode()
        for number, first, last in islice(product(range(N), FIRST, LAST), N)
    ],
}

_random = random.Random(2026)
SALTS = [f"{_random.getrandbits(64):016x}" for _ in range(10)] + [f"flag-{n}" for n in range(10)]
SEEDS = {
    "salted": [bucketing.seed(salt) for salt in SALTS],
    "for variants": [bucketing.variant_seed(salt) for salt in SALTS],
    "sequential": list(range(20)),  # no salt gives these; they are the hardest for a hash
}
ROLLOUTS = len(IDS) * len(SALTS)

every_kind = pytest.mark.parametrize("kind", IDS)


@pytest.fixture(scope="module", autouse=True)
def forget_the_hashes():
    yield
    hashes.cache_clear()


@cache
def hashes(kind, seed):
    return array("I", map(bucketing.hashed, IDS[kind], repeat(seed)))


@cache
def below(kind, seed, threshold):
    """Return whose hash is below a threshold, as an integer with one bit for each id."""
    digits = bytes(map(threshold.__gt__, hashes(kind, seed)))
    return int(digits.translate(b"01" + bytes(254)), 2)


def chi_square(observed, expected):
    """Return how far counts are from what was expected: with k counts, about k - 1 by chance."""
    return sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))


def chance_of_more(chi_square, degrees):
    """Return the chance of a larger chi-square, by the approximation of Wilson and Hilferty."""
    spread = 2 / (9 * degrees)
    return chance_above(((chi_square / degrees) ** (1 / 3) - (1 - spread)) / sqrt(spread))


def chance_above(z):
    """Return the chance of a larger value of the standard normal distribution."""
    return erfc(z / sqrt(2)) / 2


def chance_of_farther(z):
    """Return the chance of a value farther from 0 in the standard normal distribution."""
    return 2 * chance_above(abs(z))


def is_fair(chance, judged):
    """Tell whether a chance is not too small, as one of so many that are judged together."""
    return chance > CHANCE / judged


def correlation(one, other):
    """Return phi times the root of N of two sets of ids: standard normal if independent."""
    a, b, both = one.bit_count(), other.bit_count(), (one & other).bit_count()
    return (N * both - a * b) * sqrt(N / (a * (N - a) * b * (N - b)))


@every_kind
@pytest.mark.parametrize("seeds", SEEDS)
def test_buckets_are_uniform(kind, seeds):
    for seed in SEEDS[seeds]:
        counts = Counter((each * BINS) >> 32 for each in hashes(kind, seed))

        found = chi_square([counts[n] for n in range(BINS)], [N / BINS] * BINS)

        assert is_fair(chance_of_more(found, BINS - 1), ROLLOUTS)


@every_kind
@pytest.mark.parametrize("percentage", [Decimal(50), Decimal(5)])
@pytest.mark.parametrize("seeds", ["salted", "sequential"])
def test_who_is_in_one_rollout_says_nothing_about_who_is_in_another(kind, percentage, seeds):
    """Each pair of 20 flags, and their mean square, which is 1 by chance."""
    threshold = bucketing.threshold(percentage)
    audiences = [below(kind, seed, threshold) for seed in SEEDS[seeds]]

    pairs = [correlation(one, other) for one, other in combinations(audiences, 2)]

    assert is_fair(chance_of_farther(max(pairs, key=abs)), len(pairs) * len(IDS))
    assert is_fair(chance_of_more(sum(each**2 for each in pairs), len(pairs)), len(IDS))


@every_kind
def test_who_is_in_a_rollout_says_nothing_about_who_gets_which_variant(kind):
    """Each of 20 flags with the variants of each, its own among them."""
    half = bucketing.threshold(Decimal(50))
    rollouts = [below(kind, seed, half) for seed in SEEDS["salted"]]
    variants = [below(kind, seed, half) for seed in SEEDS["for variants"]]

    pairs = [correlation(one, other) for one, other in product(rollouts, variants)]

    assert is_fair(chance_of_farther(max(pairs, key=abs)), len(pairs) * len(IDS))
    assert is_fair(chance_of_more(sum(each**2 for each in pairs), len(pairs)), len(IDS))


@every_kind
def test_inside_a_rollout_of_20_percent_the_variants_are_split_by_their_weights(kind):
    twenty = bucketing.threshold(Decimal(20))
    first, second, _last = bucketing.variant_thresholds([50, 30, 20])
    for rollout, for_variants in zip(SEEDS["salted"], SEEDS["for variants"], strict=True):
        inside = below(kind, rollout, twenty)
        a, b = (inside & below(kind, for_variants, each) for each in (first, second))
        counts = [each.bit_count() for each in (a, b & ~a, inside & ~b)]

        found = chi_square(counts, [inside.bit_count() * share for share in (0.5, 0.3, 0.2)])

        assert is_fair(exp(-found / 2), ROLLOUTS)  # exact for two degrees of freedom


@every_kind
def test_a_flag_serves_its_variants_by_their_weights_inside_its_percentage(kind):
    """The same through a whole flag, so that it is this hash that decides."""
    variants = (Variant("a", 1, 50), Variant("b", 2, 30), Variant("c", 3, 20))
    definitions = snapshot(flag(percentage=Decimal(20), variants=variants))

    served = Counter(
        definitions.evaluate("flag", EvaluationContext(unit.decode())).variant for unit in IDS[kind]
    )

    counts = [served["a"], served["b"], served["c"]]
    split = chi_square(counts, [sum(counts) * share for share in (0.5, 0.3, 0.2)])
    assert is_fair(chance_of_farther((sum(counts) - N * 0.2) / sqrt(N * 0.2 * 0.8)), len(IDS))
    assert is_fair(exp(-split / 2), len(IDS))
