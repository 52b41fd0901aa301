"""What pages report to have used: who may, what is counted, and how much of it."""

import json

import pytest
from django.core.cache import cache

from flaggate import changes, recording
from flaggate.api.ofrep import usage
from flaggate.api.ofrep.throttling import UsageThrottle
from flaggate.models import Usage
from tests.api.ofrep.conftest import Caller, a_visitor, holder
from tests.fixtures import layouts, released

pytestmark = pytest.mark.urls("tests.api.ofrep.urls")

ADDRESS = "/flaggate/v1/usage"


@pytest.fixture(autouse=True)
def _unthrottled():
    cache.clear()


def entries(*used):
    return {"used": [{"flag": flag, "variant": variant} for flag, variant in used]}


def report(caller, *used):
    answer = caller.post(ADDRESS, entries(*used))
    assert (answer.status_code, answer.content) == (204, b"")


def counted():
    return {f"{flag} {variant}": count for (flag, variant), count in recording.totals().items()}


# --- Who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["browser", "server", "session"])
def test_keys_and_users_may_report(request, who):
    released("x", client_visible=True)
    report(request.getfixturevalue(who), ("x", "on"))
    assert counted() == {"x on": 1}


def test_a_visitor_may_report():
    released("x", client_visible=True)
    report(a_visitor(), ("x", "on"))
    assert counted() == {"x on": 1}


@pytest.mark.parametrize("scope", ["manage:toggle", "manage:write"])
def test_a_key_that_is_for_something_else_may_not(scope):
    assert holder(scope).post(ADDRESS, entries()).status_code == 403


def test_nobody_may_not():
    assert Caller().post(ADDRESS, entries()).status_code == 401


def test_a_forged_visitor_may_not():
    caller = Caller()
    caller.client.cookies["flaggate_visitor"] = "v1:forged"
    assert caller.post(ADDRESS, entries()).status_code == 401


@pytest.mark.parametrize("who", ["visitor", "session"])
def test_whoever_shows_a_cookie_needs_its_csrf_token(request, who):
    caller = a_visitor() if who == "visitor" else request.getfixturevalue(who)
    caller.client.handler.enforce_csrf_checks = True
    assert caller.post(ADDRESS, entries()).status_code == 403
    caller.client.cookies["csrftoken"] = token = "a" * 32
    assert caller.post(ADDRESS, entries(), **{"X-CSRFToken": token}).status_code == 204


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_a_report_is_a_post(browser, method):
    assert getattr(browser.client, method)(ADDRESS, headers=browser.headers).status_code == 405


# --- What is counted ------------------------------------------------------------------------


def test_what_can_not_be_true_is_not_counted(browser):
    released("x", client_visible=True)
    released("hidden")
    released("retired", client_visible=True)
    changes.archive("retired")
    layouts("price_layout", client_visible=True)
    impossible = [
        ("x", "compact"),
        ("x", ""),
        ("price_layout", "on"),
        ("price_layout", "narrow"),
        ("hidden", "on"),
        ("retired", "off"),
        ("unknown", "on"),
    ]
    report(browser, *impossible)
    assert counted() == {}


def test_every_outcome_of_a_flag_can_be_true(browser):
    released("x", client_visible=True)
    layouts("price_layout", client_visible=True)
    possible = [
        ("x", "on"),
        ("x", "off"),
        ("price_layout", "compact"),
        ("price_layout", "wide"),
        ("price_layout", ""),
    ]
    report(browser, *possible)
    report(browser, ("x", "on"))
    assert recording.totals() == {**dict.fromkeys(possible, 1), ("x", "on"): 2}


def test_what_a_tester_has_forced_is_not_counted(tester):
    released("other", client_visible=True)
    report(tester, ("x", "on"), ("other", "on"))
    assert counted() == {"other on": 1}


@pytest.mark.django_db(transaction=True)
def test_reports_are_written_with_what_was_asked_here(browser, settings):
    settings.FLAGGATE = {"RECORD_USAGE": True}
    released("x", client_visible=True)
    browser.one("x")
    report(browser, ("x", "on"))
    recording.flush()
    assert list(Usage.objects.values_list("flag", "variant", "count")) == [("x", "on", 2)]


# --- How much -------------------------------------------------------------------------------

TOO_MUCH = [("x", "on")] * (usage.MOST + 1)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"used": {}}',
        '{"used": ["x"]}',
        '{"used": [{"flag": "x"}]}',
        '{"used": [{"flag": "x", "variant": 1}]}',
        '{"used": [{"flag": "x", "variant": "on", "count": 1000}]}',
        json.dumps(entries(*TOO_MUCH)),
        b'{"used": [], "x": "%s"}' % (b"x" * usage.LARGEST),
    ],
    ids=range(11),
)
def test_what_is_no_report_is_refused(browser, body):
    answer = browser.post(ADDRESS, body)
    assert answer.status_code == 400
    assert answer.json()["errorDetails"]
    assert counted() == {}


def test_a_report_may_be_as_long_as_the_module_makes_it(browser):
    released("x", client_visible=True)
    report(browser, *TOO_MUCH[1:])
    assert counted() == {"x on": usage.MOST}


@pytest.fixture
def once(settings):
    settings.REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": {"flaggate_usage": "1/min"}}


def test_reports_are_throttled_out_of_the_box(browser):
    limit = int(UsageThrottle.usual.partition("/")[0])
    statuses = [browser.post(ADDRESS, entries()).status_code for _ in range(limit + 1)]
    assert statuses == [204] * limit + [429]


@pytest.mark.usefixtures("once")
def test_each_caller_has_a_limit_of_its_own(browser, session):
    for caller in (browser, session, a_visitor()):
        assert caller.post(ADDRESS, entries()).status_code == 204
        assert caller.post(ADDRESS, entries()).status_code == 429


@pytest.mark.usefixtures("once")
def test_whoever_shares_a_key_is_told_apart_by_address(browser):
    for address in ("10.0.0.1", "10.0.0.2"):
        browser.client.defaults["REMOTE_ADDR"] = address
        assert browser.post(ADDRESS, entries()).status_code == 204
