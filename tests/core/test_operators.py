"""Operators: which subject's values match, and which operands are refused."""

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import ip_network
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaggate.core.operators import OPERATORS, matcher, operand_problems

NOON = "2024-01-01T12:00:00Z"

# Operands that every operator with a predicate takes.
OPERANDS = {
    "one_of": ["a", 1, True],
    "contains": ["a"],
    "starts_with": ["a"],
    "ends_with": ["a"],
    "matches": ["a|."],
    "in_cidr": ["10.0.0.0/8", "::/0"],
    "gt": [1, 2.5],
    "gte": [1, 2.5],
    "lt": [1, 2.5],
    "lte": [1, 2.5],
    "after": [NOON, 0],
    "on_or_after": [NOON, 0],
    "before": [NOON, 0],
    "on_or_before": [NOON, 0],
    "semver_eq": ["1.2"],
    "semver_gt": ["1.2"],
    "semver_gte": ["1.2"],
    "semver_lt": ["1.2"],
    "semver_lte": ["1.2"],
}
OF_TEXTS = ["contains", "starts_with", "ends_with", "matches"]
OF_NUMBERS = ["gt", "gte", "lt", "lte"]
OF_INSTANTS = ["after", "on_or_after", "before", "on_or_before"]
OF_VERSIONS = ["semver_eq", "semver_gt", "semver_gte", "semver_lt", "semver_lte"]

operators = st.sampled_from(sorted(OPERANDS))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**400)
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.sampled_from([Decimal("NaN"), Decimal("sNaN")])
    | st.text()
    | st.text(st.characters(categories=["Cs"]))
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.ip_addresses().map(str)
    | st.sampled_from(["1.2", NOON, "9" * 5000, "1." + "9" * 5000, "fe80::1%eth0", "a" * 2000])
    | st.complex_numbers()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text(), inner)
        | st.frozensets(st.integers() | st.text())
    ),
    max_leaves=10,
)
numbers = (
    st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
)


def refuse(*args, **kwargs):
    raise RuntimeError("hands off")


HOOKS = """
    __eq__ __hash__ __lt__ __le__ __gt__ __ge__ __bool__ __len__ __iter__ __contains__
    __str__ __repr__ __format__ __sub__ __getattribute__
"""


def hostile(base, *args, **kwargs):
    """Make an object of which every method raises."""
    return type("Hostile", (base,), dict.fromkeys(HOOKS.split(), refuse))(*args, **kwargs)


def matches(operator, operands, value, **options):
    return matcher(operator, operands, **options)(value)


# --- one_of: equality by JSON type ---


@pytest.mark.parametrize(
    ("operand", "value"),
    [
        ("a", "a"),
        ("", ""),
        ("\ud800", "\ud800"),
        (1, 1),
        (1, 1.0),
        (1.0, 1),
        (1, Decimal("1.00")),
        (0, -0.0),
        (0.1, 0.1),
        (0.1, Decimal("0.1")),
        (Decimal("0.1"), 0.1),
        (10**400, 10**400),
        (True, True),
        (False, False),
    ],
)
def test_one_of_equals_the_same_value_of_the_same_json_type(operand, value):
    assert matches("one_of", [operand], value)


@pytest.mark.parametrize(
    ("operand", "value"),
    [
        ("a", "A"),
        ("a", b"a"),
        ("a", "ab"),
        (1, True),
        (0, False),
        (True, 1),
        (True, 1.0),
        (False, 0),
        ("1", 1),
        (1, "1"),
        ("true", True),
        (True, "true"),
        (1, 2),
        (2**53, 2**53 + 1),
        (1, 10**400),
        (1, float("nan")),
        (1, float("inf")),
        (1, Decimal("sNaN")),
        ("null", None),
        (1, None),
        ("{}", {}),
        ("2024-01-01", date(2024, 1, 1)),
    ],
)
def test_one_of_equals_nothing_else(operand, value):
    assert not matches("one_of", [operand], value)


def test_one_of_needs_a_single_value_to_match():
    assert matches("one_of", ["a", 1, True, "z"], "z")


@pytest.mark.parametrize(
    ("operand", "value"), [("PRO", "pro"), ("pro", "PRO"), ("STRASSE", "straße"), ("Σ", "ς")]
)
def test_one_of_folds_case_on_wish(operand, value):
    assert matches("one_of", [operand], value, ignore_case=True)


