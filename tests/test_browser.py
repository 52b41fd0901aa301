"""``{% flags_json %}`` and its global for Jinja2: what a page tells its JavaScript."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template import Context, RequestContext, Template
from django.template.backends.jinja2 import Jinja2
from django.test import AsyncRequestFactory, Client
from django.urls import include, path

from flaggate import changes, recording
from flaggate.models import Flag
from tests.fixtures import a_request, layouts, released, targeted

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

SCRIPT = re.compile(r'<script id="flaggate-flags" type="application/json">(.*)</script>', re.DOTALL)


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(in_django(request))


urlpatterns = [path("", include("flaggate.api.ofrep.urls")), path("page/", page)]


def in_django(request: HttpRequest | None) -> str:
    context = RequestContext(request) if request else Context()
    return str(Template("{% load flaggate %}{% flags_json %}").render(context))


def in_jinja2(request: HttpRequest | None) -> str:
    options = {"extensions": ["flaggate.jinja2.FlagsExtension"]}
    engine = Jinja2({"NAME": "jinja2", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    rendered: str = engine.from_string("{{ flags_json() }}").render(request=request)
    return rendered


def told(html: str) -> dict[str, Any]:
    found = SCRIPT.fullmatch(html)
    assert found, html
    document: dict[str, Any] = json.loads(found[1])
    return document


@pytest.fixture(params=[in_django, in_jinja2])
def render(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_the_page_has_what_a_browser_may_see(render):
    released("shown", client_visible=True)
    released("hidden")
    layouts("price_layout", client_visible=True)
    changes.create("dark", client_visible=True)
    changes.create("leaves_it", client_visible=True, variants=[("a", 5, 1)])
    assert told(render(a_request()))["flags"] == {
        "dark": {"active": False, "variant": "off", "value": False},
        "leaves_it": {"active": False, "variant": ""},
        "price_layout": {"active": True, "variant": "compact", "value": {"columns": 4}},
        "shown": {"active": True, "variant": "on", "value": True},
    }


def test_the_flags_are_those_of_the_request(render):
    targeted("for_ada", ("username", "one_of", ["ada"]), client_visible=True)
    for user, active in ((User(pk=1, username="ada"), True), (None, False)):
        assert told(render(a_request(user=user)))["flags"]["for_ada"]["active"] is active


def test_without_a_request_the_flags_are_those_of_nobody(render):
    released("x", client_visible=True)
    assert told(render(None)) == {"flags": {"x": {"active": True, "variant": "on", "value": True}}}


def test_a_flag_that_can_not_answer_is_left_out(render):
    released("x", client_visible=True, percentage=50)
    released("broken", client_visible=True)
    Flag.objects.filter(key="broken").update(off_variant="gone")
    assert told(render(None))["flags"] == {}


def test_no_value_ends_the_script(render):
    value = "</script><script>alert(1)</script><!-- & é"
    released("x", client_visible=True, variants=[("a", value, 1)])
    html = render(a_request())
    assert html.count("<") == 2
    assert told(html)["flags"]["x"]["value"] == value


def test_looking_counts_nothing(render):
    released("x", client_visible=True)
    recording.forget()
    render(a_request())
    assert recording.totals() == {}


def test_the_page_knows_where_to_ask_and_to_report(render):
    document = told(render(a_request()))
    assert document["evaluate"] == "/ofrep/v1/evaluate/flags"
    assert document["usage"] == "/flaggate/v1/usage"
    assert list(document["headers"]) == ["X-Csrftoken"]


async def in_asgi() -> bool:
    request = AsyncRequestFactory().get("/")
    return bool(told(await sync_to_async(in_django)(request))["stream"])


def test_a_page_looks_for_a_stream_only_where_there_may_be_one(render):
    assert told(render(a_request()))["stream"] is False
    assert async_to_sync(in_asgi)() is True


def test_the_header_of_the_token_is_the_projects(render, settings):
    settings.CSRF_HEADER_NAME = "HTTP_X_XSRF_TOKEN"
    assert list(told(render(a_request()))["headers"]) == ["X-Xsrf-Token"]


@pytest.mark.urls("tests.urls")
def test_a_project_without_ofrep_has_the_answers_alone(render):
    request = a_request()
    assert told(render(request)) == {"flags": {}}
    assert "CSRF_COOKIE" not in request.META


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("ada"))
    return client


def test_a_page_refreshes_and_reports_with_what_it_was_told(client):
    targeted("for_ada", ("username", "one_of", ["ada"]), client_visible=True)
    document = told(client.get("/page/").content.decode())

    def post(name: str, body: Any) -> Any:
        return client.post(
            document[name], body, content_type="application/json", headers=document["headers"]
        )

    (answer,) = post("evaluate", {"context": {}}).json()["flags"]
    assert (answer["key"], answer["metadata"]["active"]) == ("for_ada", True)
    assert post("usage", {"used": [{"flag": "for_ada", "variant": "on"}]}).status_code == 204


def test_a_visitor_refreshes_as_whom_the_page_was_made_for():
    client = Client(enforce_csrf_checks=True)
    layouts("price_layout", client_visible=True)
    changes.create("half", enabled=True, percentage=50, bucket_by="visitor", client_visible=True)
    document = told(client.get("/page/").content.decode())
    again = client.post(
        document["evaluate"],
        {"context": {"targetingKey": "somebody else"}},
        content_type="application/json",
        headers=document["headers"],
    )
    answers = {each["key"]: each["metadata"]["active"] for each in again.json()["flags"]}
    assert answers == {key: each["active"] for key, each in document["flags"].items()}
