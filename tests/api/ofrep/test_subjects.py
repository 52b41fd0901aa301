"""About whom a client asks, and what it can't claim."""

import pytest
from django.contrib.auth.models import Group
from django.http import HttpResponse

from flaggate import changes, recording
from flaggate.context import hooks
from flaggate.context.attributes import BUILT_IN
from flaggate.context.visitor import SALT
from tests.api.ofrep.conftest import a_visitor
from tests.fixtures import released, segment, targeted

pytestmark = pytest.mark.urls("tests.api.ofrep.urls")

# Built-in attribute → an operator and operands, and what a forger would send to meet them.
FORGED = {
    "username": ("one_of", ["root"], "root"),
    "email": ("one_of", ["eve@example.com"], "eve@example.com"),
    "is_authenticated": ("one_of", ["yes"], "yes"),
    "is_staff": ("one_of", [True], True),
    "is_superuser": ("one_of", [True], True),
    "groups": ("one_of", ["beta"], ["beta"]),
    "permissions": ("one_of", ["auth.add_user"], ["auth.add_user"]),
    "date_joined": ("before", ["2000-01-01T00:00:00Z"], "1999-01-01T00:00:00Z"),
    "now": ("after", ["2100-01-01T00:00:00Z"], "2101-01-01T00:00:00Z"),
    "language": ("one_of", ["eo"], "eo"),
    "path": ("one_of", ["/secret/"], "/secret/"),
    "method": ("one_of", ["GET"], "GET"),
    "host": ("one_of", ["internal"], "internal"),
    "ip": ("in_cidr", ["10.0.0.0/8"], "10.1.2.3"),
    "visitor": ("one_of", ["v1"], "v1"),
    "targeting_key": ("one_of", ["42"], "42"),
}


def active(answer):
    return answer.json()["metadata"]["active"]


def a_user_hook(subject):
    return {"plan": "tin"} if getattr(subject.user, "is_authenticated", False) else {}


# --- Who it is ------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["in memory", "on demand"])
def people(request):
    """A flag for just these people, kept in memory or looked up in the database."""

    def make(*keys):
        with changes.change():
            included = segment("people", included=keys)
            included.on_demand = request.param
            included.save()
            flag = released("x", client_visible=True, percentage=0)
            flag.rules.create(percentage=100).segments.add(included)

    return make


@pytest.mark.parametrize("who", ["browser", "server"])
def test_a_key_takes_the_targeting_key_that_is_sent(request, who, people):
    people("42")
    caller = request.getfixturevalue(who)
    assert active(caller.one("x", targetingKey="42"))
    assert not active(caller.one("x", targetingKey="43"))
    assert not active(caller.one("x"))


def test_a_session_is_its_own_user_whatever_it_sends(session, ada, people):
    people(str(ada.pk))
    assert active(session.one("x", targetingKey="somebody else"))
    assert active(session.one("x"))


def test_a_session_can_not_be_somebody_else(session, people):
    people("42")
    assert not active(session.one("x", targetingKey="42"))


def test_a_session_sees_what_its_user_forces_and_that_is_not_counted(tester):
    assert active(tester.one("x"))
    found = tester.answers()["x"]
    assert (found["value"], found["reason"]) == (True, "TARGETING_MATCH")
    assert found["metadata"]["reason"] == "OVERRIDE"
    assert not recording.totals()


def test_a_visitor_is_the_one_of_its_cookie_whatever_it_sends():
    released("x", client_visible=True, percentage=0).rules.create(percentage=100).segments.add(
        segment("people", included=["v1"])
    )
    assert active(a_visitor().one("x", targetingKey="somebody else"))
    assert active(a_visitor().one("x"))


# --- What it can't claim --------------------------------------------------------------------


def test_every_built_in_attribute_is_tried():
    assert FORGED.keys() == BUILT_IN


@pytest.mark.parametrize("who", ["browser", "session"])
@pytest.mark.parametrize("name", FORGED)
def test_a_client_can_not_forge_what_the_server_knows(request, who, name):
    operator, operands, claim = FORGED[name]
    targeted("x", (name, operator, operands), client_visible=True)
    caller = request.getfixturevalue(who)
    assert not active(caller.one("x", **{name: claim}))
    assert not caller.answers(**{name: claim})["x"]["metadata"]["active"]