@pytest.mark.parametrize("value", [1, True])
def test_one_of_knows_numbers_and_booleans_also_without_case(value):
    assert matches("one_of", ["a", 1, True], value, ignore_case=True)


def test_one_of_without_case_still_tells_a_boolean_from_a_number():
    assert not matches("one_of", [1], True, ignore_case=True)


# --- Texts ---


@pytest.mark.parametrize(
    ("operator", "operand", "value"),
    [
        ("contains", "ell", "hello"),
        ("contains", "hello", "hello"),
        ("starts_with", "he", "hello"),
        ("ends_with", "lo", "hello"),
        ("ends_with", "\udc00", "hello\udc00"),
    ],
)
def test_texts_match_by_their_parts(operator, operand, value):
    assert matches(operator, [operand], value)


@pytest.mark.parametrize(
    ("operator", "operand", "value"),
    [
        ("contains", "x", "hello"),
        ("contains", "ELL", "hello"),
        ("starts_with", "el", "hello"),
        ("starts_with", "He", "hello"),
        ("ends_with", "ell", "hello"),
        ("ends_with", "LO", "hello"),
        ("contains", "a", ""),
    ],
)
def test_texts_do_not_match_by_what_is_not_there(operator, operand, value):
    assert not matches(operator, [operand], value)


@pytest.mark.parametrize("operator", ["contains", "starts_with", "ends_with"])
def test_one_part_out_of_several_is_enough(operator):
    assert matches(operator, ["nothing", "hello"], "hello")


@pytest.mark.parametrize(
    ("operator", "operand", "value"),
    [
        ("contains", "ELL", "hello"),
        ("starts_with", "STRASS", "Straße 1"),
        ("ends_with", "strasse", "HAUPTSTRAßE"),
        ("matches", "^HELLO$", "hello"),
        ("matches", "é", "É"),
    ],
)
def test_texts_match_without_case_on_wish(operator, operand, value):
    assert matches(operator, [operand], value, ignore_case=True)


@pytest.mark.parametrize("operator", OF_TEXTS)
@pytest.mark.parametrize("value", [5, True, b"a", {"a": 1}, date(2024, 1, 1)])
def test_what_is_no_text_matches_no_text(operator, value):
    assert not matches(operator, ["a", "5", "1", "2"], value)


# --- Patterns ---


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("l+", "hello"),
        ("^hello$", "hello"),
        (r"@example\.com$", "joe@example.com"),
        ("^.$", "é"),
        ("(he)(l)+o", "hello"),
        ("a\0b", "a\0b"),
        ("x$", "a" * 1023 + "x"),
        ("^a.b$", "a\ud800b"),
    ],
)
def test_a_pattern_is_found_anywhere_in_a_text(pattern, value):
    assert matches("matches", [pattern], value)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [("HELLO", "hello"), ("^ello", "hello"), ("x$", "a" * 1024 + "x"), ("^a$", "a\ud800")],
)
def test_a_pattern_is_not_found_where_it_does_not_match(pattern, value):
    assert not matches("matches", [pattern], value)


def test_one_pattern_out_of_several_is_enough():
    assert matches("matches", ["^x", "o$"], "hello")


# --- Networks ---


