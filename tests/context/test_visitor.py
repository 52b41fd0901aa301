"""Visitors: a browser that is known by one signed cookie, and only if a flag needs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

import flaggate
from flaggate.context import hooks
from flaggate.middleware import FlagsMiddleware
from tests.fixtures import a_request, released, targeted

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

COOKIE = "flaggate_visitor"


def ask(request: HttpRequest, key: str) -> HttpResponse:
    answer = request.flags.evaluate(key)
    return HttpResponse(f"{answer.active} {answer.error}")


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.flags.context.targeting_key)


urlpatterns = [path("who/", who), path("<str:key>/", ask)]


@pytest.fixture(autouse=True)
def _flags() -> Iterator[None]:
    released("for_all")
    released("half", percentage=50)
    released("half_of_visitors", percentage=50, bucket_by="visitor")
    targeted("for_staff", ("is_staff", "one_of", [True]))
    targeted("for_42", ("targeting_key", "one_of", ["42"]))
    yield
    hooks._told.clear()


def cookie_of(response: HttpResponse) -> Morsel[str] | None:
    return response.cookies.get(COOKIE)


def visitor_of(client: Client) -> str:
    return client.get("/who/").content.decode()


def signed(value: str, salt: str = "flaggate.visitor") -> str:
    response = HttpResponse()
    response.set_signed_cookie(COOKIE, value, salt=salt)
    return str(response.cookies[COOKIE].value)


# --- When there is a cookie ---


@pytest.mark.parametrize("key", ["half", "half_of_visitors", "for_42"])
def test_a_flag_that_needs_the_visitor_sets_the_cookie(client, key):
    response = client.get(f"/{key}/")
    assert cookie_of(response)
    assert response["Vary"] == "Cookie"


@pytest.mark.parametrize("key", ["for_all", "for_staff", "unknown"])
def test_a_flag_that_needs_no_visitor_sets_no_cookie(client, key):
    assert not cookie_of(client.get(f"/{key}/"))


def test_a_page_that_depends_on_nobody_does_not_vary():
    response = FlagsMiddleware(lambda request: ask(request, "for_all"))(a_request())
    assert "Vary" not in response


def test_a_user_who_is_logged_in_needs_no_cookie(client):
    client.force_login(User.objects.create_user("ada"))
    assert not cookie_of(client.get("/half/"))


def test_a_user_who_is_logged_in_is_a_visitor_to_flags_that_bucket_by_visitor(client):
    client.force_login(User.objects.create_user("ada"))
    assert cookie_of(client.get("/half_of_visitors/"))


def test_a_visitor_who_comes_back_gets_no_new_cookie_but_the_page_still_varies(client):
    assert cookie_of(client.get("/half/"))
    response = client.get("/half/")
    assert not cookie_of(response)
    assert response["Vary"] == "Cookie"


def test_a_visitor_stays_the_same(client):
    assert visitor_of(client) == visitor_of(client)
    assert visitor_of(client) != visitor_of(Client())


def test_there_is_one_cookie_whatever_number_of_flags_ask(client):
    for key in ("half", "half_of_visitors", "for_42", "for_all", "for_staff", "unknown"):
        client.get(f"/{key}/")
    assert list(client.cookies) == [COOKIE]


# --- What the cookie is like ---


def test_the_cookie_is_signed_and_out_of_reach_of_scripts_and_other_sites(client):
    cookie = cookie_of(client.get("/half/"))
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["max-age"] == 365 * 24 * 3600
    assert cookie["secure"] == ""
    assert cookie["domain"] == ""
    assert cookie.value.count(":") == 2


@override_settings(
    SESSION_COOKIE_SECURE=True, SESSION_COOKIE_PATH="/shop/", SESSION_COOKIE_DOMAIN="shop.example"
)
def test_the_cookie_follows_the_one_of_the_session(client):
    cookie = cookie_of(client.get("/half/"))
    assert cookie["secure"] is True
    assert cookie["path"] == "/shop/"
    assert cookie["domain"] == "shop.example"


@override_settings(FLAGGATE={"VISITOR_COOKIE": "who", "VISITOR_COOKIE_AGE": 60})
def test_name_and_age_of_the_cookie_are_settings(client):
    cookie = client.get("/half/").cookies["who"]
    assert cookie["max-age"] == 60


# --- What a browser may send ---


@pytest.mark.parametrize(
    "value",
    [
        "",
        "42",
        "42:1tZ000",
        "42:1tZ000:forged",
        ":::",
        "é:ü:ö",
        "x" * 100_000,
        "\x00",
        '"quoted"',
        "42:" + "9" * 5000 + ":x",
        signing.dumps("42"),
    ],
    ids=lambda value: repr(value)[:6],  # signing adds the time
)
def test_a_forged_cookie_changes_nothing(client, value):
    client.cookies[COOKIE] = value
    response = client.get("/for_42/")
    assert response.content == b"False None"
    assert cookie_of(response)


def test_a_cookie_that_the_server_signed_is_believed(client):
    client.cookies[COOKIE] = signed("42")
    assert client.get("/for_42/").content == b"True None"


def test_a_cookie_that_was_signed_for_another_purpose_is_not(client):
    client.cookies[COOKIE] = signed("42", salt="another purpose")
    assert client.get("/for_42/").content.startswith(b"False")


def test_a_cookie_with_one_letter_changed_is_not(client):
    client.cookies[COOKIE] = "43" + signed("42")[2:]
    assert client.get("/for_42/").content.startswith(b"False")


def test_a_cookie_with_any_letter_changed_is_not():
    value = signed("42")
    for position, letter in enumerate(value):
        other = "B" if letter == "A" else "A"
        client = Client()
        client.cookies[COOKIE] = f"{value[:position]}{other}{value[position + 1 :]}"
        assert client.get("/for_42/").content.startswith(b"False"), position


def test_a_cookie_that_was_signed_under_another_name_is_not(client):
    response = HttpResponse()
    response.set_signed_cookie("another_cookie", "42", salt="flaggate.visitor")
    client.cookies[COOKIE] = str(response.cookies["another_cookie"].value)
    assert client.get("/for_42/").content.startswith(b"False")


def test_a_cookie_that_was_signed_with_another_key_is_not(client):
    with override_settings(SECRET_KEY="another"):
        client.cookies[COOKIE] = signed("42")
    assert client.get("/for_42/").content.startswith(b"False")


def test_a_visitor_s_cookie_makes_no_other_user_of_who_is_logged_in(client):
    client.force_login(ada := User.objects.create_user("ada"))
    client.cookies[COOKIE] = signed("42")
    assert client.get("/who/").content.decode() == str(ada.pk)
    assert client.get("/for_42/").content.startswith(b"False")


def test_an_id_that_is_signed_but_empty_or_huge_is_not(client):
    for value in ("", "x" * 65):
        client.cookies[COOKIE] = signed(value)
        assert cookie_of(client.get("/half/"))


def test_a_cookie_expires(client):
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        client.cookies[COOKIE] = signed("42")
        clock.shift(timedelta(days=365))
        assert client.get("/for_42/").content.startswith(b"True")
        clock.shift(timedelta(seconds=1))
        assert client.get("/for_42/").content.startswith(b"False")


def test_no_query_parameter_and_no_header_changes_an_answer(client):
    for key in ("for_42", "for_staff", "unknown"):
        response = client.get(
            f"/{key}/",
            query_params={key: "1", f"dwf_{key}": "1", "flaggate": "1", "targeting_key": "42"},
            headers={key.replace("_", "-"): "1", "x-flaggate": key, "cookie": f"dwf_{key}=True"},
        )
        assert response.content.startswith(b"False")


# --- Login ---


def test_who_logs_in_is_a_user_and_the_visitor_is_the_same_as_before(client):
    before = client.get("/half_of_visitors/")
    cookie = client.cookies[COOKIE].value
    client.force_login(User.objects.create_user("ada"))
    after = client.get("/half_of_visitors/")
    assert before.content.split()[0] == after.content.split()[0]
    assert client.cookies[COOKIE].value == cookie


# --- Consent ---


def refused(request: HttpRequest) -> bool:
    return False


def by_header(request: HttpRequest) -> bool:
    return request.headers.get("consent") == "yes"


def raising(request: HttpRequest) -> bool:
    raise RuntimeError("consent service is down")


def asking(request: HttpRequest) -> Any:
    return request.flags.evaluate("half").error == "TARGETING_KEY_MISSING"


def consenting(name: str) -> Any:
    return override_settings(FLAGGATE={"VISITOR_CONSENT": f"{__name__}.{name}"})


@consenting("refused")
def test_without_consent_there_is_no_cookie_and_no_share(client):
    response = client.get("/half/")
    assert response.content == b"False TARGETING_KEY_MISSING"
    assert not cookie_of(response)
    assert response["Vary"] == "Cookie"


@consenting("refused")
def test_a_cookie_that_is_there_counts_without_being_asked_for_again(client):
    client.cookies[COOKIE] = signed("42")
    assert client.get("/for_42/").content == b"True None"


@consenting("by_header")
def test_consent_is_asked_of_the_request(client):
    assert not cookie_of(client.get("/half/"))
    assert cookie_of(client.get("/half/", headers={"consent": "yes"}))


@consenting("raising")
def test_a_consent_function_that_raises_costs_the_cookie_only_and_is_logged_once(client, caplog):
    for _ in range(3):
        response = client.get("/half/")
        assert response.content == b"False TARGETING_KEY_MISSING"
        assert not cookie_of(response)
    assert caplog.messages == [
        f"FLAGGATE['VISITOR_CONSENT'] = '{__name__}.raising' failed; "
        "browsers get no visitor cookie."
    ]


@consenting("asking")
def test_a_consent_function_that_asks_for_flags_itself_does_not_run_in_circles(client):
    response = client.get("/half/")
    assert response.content.endswith(b" None")
    assert cookie_of(response)


def test_looking_at_all_flags_is_enough_to_be_a_visitor():
    def bootstrap(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(request.flags.all()["half"].error))

    response = FlagsMiddleware(bootstrap)(a_request())
    assert response.content == b"None"
    assert COOKIE in response.cookies
    assert flaggate.flags_for().all()["half"].error == "TARGETING_KEY_MISSING"
