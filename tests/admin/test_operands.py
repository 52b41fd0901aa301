import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaggate.admin import operands

SCALARS = (
    st.booleans()
    | st.integers(-(10**300), 10**300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


@given(st.lists(SCALARS, max_size=5))
def test_whatever_is_stored_is_read_back_the_same_from_what_is_shown(values):
    read = operands.read_lines(operands.write_lines(values))
    assert [(type(value), value) for value in read] == [(type(value), value) for value in values]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("5", 5),
        ("5.0", 5.0),
        ("-2e3", -2000.0),
        ("true", True),
        ("false", False),
        ('"5"', "5"),
        ('"true"', "true"),
        ("beta", "beta"),
        ("1.2.3", "1.2.3"),
        ("0049", "0049"),
        ("null", "null"),
        ("NaN", "NaN"),
        ("[1]", "[1]"),
        ('"open', '"open'),
        ('say "hi"', 'say "hi"'),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_line_is_json_only_where_that_is_meant(line, value):
    read = operands.read(line)
    assert (type(read), read) == (type(value), value)


def test_empty_lines_and_margins_do_not_count():
    assert operands.read_lines(" a \r\n\r\n\tb\n") == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(5, "number 5"), (5.0, "number 5.0"), (True, "true"), ("5", "text “5”")],
)
def test_it_says_what_it_took_a_value_for(value, words):
    assert operands.described(value) == words


def test_half_a_character_which_no_page_can_show_is_shown_escaped():
    assert operands.write("a\ud800") == '"a\\ud800"'
    assert operands.described("a\ud800") == "text “a\\ud800”"


def test_a_stored_value_that_is_no_list_is_shown_as_json():
    assert operands.write_lines({"a": 1}) == '{"a": 1}'