@pytest.mark.parametrize(
    ("network", "value"),
    [
        ("10.0.0.0/8", "10.255.0.1"),
        ("10.1.2.3/8", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("0.0.0.0/0", "8.8.8.8"),
        ("2001:db8::/32", "2001:DB8:0::1"),
        ("fe80::/10", "fe80::1%eth0"),
        ("10.0.0.0/8", "::ffff:10.0.0.1"),
        ("::ffff:10.0.0.0/104", "::ffff:10.0.0.1"),
    ],
)
def test_an_address_is_in_its_network(network, value):
    assert matches("in_cidr", [network], value)


@pytest.mark.parametrize(
    ("network", "value"),
    [
        ("10.0.0.0/8", "11.0.0.1"),
        ("10.0.0.0/8", "::ffff:11.0.0.1"),
        ("10.0.0.0/8", "2001:db8::1"),
        ("::/0", "10.0.0.1"),
        ("::ffff:10.0.0.0/104", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1/32"),
        ("10.0.0.0/8", "10.0.0.01"),
        ("10.0.0.0/8", 167772161),
        ("10.0.0.0/8", b"\n\0\0\1"),
        ("0.0.0.0/0", "localhost"),
        ("0.0.0.0/0", ""),
        ("0.0.0.0/0", "\ud800"),
        ("::/0", ":" * 100_000),
    ],
)
def test_an_address_is_in_no_other_network(network, value):
    assert not matches("in_cidr", [network], value)


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(0, 32))
def test_networks_contain_what_the_standard_library_says(address, start, bits):
    network = ip_network(f"{start}/{bits}", strict=False)
    assert matches("in_cidr", ["::/0", f"{start}/{bits}"], str(address)) is (address in network)


def test_a_bad_network_is_skipped():
    assert matches("in_cidr", ["10.0.0.0/99", 5, None, "10.0.0.0/8"], "10.0.0.1")


# --- Numbers ---


@pytest.mark.parametrize(
    ("operator", "operand", "value"),
    [
        ("gt", 5, 6),
        ("gt", 5, 5.5),
        ("gt", 5, Decimal("5.01")),
        ("gt", 2.0**53, 2**53 + 1),
        ("gt", 1e308, 10**400),
        ("gte", 5, 5),
        ("gte", 5, 5.0),
        ("gte", 19.99, Decimal("19.99")),
        ("lt", 5, 4),
        ("lt", 0, -(10**400)),
        ("lte", 5, 5),
        ("lte", 19.99, Decimal("19.99")),
    ],
)
def test_numbers_compare_by_value(operator, operand, value):
    assert matches(operator, [operand], value)


@pytest.mark.parametrize("operator", OF_NUMBERS)
@pytest.mark.parametrize(
    "value", ["5", True, None, float("nan"), float("inf"), Decimal("NaN"), 1j, NOON]
)
def test_what_is_no_finite_number_compares_with_none(operator, value):
    assert not matches(operator, [-1, 1], value)


@pytest.mark.parametrize(("operator", "value"), [("gt", 2), ("gte", 1), ("lt", 8), ("lte", 9)])
def test_one_number_out_of_several_is_enough(operator, value):
    assert matches(operator, [9, 1], value)


@pytest.mark.parametrize(("operator", "value"), [("gt", 1), ("gte", 0), ("lt", 9), ("lte", 10)])
def test_a_number_beyond_all_of_several_does_not_match(operator, value):
    assert not matches(operator, [9, 1], value)


@given(numbers, numbers)
def test_a_number_is_either_greater_or_at_most(operand, value):
    assert matches("gt", [operand], value) is not matches("lte", [operand], value)


@given(numbers, numbers)
def test_a_number_is_either_less_or_at_least(operand, value):
    assert matches("lt", [operand], value) is not matches("gte", [operand], value)


@given(numbers, numbers)
def test_equal_numbers_are_those_neither_greater_nor_less(operand, value):
    differs = matches("gt", [operand], value) or matches("lt", [operand], value)
    assert matches("one_of", [operand], value) is not differs


# --- Instants ---


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("after", "2024-01-01T12:00:01Z"),
        ("after", "2024-01-01T12:00:00.000001Z"),
        ("after", "2024-01-01T12:30:00+00:15"),
        ("after", datetime(2024, 1, 1, 12, 0, 1, tzinfo=UTC)),
        ("after", 1_704_110_400_001),
        ("after", 10**400),
        ("on_or_after", "2024-01-01T13:00:00+01:00"),
        ("on_or_after", datetime(2024, 1, 1, 12, tzinfo=UTC)),
        ("on_or_after", 1_704_110_400_000),
        ("before", "2024-01-01T11:59:59.999999Z"),
        ("before", 1_704_110_399_999.9),
        ("before", -(10**400)),
        ("on_or_before", "2024-01-01t12:00:00z"),
        ("on_or_before", 1_704_110_400_000.0),
    ],
)
def test_instants_compare_in_whatever_form(operator, value):
    assert matches(operator, [NOON], value)


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("after", NOON),
        ("on_or_after", 1_704_110_399_999),
        ("before", NOON),
        ("on_or_before", 1_704_110_400_001),
    ],
)
def test_instants_on_the_other_side_do_not_match(operator, value):
    assert not matches(operator, [NOON], value)


@pytest.mark.parametrize("operator", OF_INSTANTS)
@pytest.mark.parametrize(
    "value",
    ["2024-01-01", "2024-01-01T12:00:00", date(2024, 1, 1), datetime(2024, 1, 1), True, "0"],
)
def test_what_has_no_zone_matches_no_instant(operator, value):
    assert not matches(operator, [-(10**15), 10**15], value)