@pytest.mark.parametrize("name", sorted(FORGED.keys() - {"now"}))
def test_a_server_may_describe_anybody(server, name):
    operator, operands, claim = FORGED[name]
    targeted("x", (name, operator, operands))
    sent = {"targetingKey" if name == "targeting_key" else name: claim}
    assert active(server.one("x", **sent))


def test_even_a_server_does_not_choose_the_moment(server):
    targeted("x", ("now", "after", ["2100-01-01T00:00:00Z"]))
    assert not active(server.one("x", now="2101-01-01T00:00:00Z"))


def test_what_the_server_knows_of_the_user_counts(session, ada):
    ada.groups.add(Group.objects.create(name="beta"))
    targeted("x", ("groups", "one_of", ["beta"]), client_visible=True)
    assert active(session.one("x"))


def test_a_project_own_attribute_beats_what_is_sent(session, settings):
    settings.FLAGGATE = {"CONTEXT": f"{__name__}.a_user_hook"}
    targeted("x", ("plan", "one_of", ["gold"]), client_visible=True)
    assert not active(session.one("x", plan="gold"))


def a_hook_that_has_no_plan(subject):
    return {"plan": None}


def a_hook_that_fails(subject):
    raise RuntimeError


@pytest.mark.parametrize("who", ["browser", "session"])
@pytest.mark.parametrize("hook", [a_hook_that_has_no_plan, a_hook_that_fails])
def test_no_attribute_of_the_project_can_be_forged_where_it_is_missing(
    request, settings, monkeypatch, who, hook
):
    monkeypatch.setattr(hooks, "_told", set())  # other tests ask who has failed
    settings.FLAGGATE = {"CONTEXT": f"{__name__}.{hook.__name__}"}
    targeted("x", ("plan", "one_of", ["gold"]), client_visible=True)
    assert not active(request.getfixturevalue(who).one("x", plan="gold"))


@pytest.mark.parametrize("who", ["browser", "session"])
def test_what_the_project_does_not_name_is_taken_as_it_is_sent(request, settings, who):
    settings.FLAGGATE = {"CONTEXT": f"{__name__}.{a_hook_that_has_no_plan.__name__}"}
    targeted("x", ("screen", "gte", [1000]), client_visible=True)
    assert active(request.getfixturevalue(who).one("x", screen=1200))


@pytest.mark.parametrize("who", ["browser", "session", "server"])
def test_other_attributes_are_taken_as_they_are_sent(request, who):
    targeted("x", ("screen", "gte", [1000]), client_visible=True)
    caller = request.getfixturevalue(who)
    assert active(caller.one("x", screen=1200))
    assert not active(caller.one("x", screen=800))


# --- Visitors -------------------------------------------------------------------------------


def test_a_visitor_of_the_site_keeps_its_bucket(browser):
    released("x", client_visible=True, bucket_by="visitor", percentage=50)
    answers = set()
    for visitor in map(str, range(20)):
        response = HttpResponse()
        response.set_signed_cookie("flaggate_visitor", visitor, salt=SALT)
        browser.client.cookies.update(response.cookies)
        alone = {active(browser.one("x", targetingKey=str(key))) for key in range(5)}
        assert len(alone) == 1
        answers |= alone
    assert answers == {True, False}


def test_an_app_without_cookies_is_bucketed_by_its_targeting_key(browser):
    released("x", client_visible=True, bucket_by="visitor", percentage=50)
    found = [active(browser.one("x", targetingKey=str(key))) for key in range(20)]
    again = [active(browser.one("x", targetingKey=str(key))) for key in range(20)]
    assert found == again
    assert set(found) == {True, False}


def test_no_key_makes_a_browser_a_visitor(browser):
    released("x", client_visible=True, bucket_by="visitor", percentage=50)
    assert not browser.one("x", targetingKey="1").cookies


def test_the_visitor_is_the_targeting_key_where_none_is_sent(browser):
    released("x", client_visible=True, percentage=50)
    assert browser.one("x").json()["errorCode"] == "TARGETING_KEY_MISSING"
