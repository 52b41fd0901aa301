"""``flags`` in Django's templates and in Jinja2's: nothing but keys."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.template import engines
from django.test import override_settings

from flaggate import changes, recording
from flaggate.context_processors import TemplateFlags, flags
from flaggate.exceptions import UnknownFlag
from flaggate.flags import Flags
from tests.fixtures import a_request, layouts, released

pytestmark = pytest.mark.django_db

both = pytest.mark.parametrize("engine", ["django", "jinja2"])

# Names that are methods of dictionaries, of Python's objects, or of Flags itself.
SHADOWED = sorted(
    {name for kind in (dict, list, Flags) for name in dir(kind) if not name.startswith("_")}
)


def render(source: str, engine: str = "django", **context: Any) -> str:
    rendered: str = engines[engine].from_string(source).render(context, a_request())
    return rendered


@both
def test_a_flag_is_a_condition(engine):
    source = "{% if flags.new_checkout %}new{% else %}old{% endif %}"
    assert render(source, engine) == "old"
    released("new_checkout")
    assert render(source, engine) == "new"


@both
def test_a_flag_prints_its_value(engine):
    released("greeting", variants=[("one", "<b>hello</b>", 1)])
    released("number", variants=[("one", 10.5, 1)])
    changes.create("nothing", variants=[("one", 1, 1)])
    source = "{{ flags.greeting }} {{ flags.number }} [{{ flags.nothing }}] {{ flags.unknown }}"
    assert render(source, engine) == "&lt;b&gt;hello&lt;/b&gt; 10.5 [] "


@both
def test_a_flag_shows_the_fields_of_its_answer(engine):
    layouts("price_layout")
    assert render("{{ flags.price_layout.variant }}", engine) == "compact"
    assert render("{{ flags.price_layout.reason }}", engine) == "STATIC"


@both
def test_a_value_that_is_an_object_can_be_looked_into(engine):
    layouts("price_layout")
    assert render("{{ flags.price_layout.value.columns }}", engine) == "4"


@both
def test_no_method_shadows_a_flag(engine):
    source = "".join(f"{{% if flags.{key} %}}{key} {{% endif %}}" for key in SHADOWED)
    assert render(source, engine) == ""
    with changes.change():
        for key in SHADOWED:
            released(key)
    assert render(source, engine).split() == SHADOWED


@both
def test_an_unknown_flag_is_off(engine):
    assert render("{% if flags.unknown %}on{% else %}off{% endif %}", engine) == "off"


@both
@override_settings(FLAGGATE={"STRICT": True})
def test_under_the_strict_setting_an_unknown_flag_raises(engine):
    with pytest.raises(UnknownFlag):
        render("{% if flags.unknown %}on{% endif %}", engine)


@both
def test_in_tells_whether_a_flag_is_defined(engine):
    changes.create("dark")
    source = "{% if 'dark' in flags %}yes{% endif %}{% if 'light' in flags %}no{% endif %}"
    assert render(source, engine) == "yes"


@both
def test_a_loop_over_flags_ends_with_an_error(engine):
    released("new_checkout")
    with pytest.raises(TypeError, match="not iterable"):
        render("{% for flag in flags %}{{ flag }}{% endfor %}", engine)


def test_in_jinja2_a_key_may_hold_any_character():
    released("new-checkout.v2")
    assert render("{% if flags['new-checkout.v2'] %}on{% endif %}", "jinja2") == "on"


@both
def test_a_question_in_a_template_counts(engine):
    released("new_checkout")
    recording.counts.clear()
    render("{% if flags.new_checkout %}{% endif %}", engine)
    assert [answer.flag for answer in recording.counts] == ["new_checkout"]


def test_a_page_that_asks_for_no_flag_asks_for_none():
    released("half", percentage=50)
    request = a_request()
    engines["django"].from_string("nothing").render({}, request)
    assert request.flags.visitor is None


def test_it_can_be_copied_and_shown_as_debugging_tools_do():
    found = flags(a_request())["flags"]
    assert isinstance(copy.copy(found), TemplateFlags)
    assert "TemplateFlags" in repr(found)
    assert not hasattr(found, "_no_flag")