@pytest.mark.parametrize(
    ("operator", "value"), [("after", 2), ("on_or_after", 1), ("before", 8), ("on_or_before", 9)]
)
def test_one_instant_out_of_several_is_enough(operator, value):
    assert matches(operator, [9, 1], value)


# --- Versions ---


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("semver_eq", "1.2.0"),
        ("semver_eq", "1.2"),
        ("semver_eq", "1.2.0+build"),
        ("semver_gt", "1.10.0"),
        ("semver_gte", "1.2.0"),
        ("semver_gte", "1.3.0-alpha"),
        ("semver_lt", "1.2.0-rc.1"),
        ("semver_lte", "1.2.0"),
    ],
)
def test_versions_compare_by_precedence(operator, value):
    assert matches(operator, ["1.2.0"], value)


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("semver_eq", "1.2.0-rc.1"),
        ("semver_gt", "1.2.0"),
        ("semver_gte", "1.2.0-rc.1"),
        ("semver_lt", "1.2.0+build"),
        ("semver_lte", "1.10.0"),
    ],
)
def test_versions_on_the_other_side_do_not_match(operator, value):
    assert not matches(operator, ["1.2.0"], value)


@pytest.mark.parametrize("operator", OF_VERSIONS)
@pytest.mark.parametrize("value", ["v1.2.0", "1.2.0.0", "", 1, 1.2, None])
def test_what_is_no_version_compares_with_none(operator, value):
    assert not matches(operator, ["0.0.0", "1.2.0", "9.0.0"], value)


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("semver_eq", "9"),
        ("semver_gt", "2"),
        ("semver_gte", "1"),
        ("semver_lt", "8"),
        ("semver_lte", "9"),
    ],
)
def test_one_version_out_of_several_is_enough(operator, value):
    assert matches(operator, ["9", "1"], value)


# --- Lists, and whatever else a subject may hold ---


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_a_list_matches_when_some_element_does(kind):
    assert matches("one_of", ["b"], kind(["a", "b"]))


@pytest.mark.parametrize("subject", [["a"], [], [["b"]], {"b": 1}, iter(["b"]), None])
def test_a_list_without_a_matching_element_does_not_match(subject):
    assert not matches("one_of", ["b"], subject)


def test_a_strange_element_does_not_hide_the_others():
    assert matches("one_of", ["b"], [hostile(object), {}, None, "b"])


@pytest.mark.parametrize("operator", sorted(OPERANDS))
@pytest.mark.parametrize("base", [object, list, tuple, set, dict, bytes])
def test_objects_that_raise_match_nothing(operator, base):
    assert matches(operator, OPERANDS[operator], hostile(base)) is False


def test_a_list_that_raises_while_read_matches_nothing():
    assert not matches("one_of", ["b"], hostile(list, ["b"]))


@pytest.mark.parametrize(
    ("operator", "operand", "value"),
    [
        ("one_of", "pro", (str, "pro")),
        ("starts_with", "p", (str, "pro")),
        ("matches", "^pro$", (str, "pro")),
        ("semver_gt", "1.0", (str, "1.1")),
        ("in_cidr", "::/0", (str, "::1")),
        ("after", 0, (str, NOON)),
        ("one_of", 5, (int, 5)),
        ("gt", 5, (int, 6)),
        ("gt", 5, (float, 5.5)),
        ("gt", 5, (Decimal, "5.5")),
        ("after", 0, (datetime, 2024, 1, 1, 12, 0, 0, 0, UTC)),
    ],
)
def test_subclasses_count_as_the_value_beneath(operator, operand, value):
    assert matches(operator, [operand], hostile(*value))


@given(operators, values, st.booleans())
def test_no_value_raises(operator, value, ignore_case):
    assert matches(operator, OPERANDS[operator], value, ignore_case=ignore_case) in (True, False)


@given(operators, st.lists(scalars), st.booleans())
def test_a_list_matches_exactly_when_an_element_does(operator, elements, ignore_case):
    test = matcher(operator, OPERANDS[operator], ignore_case=ignore_case)
    assert test(elements) is any(test(element) for element in elements)


# --- What the matcher refuses to compile ---


@pytest.mark.parametrize("operator", ["equals", "", "exists ", "ONE_OF"])
def test_an_unknown_operator_is_not_compiled(operator):
    with pytest.raises(ValueError, match="is no operator"):
        matcher(operator, ["a"])


