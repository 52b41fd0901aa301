"""Who may ask, what they see, what is counted, and when an answer is still good."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle, UserRateThrottle

from flaggate import changes, recording
from flaggate.api import keys
from flaggate.api.ofrep.views import EvaluationView
from flaggate.models import ApiKey, Flag
from flaggate.store import store
from tests.api.ofrep.conftest import ALL, Caller, a_visitor, holder
from tests.fixtures import released, targeted

pytestmark = pytest.mark.urls("tests.api.ofrep.urls")

ADDRESSES = [ALL, f"{ALL}/x"]


def counted():
    return {flag: count for (flag, _variant), count in recording.totals().items()}


# --- Who may --------------------------------------------------------------------------------

# Frozen: the status for each caller, the same for one flag and for all.
STATUSES = {
    "nobody": 401,
    "a wrong key": 401,
    "an expired key": 401,
    "a revoked key": 401,
    "manage:toggle": 403,
    "manage:write": 403,
    "manage:toggle manage:write": 403,
    "evaluate:client": 200,
    "evaluate:server": 200,
    "evaluate:client manage:write": 200,
    "a user": 200,
    "a visitor": 200,
    "an inactive user": 401,
}


def caller(who, ada):
    if who == "nobody":
        return Caller()
    if who == "a wrong key":
        return Caller({"Authorization": "Bearer fgk_0123456789_x"})
    if who == "a visitor":
        return a_visitor()
    if who in ("a user", "an inactive user"):
        made = Caller()
        made.client.force_login(ada)
        ada.is_active = who == "a user"
        ada.save()
        return made
    if who.endswith(" key"):
        made = holder("evaluate:server")
        ended = {"an expired key": "expires_at", "a revoked key": "revoked_at"}[who]
        ApiKey.objects.update(**{ended: timezone.now()})
        return made
    return holder(*who.split())


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(("who", "status"), STATUSES.items())
def test_who_may_ask(ada, who, status, address):
    released("x", client_visible=True)
    answer = caller(who, ada).post(address, {"context": {}})
    assert answer.status_code == status
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_project_that_lets_everybody_in_elsewhere_does_not_here(settings, address):
    settings.REST_FRAMEWORK = {
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"]
    }
    assert Caller().post(address, {"context": {}}).status_code == 401


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_of_another_site_may_not_ask_as_a_visitor(address):
    """It can make a browser send the cookie, but has no CSRF token to send with it."""
    visitor = a_visitor()
    visitor.client.handler.enforce_csrf_checks = True
    assert visitor.post(address, {"context": {}}).status_code == 403
    visitor.client.cookies["csrftoken"] = "a" * 32
    assert visitor.post(address, {"context": {}}).status_code == 403


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_session_needs_its_csrf_token(ada, address):
    released("x", client_visible=True)
    session = Caller()
    session.client.handler.enforce_csrf_checks = True
    session.client.force_login(ada)
    assert session.post(address, {"context": {}}).status_code == 403
    session.client.cookies["csrftoken"] = token = "a" * 32
    assert session.post(address, {"context": {}}, **{"X-CSRFToken": token}).status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_a_question_is_a_post(server, method, address):
    response = getattr(server.client, method)(address, headers=server.headers)
    assert response.status_code == 405


def a_handler_of_the_project(error, context):
    return Response(status=418)


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_refused_has_details_whatever_the_project_does_with_errors(
    server, settings, address
):
    handler = f"{__name__}.{a_handler_of_the_project.__name__}"
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": handler}
    refused = Caller().post(address, {"context": {}})
    assert (refused.status_code, refused.json().keys()) == (401, {"errorDetails"})
    refused = server.client.put(address, headers=server.headers)
    assert refused.json() == {"errorDetails": 'Method "PUT" not allowed.'}


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense"])
def test_an_answer_is_json_whatever_is_accepted(server, accept):
    released("x")
    assert server.all(Accept=accept)["Content-Type"] == "application/json"


@pytest.mark.parametrize("kind", [AnonRateThrottle, UserRateThrottle])
def test_keys_are_nobody_whom_the_projects_throttles_count(server, monkeypatch, kind):
    cache.clear()
    monkeypatch.setattr(kind, "rate", "2/min", raising=False)
    monkeypatch.setattr(EvaluationView, "throttle_classes", [kind])
    assert [server.all().status_code for _ in range(3)] == [200] * 3


def test_a_rate_of_its_own_bounds_the_questions_of_each_caller(server, session, settings):
    cache.clear()
    settings.REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": {"flaggate_evaluation": "2/min"}}
    for caller in (server, session):
        assert [caller.all().status_code for _ in range(3)] == [200, 200, 429]


def test_too_many_questions_are_told_when_to_come_again(server, monkeypatch):
    class Once(SimpleRateThrottle):
        rate = "1/min"

        def get_cache_key(self, request, view):
            return "once"

    cache.clear()
    monkeypatch.setattr(EvaluationView, "throttle_classes", [Once])
    assert server.all().status_code == 200
    answer = server.all()
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60


# --- What they see --------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["browser", "session"])
def test_a_client_sees_what_is_visible_to_clients(request, who):
    released("shown", client_visible=True)
    released("hidden")
    caller = request.getfixturevalue(who)
    assert caller.answers().keys() == {"shown"}
    assert caller.one("shown").status_code == 200
    assert caller.one("hidden").status_code == 404


def test_a_server_sees_all(server):
    released("shown", client_visible=True)
    released("hidden")
    assert server.answers().keys() == {"shown", "hidden"}


def test_a_visitor_sees_what_is_visible_to_clients():
    released("shown", client_visible=True)
    released("hidden")
    assert a_visitor().answers().keys() == {"shown"}
    assert a_visitor().one("hidden").status_code == 404


def test_whoever_has_both_scopes_is_a_server():
    released("hidden")
    assert holder("evaluate:client", "evaluate:server").answers().keys() == {"hidden"}


@pytest.mark.parametrize("who", ["browser", "session"])
def test_a_hidden_flag_answers_byte_for_byte_like_one_that_is_not_there(request, who):
    caller = request.getfixturevalue(who)
    body = {"context": {"targetingKey": "1"}}
    absent = caller.post(f"{ALL}/hidden", body)
    released("hidden", percentage=50)
    hidden = caller.post(f"{ALL}/hidden", body)
    assert hidden.serialize() == absent.serialize()


def test_a_hidden_flag_behaves_like_an_absent_one_for_a_bad_question_too(browser):
    bad = browser.post(f"{ALL}/hidden", "{")
    released("hidden")
    assert browser.post(f"{ALL}/hidden", "{").serialize() == bad.serialize()


def test_a_broken_flag_of_which_nothing_is_known_is_hidden_from_clients(browser, server):
    released("x", client_visible=True)
    Flag.objects.update(percentage=-1)
    assert server.one("x").json()["errorCode"] == "PARSE_ERROR"
    assert browser.one("x").status_code == 404


# --- What is counted ------------------------------------------------------------------------


def test_one_question_is_counted(browser):
    released("x", client_visible=True)
    browser.one("x")
    browser.one("x")
    assert counted() == {"x": 2}


def test_asking_for_all_counts_nothing(browser):
    released("x", client_visible=True)
    browser.all()
    assert counted() == {}


def test_what_a_client_may_not_see_is_not_counted(browser):
    released("hidden")
    browser.one("hidden")
    assert counted() == {}


def test_asking_for_what_there_is_not_fills_no_log(server, caplog):
    released("x")
    server.one("y")
    assert [each.name for each in caplog.records] == ["django.request"]


def test_in_tests_and_ci_an_unknown_flag_is_still_an_answer(server, settings):
    settings.FLAGGATE = {"STRICT": True}
    assert server.one("nope").status_code == 404


# --- Queries --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("who", ["browser", "server"])
def test_a_steady_question_with_a_key_makes_no_query(
    request, who, address, settings, django_assert_num_queries
):
    settings.FLAGGATE = {"MAX_STALENESS": None}
    released("x", percentage=50, client_visible=True)
    caller = request.getfixturevalue(who)
    caller.post(address, {"context": {"targetingKey": "1"}})
    with django_assert_num_queries(0):
        answer = caller.post(address, {"context": {"targetingKey": "1"}})
    assert answer.status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_session_costs_what_its_authentication_costs(
    session, address, settings, django_assert_num_queries
):
    settings.FLAGGATE = {"MAX_STALENESS": None}
    released("x", percentage=50, client_visible=True)
    session.post(address, {"context": {}})
    with django_assert_num_queries(2):  # its session, and its user
        session.post(address, {"context": {}})


# --- When an answer is still good -----------------------------------------------------------


def etag(answer):
    assert answer.status_code == 200
    return answer["ETag"]


def test_the_etag_is_quoted(browser):
    assert etag(browser.all())[0] == etag(browser.all())[-1] == '"'


def test_nothing_new_is_304_without_a_body(browser):
    released("x", client_visible=True)
    known = etag(browser.all())
    again = browser.all(**{"If-None-Match": known})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", known)
    assert again["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("form", ["W/{}", '"other", {}', "{}, W/{}"])
def test_an_etag_is_found_weak_or_among_others(browser, form):
    known = etag(browser.all())
    assert browser.all(**{"If-None-Match": form.replace("{}", known)}).status_code == 304


@pytest.mark.parametrize("other", ['"other"', "", "*", "nonsense"])
def test_another_etag_is_answered_in_full(browser, other):
    assert browser.all(**{"If-None-Match": other}).status_code == 200


def test_the_etag_varies_with_the_flags(browser):
    released("x", client_visible=True)
    before = etag(browser.all())
    changes.disable("x")
    assert etag(browser.all()) != before


def test_the_etag_varies_with_the_context(browser):
    released("x", client_visible=True)
    assert len({etag(browser.all({"targetingKey": key})) for key in "abc"}) == 3


def test_the_etag_varies_with_what_the_server_knows_of_the_user(session, ada):
    targeted("x", ("is_staff", "one_of", [True]), client_visible=True)
    before = etag(session.all())
    ada.is_staff = True
    ada.save()
    assert etag(session.all()) != before


def test_the_etag_varies_with_who_asks(browser, server):
    released("hidden")
    assert etag(browser.all()) != etag(server.all())


NOW = timezone.now().replace(microsecond=0)
BOUNDARIES = {
    "a start": lambda: released("x", active_from=NOW + timedelta(hours=1), client_visible=True),
    "an end": lambda: released("x", active_until=NOW + timedelta(hours=1), client_visible=True),
    "a stage": lambda: changes.rollouts.start(
        released("x", client_visible=True).key, [(0, timedelta(hours=1)), (100, None)], at=NOW
    ),
    "a condition": lambda: targeted(
        "x", ("now", "after", [(NOW + timedelta(hours=1)).isoformat()]), client_visible=True
    ),
}


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_etag_varies_with_each_boundary_in_time(browser, boundary):
    with time_machine.travel(NOW, tick=False) as clock:
        BOUNDARIES[boundary]()
        before, version = etag(browser.all()), store.current().version
        clock.shift(timedelta(minutes=59))
        assert browser.all(**{"If-None-Match": before}).status_code == 304
        clock.shift(timedelta(minutes=2))
        assert browser.all(**{"If-None-Match": before}).status_code == 200
        assert store.current().version == version


def test_another_process_makes_the_same_etag(browser):
    released("x", client_visible=True)
    before = etag(browser.all())
    store.__init__()
    assert etag(browser.all()) == before


# --- Keys that end --------------------------------------------------------------------------


def test_a_key_that_is_revoked_is_refused_at_once(browser):
    assert browser.all().status_code == 200
    keys.revoke(ApiKey.objects.get())
    assert browser.all().status_code == 401
