"""Readers: what is a text, a number, an instant, a network, an address, and what it is read as."""

import enum
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Context, Decimal, FloatOperation, localcontext
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaggate.core import readers

SECOND = 10**9  # nanoseconds
ZONES = [UTC, ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=-5, minutes=-30))]
FINITE = st.floats(allow_nan=False, allow_infinity=False)


class Plan(enum.StrEnum):
    PRO = "pro"


class Level(enum.IntEnum):
    HIGH = 3


class Whispering(str):
    def __str__(self):
        return "something else"

    def casefold(self):
        return "something else"


class Boasting(int):
    def __int__(self):
        return 1_000


class Claiming:
    """Claims another's class, as Django's lazy objects do."""

    __class__ = property(lambda self: str)


class Broken(tzinfo):
    def utcoffset(self, moment):
        raise RuntimeError

    dst = tzname = utcoffset


# --- Texts ---


@pytest.mark.parametrize("value", ["pro", Plan.PRO, "", "\ud800"])
def test_a_text_and_its_subclasses_are_texts(value):
    assert readers.text(value) == value


def test_a_subclass_of_text_is_read_as_the_plain_text_beneath():
    read = readers.text(Whispering("plain"))
    assert (type(read), read) == (str, "plain")


@pytest.mark.parametrize("value", [b"pro", 5, True, None, ["pro"]])
def test_anything_else_is_no_text(value):
    assert readers.text(value) is None


def test_a_claim_to_be_a_text_is_not_believed():
    assert readers.text(Claiming()) is None


@pytest.mark.parametrize(
    ("value", "folded"), [("PRO", "pro"), ("Straße", "strasse"), (Whispering("PRO"), "pro")]
)
def test_folding_takes_away_the_case(value, folded):
    assert readers.folded(value) == folded


def test_what_is_no_text_does_not_fold():
    assert readers.folded(5) is None


# --- Numbers ---


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        (-(10**400), -(10**400)),
        (Level.HIGH, 3),
        (2.5, Decimal("2.5")),
        (-0.0, 0),
        (1e23, 10**23),
        (Decimal("0.10"), Decimal("0.1")),
    ],
)
def test_integers_floats_and_decimals_are_numbers(value, number):
    assert readers.number(value) == number


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        "5",
        b"5",
        1j,
        [5],
        float("nan"),
        float("inf"),
        float("-inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
    ],
)
def test_booleans_texts_and_what_is_not_finite_are_no_numbers(value):
    assert readers.number(value) is None


def test_a_subclass_of_int_is_read_as_the_plain_number_beneath():
    read = readers.number(Boasting(5))
    assert (type(read), read) == (int, 5)


def test_a_float_is_the_number_it_is_written_as():
    assert readers.number(19.99) == Decimal("19.99")


def test_large_integers_keep_every_digit():
    assert readers.number(2**53 + 1) > readers.number(2.0**53)


@given(FINITE, FINITE)
def test_floats_keep_their_order(left, right):
    assert (readers.number(left) < readers.number(right)) is (left < right)


def test_the_program_s_decimal_context_does_not_matter():
    with localcontext(Context(prec=1, traps=[FloatOperation])):
        assert readers.number(1.25) > readers.number(Decimal("1.24"))


# --- Instants ---


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T00:00:00.0000000019Z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T18:30:00-05:30", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1969-12-31T23:59:59.25Z", -750_000_000),
        ("1970-01-02T00:00:00Z", 86_400 * SECOND),
        ("2000-02-29T00:00:00Z", 951_782_400 * SECOND),
    ],
)
def test_a_text_by_rfc_3339_is_an_instant(written, nanoseconds):
    assert readers.instant(written) == nanoseconds


def test_a_leap_second_is_the_first_second_of_the_next_minute():
    leap, following = "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"
    assert readers.instant(leap) == readers.instant(following)