@pytest.mark.parametrize(("operator", "operands"), [("exists", []), ("in_segment", ["beta"])])
def test_an_operator_that_asks_for_more_than_the_value_is_not_compiled(operator, operands):
    with pytest.raises(ValueError, match="not judged by an attribute's value alone"):
        matcher(operator, operands)


@pytest.mark.parametrize(
    ("operator", "operands"),
    [
        ("one_of", []),
        ("gt", ["5"]),
        ("gt", [1, None]),
        ("starts_with", [""]),
        ("matches", ["("]),
        ("in_cidr", []),
        ("in_cidr", ["10.0.0.0/99"]),
        ("in_cidr", "10.0.0.0/8"),
    ],
)
def test_operands_that_can_t_be_judged_are_not_compiled(operator, operands):
    with pytest.raises(ValueError, match=r".+[;,] .+\."):
        matcher(operator, operands)


# --- What is wrong with operands ---


@pytest.mark.parametrize("operator", sorted(OPERANDS))
def test_good_operands_have_no_problem(operator):
    assert operand_problems(operator, OPERANDS[operator]) == []


@pytest.mark.parametrize(
    ("operator", "operands"),
    [
        ("one_of", ["", 0, False, 1.5, Decimal("1.5"), 10**5000]),
        ("matches", ["a" * 256, "é" * 148, "(?i)a", r"\p{Greek}"]),
        ("in_cidr", ["10.1.2.3/8", "::1", "2001:db8::1/32"]),
        ("after", [NOON, 0, -1.5, "2016-12-31T23:59:60Z", 10**400]),
        ("semver_eq", ["1", "1.2", "1.2.3-rc.1+build"]),
        ("in_segment", ["beta_testers"]),
        ("exists", []),
        ("exists", ()),
    ],
)
def test_these_operands_are_fine(operator, operands):
    assert operand_problems(operator, operands) == []


def test_an_unknown_operator_is_named_with_those_there_are():
    (problem,) = operand_problems("equals", ["a"])
    assert problem.startswith('"equals" is no operator; use one of one_of, contains, ')


@pytest.mark.parametrize("operands", ["a", 5, None, {"a": 1}, {"a"}])
def test_operands_are_a_list(operands):
    assert operand_problems("one_of", operands) == [
        'The values are no list; write them in square brackets, such as ["beta"].'
    ]


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"exists"}))
def test_operands_are_not_empty(operator):
    assert operand_problems(operator, []) == ["There are no values; add at least one."]


def test_exists_takes_no_operands():
    assert operand_problems("exists", ["a"]) == ['exists takes no values; remove "a".']


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"exists"}))
@pytest.mark.parametrize(
    ("operand", "reason"),
    [(None, "null equals nothing"), ({}, "An object equals nothing"), ([], "A list within")],
)
def test_null_objects_and_lists_are_no_operands(operator, operand, reason):
    (problem,) = operand_problems(operator, [operand])
    assert problem.startswith(reason)


@pytest.mark.parametrize(
    ("operator", "operand", "problem"),
    [
        ("one_of", float("nan"), "NaN equals nothing"),
        ("one_of", float("-inf"), "-Infinity equals nothing"),
        ("one_of", datetime(2024, 1, 1, tzinfo=UTC), "datetime equals nothing"),
        *((operator, 5, "5 is no text") for operator in OF_TEXTS),
        *((operator, True, "true is no text") for operator in OF_TEXTS),
        *((operator, "", "An empty text is part of every text") for operator in OF_TEXTS),
        *((operator, "5", '"5" is no finite number') for operator in OF_NUMBERS),
        *((operator, True, "true is no finite number") for operator in OF_NUMBERS),
        *((operator, float("nan"), "NaN is no finite number") for operator in OF_NUMBERS),
        *((operator, float("inf"), "Infinity is no finite") for operator in OF_NUMBERS),
        *((operator, "2024-01-01", '"2024-01-01" is no moment') for operator in OF_INSTANTS),
        *((operator, "2024-01-01T00:00:00", "is no moment") for operator in OF_INSTANTS),
        *((operator, True, "true is no moment") for operator in OF_INSTANTS),
        *((operator, float("nan"), "NaN is no moment") for operator in OF_INSTANTS),
        *((operator, "v1.2.0", '"v1.2.0" is no version') for operator in OF_VERSIONS),
        *((operator, 1.2, "1.2 is no version") for operator in OF_VERSIONS),
        ("in_cidr", "10.0.0.0/99", '"10.0.0.0/99" is no network'),
        ("in_cidr", 167772160, "167772160 is no network"),
        ("in_segment", "", '"" is no segment key'),
        ("in_segment", 5, "5 is no segment key"),
        ("matches", "a" * 257, "is longer than 256 characters"),
        ("matches", "(", '"(" is no RE2 pattern (missing ): ()'),
        ("matches", "(?=a)", "is no RE2 pattern"),
        ("matches", r"\1", "is no RE2 pattern"),
        ("matches", "\ud800", r'"\ud800" is no RE2 pattern'),
    ],
)
def test_a_wrong_operand_is_named_with_its_reason(operator, operand, problem):
    (found,) = operand_problems(operator, [operand])
    assert problem in found


