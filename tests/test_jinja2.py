"""The globals for Jinja2."""

from __future__ import annotations

import sys

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template.backends.jinja2 import Jinja2

from flaggate import changes
from tests.fixtures import a_request, layouts, released, targeted

pytestmark = pytest.mark.django_db


def render(source: str, request: HttpRequest | None = None) -> str:
    options = {"extensions": ["flaggate.jinja2.FlagsExtension"]}
    engine = Jinja2({"NAME": "jinja2", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    rendered: str = engine.from_string(source).render(request=request)
    return rendered


def test_flag_tells_whether_a_flag_is_active():
    source = "{{ 'new' if flag('new-checkout.v2') else 'old' }}"
    assert render(source) == "old"
    released("new-checkout.v2")
    assert render(source) == "new"


def test_variant_gives_the_key_of_the_variant():
    layouts("price_layout")
    assert render("{{ variant('price_layout') }}") == "compact"


def test_value_gives_the_value_or_the_default():
    source = "{{ value('limit', 10) }}"
    assert render(source) == "10"
    changes.create("limit", variants=[("low", 5, 1)], enabled=True)
    assert render(source) == "5"


def test_a_printed_value_is_escaped():
    released("greeting", variants=[("one", "<b>", 1)])
    assert render("{{ value('greeting') }}") == "&lt;b&gt;"


def test_the_flags_are_those_of_the_request():
    targeted("for_ada", ("username", "one_of", ["ada"]))
    assert render("{{ flag('for_ada') }}", a_request(user=User(pk=1, username="ada"))) == "True"
    assert render("{{ flag('for_ada') }}", a_request()) == "False"
    assert render("{{ flag('for_ada') }}") == "False"


def test_without_jinja2_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "flaggate.jinja2", raising=False)
    with pytest.raises(ImproperlyConfigured, match=r"pip install 'flaggate\[jinja2\]'"):
        import flaggate.jinja2  # noqa: F401
