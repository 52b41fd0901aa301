"""Whatever a browser sends as its visitor cookie: the page is served, to a new visitor."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from flaggate.context.visitor import SALT
from tests.fixtures import released

pytestmark = pytest.mark.django_db


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.flags.evaluate("x").active))


urlpatterns = [path("", page)]


def signed(value: str, salt: str = SALT, name: str = "flaggate_visitor") -> str:
    response = HttpResponse()
    response.set_signed_cookie(name, value, salt=salt)
    return response.cookies[name].value


WRONG = {
    "empty": "",
    "unsigned": "abc",
    "cut": signed("abc")[:-3],
    "tampered": signed("abc").replace("abc", "abd"),
    "signed for something else": signed("abc", salt="sessions"),
    "signed for another cookie": signed("abc", name="other"),
    "colons": ":::::",
    "no text": "\x00\x01\x02",
    "quotes": '"\\"\\\\"',
    "not ASCII": "é\xff",
    "an endless one": "x" * 100_000,
    "too long an id, signed": signed("x" * 65),
    "no id, signed": signed(""),
    "a strange time": "abc:zzzzzzzzzzzz:" + signed("abc").rsplit(":", 1)[1],
}


@pytest.fixture
def client() -> Any:
    released("x", bucket_by="visitor", percentage=50)
    with override_settings(ROOT_URLCONF=__name__):
        yield Client()


@pytest.mark.parametrize("cookie", WRONG.values(), ids=WRONG)
def test_a_malformed_cookie_makes_a_new_visitor(client: Client, cookie: str) -> None:
    client.cookies["flaggate_visitor"] = cookie
    response = client.get("/")
    assert response.status_code == 200
    assert response.cookies["flaggate_visitor"].value not in (cookie, "")


def test_a_whole_cookie_is_kept(client: Client) -> None:
    client.cookies["flaggate_visitor"] = signed("abc")
    response = client.get("/")
    assert response.status_code == 200
    assert "flaggate_visitor" not in response.cookies


@pytest.mark.parametrize(
    "header", ["flaggate_visitor", ";;;=;", "=", "\xff\xfe=\xff", "a" * 70_000]
)
def test_a_malformed_cookie_header_makes_a_new_visitor(client: Client, header: str) -> None:
    response = client.get("/", headers={"cookie": header})
    assert response.status_code == 200
    assert "flaggate_visitor" in response.cookies