def test_a_text_may_lie_outside_the_years_of_datetime():
    ahead_of_utc = readers.instant("0001-01-01T00:00:00+14:00")
    assert ahead_of_utc < readers.instant(datetime.min.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    "written",
    [
        "",
        "2024-01-01",
        "00:00:00Z",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00Z",
        "2024-01-01T00:00:00+0100",
        "2024-01-01T00:00:00+01",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+01:60",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:61Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00,5Z",
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "20240101T000000Z",
        "+2024-01-01T00:00:00Z",
        "2024-W01-1T00:00:00Z",
        " 2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z\n",
        "\u0662\u0660\u0662\u0664-01-01T00:00:00Z",
        "1704067200000",
        "\ud800",
    ],
)
def test_any_other_text_is_no_instant(written):
    assert readers.instant(written) is None


# From 1950 on: zones had offsets with seconds before, which RFC 3339 can't write.
@given(st.datetimes(min_value=datetime(1950, 1, 1), timezones=st.sampled_from(ZONES)))
def test_a_datetime_and_its_text_are_the_same_instant(moment):
    assert readers.instant(moment) == readers.instant(moment.isoformat())


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_datetime_and_its_milliseconds_are_the_same_instant(moment):
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert readers.instant(moment) == readers.instant(Decimal(microseconds) / 1000)


def test_the_two_readings_of_a_repeated_hour_are_an_hour_apart():
    first = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)
    assert readers.instant(second) - readers.instant(first) == 3600 * SECOND


@pytest.mark.parametrize(
    ("milliseconds", "nanoseconds"),
    [(0, 0), (1, 10**6), (-1, -(10**6)), (0.5, 500_000), (Decimal("0.0000001"), Decimal("0.1"))],
)
def test_a_number_counts_milliseconds(milliseconds, nanoseconds):
    assert readers.instant(milliseconds) == nanoseconds


@pytest.mark.parametrize("huge", [10**400, 1e308, Decimal("1E+999999999999999999")])
def test_a_number_may_lie_outside_the_years_of_datetime(huge):
    assert readers.instant(huge) > readers.instant(datetime.max.replace(tzinfo=UTC))


def test_milliseconds_are_exact_under_any_decimal_context():
    with localcontext(prec=1):
        assert readers.instant(Decimal("1704067200000.25")) == 1_704_067_200_000_250_000


@pytest.mark.parametrize(
    "value",
    [
        datetime(2024, 1, 1),
        datetime(2024, 1, 1, tzinfo=Broken()),
        date(2024, 1, 1),
        timedelta(1),
        True,
        None,
        float("nan"),
        [0],
    ],
)
def test_anything_else_is_no_instant(value):
    assert readers.instant(value) is None


# --- Versions ---


def test_a_version_is_a_text():
    assert readers.version(Whispering("1.2")) == readers.version("1.2.0")


@pytest.mark.parametrize("value", [1, 1.2, None, "one"])
def test_anything_else_is_no_version(value):
    assert readers.version(value) is None


# --- Networks and addresses ---


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("fe80::1%eth0/64", "fe80::/64"),
    ],
)
def test_a_text_with_or_without_host_bits_is_a_network(written, network):
    assert readers.network(written) == ip_network(network)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "10.0.0.0/33",
        "10.0.0/8",
        "010.0.0.0/8",
        "10.0.0.0/",
        "\uff110.0.0.0/8",
        "::/129",
        " ::/0",
        "\ud800",
        167772160,
        b"\x0a\x00\x00\x00",
        ("10.0.0.0", 8),
        None,
        True,
    ],
)
def test_anything_else_is_no_network(value):
    assert readers.network(value) is None


def test_an_address_stands_for_itself():
    assert readers.addresses("10.0.0.1") == (ip_address("10.0.0.1"),)


def test_an_address_that_maps_ipv4_stands_for_both():
    written = "::ffff:10.0.0.1"
    assert readers.addresses(written) == (ip_address(written), ip_address("10.0.0.1"))


@pytest.mark.parametrize(
    "value", ["", "10.0.0.1/8", "10.0.0.01", "localhost", "::1%", 1, b"\x7f\x00\x00\x01", None]
)
def test_anything_else_is_no_address(value):
    assert readers.addresses(value) == ()