def test_in_a_list_what_is_no_text_hides_no_text_behind_it():
    assert matcher("starts_with", ["a"])([5, "ab"])


def test_a_good_network_excuses_a_wrong_operand_of_no_other_operator():
    with pytest.raises(ValueError, match="null equals nothing"):
        matcher("one_of", ["10.0.0.0/8", None])


def test_a_wrong_operand_is_shown_as_it_was_written():
    (found,) = operand_problems("gt", ["zwölf"])
    assert found.startswith('"zwölf"')


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"exists"}))
def test_each_wrong_operand_is_reported(operator):
    assert len(operand_problems(operator, [None, {}, object()])) == 3


def test_each_bad_network_is_reported():
    problems = operand_problems("in_cidr", ["10.0.0.0/99", "10.0.0.0/8", "nowhere"])
    assert [problem.split(" is ")[0] for problem in problems] == ['"10.0.0.0/99"', '"nowhere"']


@pytest.mark.parametrize(
    ("operand", "shown"), [("9" * 58, f'"{"9" * 58}"'), ("9" * 59, f'"{"9" * 59}…')]
)
def test_an_operand_of_more_than_60_characters_is_cut_in_its_problem(operand, shown):
    (problem,) = operand_problems("gt", [operand])
    assert problem.startswith(f"{shown} is no finite number")


def test_a_number_too_long_to_write_is_named_by_its_type():
    (problem,) = operand_problems("contains", [10**5000])
    assert problem.startswith("int is no text")


@given(operators, values)
def test_every_problem_is_one_printable_sentence_with_a_remedy(operator, value):
    for problem in operand_problems(operator, [value]):
        assert problem.encode().endswith(b".")
        assert "; " in problem


@given(operators.filter(lambda operator: operator != "in_cidr"), st.lists(scalars, max_size=2))
def test_exactly_the_operands_without_a_problem_compile(operator, operands):
    if operand_problems(operator, operands):
        with pytest.raises(ValueError, match=r"\.$"):
            matcher(operator, operands)
    else:
        assert callable(matcher(operator, operands))


# --- Without google-re2 ---


def test_without_google_re2_a_pattern_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    assert operand_problems("matches", ["a"]) == [
        "Patterns need google-re2; install flaggate[re2], or use another operator."
    ]


def test_another_package_named_re2_does_not_pass_for_google_s(monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", ModuleType("re2"))
    (problem,) = operand_problems("matches", ["a"])
    assert "flaggate[re2]" in problem


def test_without_google_re2_a_pattern_is_not_compiled(monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(ValueError, match=r"flaggate\[re2\]"):
        matcher("matches", ["a"])


def test_without_google_re2_the_other_operators_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    assert matches("contains", ["ell"], "hello")


# --- The table ---


def test_the_operators_stand_in_the_order_of_their_documentation():
    assert list(OPERATORS) == [
        "one_of",
        "contains",
        "starts_with",
        "ends_with",
        "matches",
        "exists",
        "in_segment",
        "in_cidr",
        "gt",
        "gte",
        "lt",
        "lte",
        "after",
        "on_or_after",
        "before",
        "on_or_before",
        "semver_eq",
        "semver_gt",
        "semver_gte",
        "semver_lt",
        "semver_lte",
    ]


@pytest.mark.parametrize("name", OPERATORS)
def test_each_operator_stands_under_its_own_name(name):
    assert OPERATORS[name].name == name


def test_labels_are_unlike_each_other():
    assert len({operator.label for operator in OPERATORS.values()}) == len(OPERATORS)


def test_only_exists_and_in_segment_have_no_predicate():
    without = [each.name for each in OPERATORS.values() if each.predicate is None]
    assert without == ["exists", "in_segment"]
