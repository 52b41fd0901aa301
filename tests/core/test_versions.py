"""Versions: which texts are one, and in which order they stand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaggate.core.versions import precedence

# SemVer 2.0, section 11, and what it leaves to say about numbers.
ASCENDING = [
    "0.0.0",
    "0.0.1",
    "0.1.0",
    "1.0.0--",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1-0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0",
    "10.0.0",
]
IDENTIFIERS = st.one_of(
    st.integers(0, 10**30).map(str),
    st.text("-1AZaz", min_size=1, max_size=3).filter(lambda text: not text.isdigit()),
)
NUMBERS = st.integers(0, 10**30)
PRERELEASES = st.lists(IDENTIFIERS, max_size=3)


def written(numbers, prerelease):
    release = ".".join(map(str, numbers))
    return f"{release}-{'.'.join(prerelease)}" if prerelease else release


VERSIONS = st.builds(written, st.tuples(NUMBERS, NUMBERS, NUMBERS), PRERELEASES)


def by_the_specification(left, right):
    """Compare two lists of identifiers in the words of section 11.4: -1, 0 or 1."""
    for one, other in zip(left, right, strict=False):
        if one == other:
            continue
        if one.isdigit() and other.isdigit():
            return -1 if int(one) < int(other) else 1
        if one.isdigit() != other.isdigit():
            return -1 if one.isdigit() else 1
        return -1 if one < other else 1
    return (len(left) > len(right)) - (len(left) < len(right))


@pytest.mark.parametrize(("lower", "higher"), list(pairwise(ASCENDING)))
def test_each_version_precedes_the_next(lower, higher):
    assert precedence(lower) < precedence(higher)


@given(PRERELEASES.filter(bool), PRERELEASES.filter(bool))
def test_prereleases_stand_in_the_order_of_the_specification(left, right):
    one, other = precedence(written([1, 0, 0], left)), precedence(written([1, 0, 0], right))
    assert (one > other) - (one < other) == by_the_specification(left, right)


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS), st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_releases_stand_in_the_order_of_their_numbers(left, right):
    assert (precedence(written(left, [])) < precedence(written(right, []))) is (left < right)


@given(VERSIONS)
def test_a_version_equals_itself_with_build_metadata(version):
    assert precedence(f"{version}+build.007.-") == precedence(version)


@given(VERSIONS, VERSIONS)
def test_exactly_one_of_less_equal_and_greater_holds(left, right):
    one, other = precedence(left), precedence(right)
    assert [one < other, one == other, one > other].count(True) == 1


def test_numbers_may_have_more_digits_than_int_reads():
    nines = "9" * 5000
    assert precedence(f"1.{nines}.0") < precedence(f"1.1{nines}.0")


def test_numeric_identifiers_may_have_more_digits_than_int_reads():
    nines = "9" * 5000
    assert precedence(f"1.0.0-{nines}") < precedence(f"1.0.0-1{nines}")


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("1", "1.0.0"),
        ("1.2", "1.2.0"),
        ("0", "0.0.0"),
        ("2-rc.1", "2.0.0-rc.1"),
        ("2.1-rc.1", "2.1.0-rc.1"),
        ("2+build", "2.0.0"),
    ],
)
def test_one_or_two_numbers_stand_for_three(short, full):
    assert precedence(short) == precedence(full)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1.0.0",
        "V1.0.0",
        "=1.0.0",
        "01.0.0",
        "1.00.0",
        "1.0.0.0",
        "1.",
        "1..0",
        ".1",
        "-1.0.0",
        "+1",
        "1.0.0-",
        "1.0.0+",
        "1.0.0-01",
        "1.0.0-a..b",
        "1.0.0-a_b",
        "1.0.0-é",
        "1.0.0+a+b",
        "1.x",
        "*",
        " 1.0.0",
        "1.0.0\n",
        "\u0661.0.0",
        "1.0.0-\u0661",
        "\ud800",
    ],
)
def test_any_other_text_is_no_version(text):
    assert precedence(text) is None


@given(st.text())
def test_no_text_raises(text):
    precedence(text)
