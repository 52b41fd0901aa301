"""Personal overrides: for people who test in production, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from django.utils import timezone

import flaggate
from flaggate import changes, recording
from flaggate.context import overrides
from flaggate.models import Flag
from flaggate.views import override
from tests.fixtures import layouts, released

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

NOW = timezone.now()


def ask(request: HttpRequest, key: str) -> HttpResponse:
    answer = request.flags.evaluate(key)
    return HttpResponse(f"{answer.value} {answer.reason} {answer.error}")


async def ask_async(request: HttpRequest, key: str) -> HttpResponse:
    answer = (await flaggate.aflags_for(request)).evaluate(key)
    return HttpResponse(f"{answer.value} {answer.reason} {answer.error}")


async def ask_unloaded(request: HttpRequest, key: str) -> HttpResponse:
    return ask(request, key)


def why(request: HttpRequest, key: str) -> HttpResponse:
    explanation = request.flags.explain(key)
    return HttpResponse(
        f"{explanation.evaluation.reason} {explanation.evaluation.message} "
        f"instead of {explanation.overridden.reason}"
    )


urlpatterns = [
    path("override/", override),
    path("async/<str:key>/", ask_async),
    path("unloaded/<str:key>/", ask_unloaded),
    path("why/<str:key>/", why),
    path("<str:key>/", ask),
]


@pytest.fixture(autouse=True)
def flags(settings: Any) -> Iterator[None]:
    settings.FLAGGATE = {"OVERRIDES": True, "MAX_STALENESS": 0}
    released("x", percentage=0)
    layouts()
    yield
    overrides.Complaints.due = 0.0


def a_tester(name: str = "tess", client: Client | None = None) -> Client:
    user = User.objects.create_user(name)
    user.user_permissions.add(Permission.objects.get(codename="override_flag"))
    client = client or Client()
    client.force_login(user)
    return client


@pytest.fixture
def tess() -> Client:
    return a_tester()


def force(client: Client, flag: str, choice: str, **data: str) -> Any:
    return client.post("/override/", {"flag": flag, "choice": choice, **data})


def answer(client: Client, key: str = "x", room: str = "") -> str:
    return client.get(f"/{room}{key}/").content.decode()


OFF, FORCED = "False STATIC None", "True OVERRIDE None"


# --- what it does ---


def test_a_flag_is_forced_for_the_one_who_asks_and_for_nobody_else(tess: Client) -> None:
    assert force(tess, "x", "on").status_code == 204
    assert answer(tess) == FORCED
    assert answer(a_tester("otto")) == OFF
    assert answer(Client()) == OFF
    assert not flaggate.is_active("x", User.objects.get(username="tess"))


def test_a_flag_that_is_on_can_be_forced_off(tess: Client) -> None:
    changes.rollout("x", 100)
    force(tess, "x", "off")
    assert answer(tess) == "False OVERRIDE None"


def test_a_variant_can_be_forced(tess: Client) -> None:
    force(tess, "price_layout", "wide")
    assert answer(tess, "price_layout") == "2 OVERRIDE None"
    force(tess, "price_layout", "off")
    assert answer(tess, "price_layout") == "UNSET OVERRIDE None".replace("UNSET", "")


def test_without_a_choice_it_is_as_before(tess: Client) -> None:
    force(tess, "x", "on")
    force(tess, "price_layout", "wide")
    force(tess, "x", "")
    assert answer(tess) == OFF
    assert "OVERRIDE" in answer(tess, "price_layout")
    force(tess, "price_layout", "")
    assert overrides.COOKIE not in {key for key, each in tess.cookies.items() if each.value}


def test_off_beats_an_override(tess: Client) -> None:
    force(tess, "x", "on")
    changes.disable("x")
    assert answer(tess) == "False DISABLED None"
    changes.archive("x")
    assert answer(tess) == "False DISABLED None"


def test_what_is_required_is_required_of_testers_too_and_can_be_forced_itself(tess: Client) -> None:
    released("base", percentage=0)
    with changes.change():
        Flag.objects.get(key="x").prerequisites.create(required=Flag.objects.get(key="base"))
    force(tess, "x", "on")
    assert answer(tess) == "False PREREQUISITE_FAILED None"
    force(tess, "base", "on")
    assert answer(tess) == FORCED


def test_explain_says_what_is_forced_and_what_it_replaces(tess: Client) -> None:
    force(tess, "x", "on")
    assert answer(tess, room="why/").startswith("OVERRIDE Overridden until ")
    assert answer(tess, room="why/").endswith("instead of STATIC")


def test_what_a_tester_asks_is_not_counted(tess: Client) -> None:
    force(tess, "x", "on")
    recording.counts.clear()
    answer(tess)
    answer(tess, "price_layout")
    assert not recording.counts
    answer(Client())
    assert len(recording.counts) == 1


def test_an_answer_that_is_forced_is_kept_from_shared_caches(tess: Client) -> None:
    force(tess, "x", "on")
    response = tess.get("/x/")
    assert "Cookie" in response["Vary"]
    assert response["Cache-Control"] == "private"
    assert not Client().get("/x/").has_header("Cache-Control")


def test_an_async_view_is_answered_in_the_same_way(tess: Client) -> None:
    force(tess, "x", "on")
    assert answer(tess, room="async/") == FORCED


def test_an_async_view_that_has_not_loaded_is_told_so(tess: Client) -> None:
    from asgiref.sync import async_to_sync

    force(tess, "x", "on")
    client = AsyncClient()
    client.cookies = tess.cookies
    found = async_to_sync(client.get)("/unloaded/x/").content.decode()
    assert found == "False ERROR CONTEXT_NOT_LOADED"


# --- who may ---


def test_it_is_off_by_default(tess: Client, settings: Any) -> None:
    force(tess, "x", "on")
    settings.FLAGGATE = {"MAX_STALENESS": 0}
    assert answer(tess) == OFF
    assert force(tess, "x", "on").status_code == 404


def test_it_needs_the_permission_when_it_is_set_and_whenever_it_is_used(tess: Client) -> None:
    force(tess, "x", "on")
    User.objects.get().user_permissions.clear()
    assert answer(tess) == OFF
    assert force(tess, "x", "off").status_code == 403
    assert force(Client(), "x", "on").status_code == 403


def test_a_user_who_is_no_longer_active_forces_nothing(tess: Client) -> None:
    force(tess, "x", "on")
    User.objects.update(is_active=False)
    assert answer(tess) == OFF


def test_a_flag_can_forbid_it(tess: Client) -> None:
    force(tess, "x", "on")
    with changes.change():
        Flag.objects.filter(key="x").update(overridable=False)
    assert answer(tess) == OFF
    assert force(tess, "x", "on").status_code == 400


@pytest.mark.parametrize(
    ("flag", "choice"),
    [("nonsense", "on"), ("x", "wide"), ("price_layout", "on"), ("price_layout", "small")],
)
def test_what_is_not_possible_is_refused(tess: Client, flag: str, choice: str) -> None:
    assert force(tess, flag, choice).status_code == 400
    assert overrides.COOKIE not in tess.cookies


def test_nothing_happens_on_get_nor_without_a_token(tess: Client) -> None:
    assert tess.get("/override/", {"flag": "x", "choice": "on"}).status_code == 405
    strict = a_tester("otto", Client(enforce_csrf_checks=True))
    assert force(strict, "x", "on").status_code == 403
    assert answer(strict) == OFF


@pytest.mark.parametrize("name", ["flag", "override", "x", overrides.COOKIE])
def test_no_parameter_header_or_unsigned_cookie_forces_anything(tess: Client, name: str) -> None:
    tess.cookies[overrides.COOKIE] = "x"
    tess.cookies["dwf_x"] = "True"
    response = tess.get("/x/", {name: "x", "x": "1"}, headers={name: "x", "x": "on"})
    assert response.content.decode() == OFF


def test_it_leads_back_but_only_to_this_site(tess: Client) -> None:
    assert force(tess, "x", "on", next="/x/?a=1")["Location"] == "/x/?a=1"
    assert force(tess, "x", "on", next="https://evil.example/").status_code == 204


# --- the cookie ---


def cookie(client: Client) -> str:
    return client.cookies[overrides.COOKIE].value


def test_the_cookie_is_out_of_reach_of_scripts(tess: Client) -> None:
    morsel = force(tess, "x", "on").cookies[overrides.COOKIE]
    assert (morsel["httponly"], morsel["samesite"]) == (True, "Lax")
    assert morsel["max-age"] == 8 * 3600


def test_it_expires_for_each_flag_by_itself(tess: Client, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 10**6
    with time_machine.travel(NOW, tick=False) as clock:
        force(tess, "x", "on")
        clock.shift(timedelta(hours=5))
        force(tess, "price_layout", "wide")
        clock.shift(timedelta(hours=3))
        assert answer(tess) == OFF
        assert "OVERRIDE" in answer(tess, "price_layout")


def test_it_expires_after_as_many_hours_as_are_asked_for(tess: Client) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        assert force(tess, "x", "on", hours="1.5").status_code == 204
        clock.shift(timedelta(hours=1))
        assert answer(tess) == FORCED
        clock.shift(timedelta(hours=1))
        assert answer(tess) == OFF


@pytest.mark.parametrize("hours", ["8.1", "0", "-1", "nan", "inf", "soon"])
def test_it_does_not_last_longer_than_the_project_allows(tess: Client, hours: str) -> None:
    assert force(tess, "x", "on", hours=hours).status_code == 400
    assert answer(tess) == OFF


def ignored(client: Client, caplog: Any) -> bool:
    caplog.clear()
    found = answer(client)
    return found == OFF and "cookie of personal overrides was ignored" in caplog.text


def test_an_expired_cookie_is_ignored_and_logged(tess: Client, caplog: Any, settings: Any) -> None:
    force(tess, "x", "on")
    settings.FLAGGATE = {"OVERRIDES": True, "OVERRIDE_AGE": -1}
    assert ignored(tess, caplog)


def test_a_cookie_of_another_user_is_ignored_and_logged(tess: Client, caplog: Any) -> None:
    force(tess, "x", "on")
    otto = a_tester("otto")
    otto.cookies[overrides.COOKIE] = cookie(tess)
    assert ignored(otto, caplog)


def test_setting_one_beside_a_cookie_of_another_user_keeps_nothing_of_it(tess: Client) -> None:
    force(tess, "x", "on")
    otto = a_tester("otto")
    otto.cookies[overrides.COOKIE] = cookie(tess)
    force(otto, "price_layout", "wide")
    assert answer(otto) == OFF
    assert "OVERRIDE" in answer(otto, "price_layout")


FORGERIES = {
    "empty": lambda good: "",
    "no signature": lambda good: good.rpartition(":")[0],
    "another signature": lambda good: good[:-3] + "abc",
    "another content": lambda good: "W10" + good[3:],
    "another key": lambda good: signing.dumps(["1", {"x": [True, 2**40]}], key="guessed"),
    "another salt": lambda good: signing.dumps(["1", {"x": [True, 2**40]}], salt="other"),
    "another shape": lambda good: signing.dumps({"x": True}, salt=overrides.SALT),
    "a moment that is none": lambda good: signing.dumps(
        ["1", {"x": [True, 10**30]}], salt=overrides.SALT
    ),
    "no text": lambda good: "\u20ac\udcff",
    "very long": lambda good: "a" * 100_000,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_cookie_is_ignored_and_logged(tess: Client, caplog: Any, name: str) -> None:
    force(tess, "x", "on")
    tess.cookies[overrides.COOKIE] = FORGERIES[name](cookie(tess))
    if name == "no text":
        request_cookies = {overrides.COOKIE: FORGERIES[name]("")}
        request = HttpRequest()
        request.COOKIES = request_cookies
        assert overrides.read(request, NOW) == ("", {})
        return
    assert ignored(tess, caplog)


def test_the_log_is_not_filled_by_who_sends_many(tess: Client, caplog: Any) -> None:
    tess.cookies[overrides.COOKIE] = "forged"
    for _ in range(5):
        answer(tess)
    assert caplog.text.count("was ignored") == 1


def test_the_cookie_does_not_outgrow_what_browsers_keep(tess: Client) -> None:
    for number in range(overrides.MOST + 5):
        key = f"a_flag_whose_key_is_rather_long_{number:068d}"
        changes.create(key, enabled=True)
        force(tess, key, "on")
    assert len(cookie(tess)) < 4000
    assert answer(tess, key) == FORCED


def test_a_flag_that_was_written_in_the_same_transaction_can_be_forced(tess: Client) -> None:
    with transaction.atomic():
        changes.rollout("x", 0, comment="not committed")
        changes.create("new", enabled=True, percentage=0)
        force(tess, "new", "on")
        assert answer(tess, "new") == FORCED
