"""``{% load flaggate %}``: the tags."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from rest_framework.request import Request

from flaggate import changes
from tests.fixtures import a_request, layouts, released, targeted

pytestmark = pytest.mark.django_db

FLAG = '{% flag "new-checkout.v2" %}new{% else %}old{% endflag %}'


def render(source: str, context: Context | None = None) -> str:
    if context is None:
        context = RequestContext(a_request())
    return str(Template("{% load flaggate %}" + source).render(context))


# --- flag ---


def test_flag_shows_one_branch_or_the_other():
    assert render(FLAG) == "old"
    released("new-checkout.v2")
    assert render(FLAG) == "new"


def test_flag_without_else_shows_nothing():
    source = "{% flag 'new_checkout' %}new{% endflag %}"
    assert render(source) == ""
    released("new_checkout")
    assert render(source) == "new"


def test_flag_takes_a_variable():
    released("new_checkout")
    context = RequestContext(a_request(), {"keys": ["new_checkout", "unknown", 5, None]})
    source = "{% for key in keys %}{% flag key %}on {% else %}off {% endflag %}{% endfor %}"
    assert render(source, context) == "on off off off "


def test_flag_with_a_variable_that_does_not_exist_is_off():
    assert render("{% flag nothing %}on{% else %}off{% endflag %}") == "off"


def test_flag_takes_a_filter():
    released("new_checkout")
    assert render("{% flag 'NEW_CHECKOUT'|lower %}on{% endflag %}") == "on"


def test_flags_stand_within_flags():
    released("outer")
    inner = "{% flag 'inner' %}both{% else %}outer{% endflag %}"
    source = f"{{% flag 'outer' %}}{inner}{{% else %}}none{{% endflag %}}"
    assert render(source) == "outer"
    released("inner")
    assert render(source) == "both"


def test_flag_finds_blocks_in_both_of_its_branches():
    template = Template("{% load flaggate %}" + FLAG)
    [node] = [node for node in template.nodelist if hasattr(node, "otherwise")]
    assert [child.s for child in node.get_nodes_by_type(type(node.active[0]))] == ["new", "old"]


@pytest.mark.parametrize("source", ["{% flag %}", "{% flag 'a' 'b' %}"])
def test_flag_without_exactly_one_key_says_how(source):
    with pytest.raises(TemplateSyntaxError, match="'flag' takes one argument, the key of a flag:"):
        render(source + "{% endflag %}")


@pytest.mark.parametrize("source", ["{% flag 'a' %}", "{% flag 'a' %}{% else %}"])
def test_flag_that_does_not_end_says_so(source):
    with pytest.raises(TemplateSyntaxError, match="Unclosed tag on line 1: 'flag'"):
        render(source)


# --- variant and value ---


def test_variant_gives_the_key_of_the_variant():
    layouts("price_layout")
    source = "{% variant 'price_layout' as layout %}{{ layout }} {% variant 'price_layout' %}"
    assert render(source) == "compact compact"


def test_variant_of_an_unknown_flag_is_none():
    assert render("{% variant 'unknown' as layout %}{{ layout|default:'-' }}") == "-"


def test_value_gives_the_value_or_the_default():
    source = "{% value 'limit' 10 as limit %}{{ limit }}"
    assert render(source) == "10"
    changes.create("limit", variants=[("low", 5, 1)])
    assert render(source) == "10"
    changes.enable("limit")
    assert render(source) == "5"


def test_value_takes_variables():
    layouts("price_layout")
    context = RequestContext(a_request(), {"key": "price_layout", "otherwise": 3})
    assert render("{% value key otherwise as it %}{{ it.columns }}", context) == "4"
    assert render("{% value 'unknown' otherwise %}", context) == "3"


def test_a_printed_value_is_escaped():
    released("greeting", variants=[("one", "<b>", 1)])
    assert render("{% value 'greeting' %}") == "&lt;b&gt;"


# --- Whose flags ---


@pytest.fixture
def ada() -> User:
    targeted("new-checkout.v2", ("username", "one_of", ["ada"]))
    return User(pk=1, username="ada")


def test_a_template_that_is_rendered_with_a_request_has_its_flags(ada):
    assert render(FLAG, RequestContext(a_request(user=ada))) == "new"


def test_a_context_that_holds_the_request_will_do(ada):
    assert render(FLAG, Context({"request": a_request(user=ada)})) == "new"


def test_the_request_may_be_one_of_the_rest_framework(ada):
    request = Request(a_request())
    request.user = ada
    assert render(FLAG, Context({"request": request})) == "new"


def test_an_included_template_knows_the_request_too(ada):
    context = RequestContext(a_request(user=ada), {"inner": Template("{% load flaggate %}" + FLAG)})
    assert render("{% include inner only %}", context) == "new"


@pytest.mark.parametrize(
    "other", [None, "ada", 42, object(), 1.5], ids=lambda value: type(value).__name__
)
def test_without_a_request_the_flags_are_those_of_nobody(ada, other: Any):
    assert render(FLAG, Context({"request": other})) == "old"
    assert render(FLAG, Context()) == "old"


def test_without_a_request_a_flag_for_all_is_on():
    released("new-checkout.v2")
    assert render(FLAG, Context()) == "new"
