"""What each kind of flag answers, in the form that the published clients can read."""

import json

import pytest

from flaggate import changes
from flaggate.context.attributes import OF_USER
from flaggate.models import Flag
from tests.fixtures import layouts, released, targeted

pytestmark = pytest.mark.urls("tests.api.ofrep.urls")


def serving(value):
    return changes.create("x", enabled=True, variants=[("a", value, 1)])


# --- Values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("percentage", "value", "variant"), [(100, True, "on"), (0, False, "off")])
def test_a_boolean_flag_has_the_variants_on_and_off(server, percentage, value, variant):
    released("x", percentage=percentage)
    assert server.one("x", targetingKey="1").json() == {
        "key": "x",
        "value": value,
        "reason": "STATIC",
        "variant": variant,
        "metadata": {"active": value},
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("text", '"text"'),
        ("é \u2028", '"\\u00e9 \\u2028"'),
        (1, "1"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (10**20, "1" + "0" * 20),
        (False, "false"),
        ({"a": [1, 1.0, None]}, '{"a":[1,1.0,null]}'),
        ([1, 2], "[1,2]"),
    ],
)
def test_a_value_keeps_its_json_type(server, value, written):
    serving(value)
    body = server.one("x", targetingKey="1").content.decode()
    assert f'"value":{written},"reason"' in body
    assert json.loads(body)["variant"] == "a"


def test_a_flag_that_is_off_without_an_off_variant_leaves_the_value_to_the_caller(server):
    changes.create("x", variants=[("a", 1, 1)])
    answer = server.one("x", targetingKey="1")
    assert answer.status_code == 200
    assert answer.json() == {
        "key": "x",
        "reason": "DISABLED",
        "variant": "",
        "metadata": {"active": False},
    }


def test_a_flag_that_is_off_serves_its_off_variant(server):
    changes.create("x", variants=[("a", 1, 1), ("b", 2, 0)], off_variant="b")
    answer = server.one("x", targetingKey="1").json()
    assert (answer["value"], answer["variant"]) == (2, "b")


def test_a_variant_that_is_false_is_not_active(server):
    serving(False)
    assert server.one("x", targetingKey="1").json()["metadata"] == {"active": False}


# --- Reasons --------------------------------------------------------------------------------


def test_a_disabled_flag_says_so(server):
    changes.create("x")
    assert server.one("x").json()["reason"] == "DISABLED"


def test_a_share_is_a_split(server):
    released("x", percentage=50)
    assert server.one("x", targetingKey="1").json()["reason"] == "SPLIT"


@pytest.mark.parametrize(("plan", "reason"), [("gold", "TARGETING_MATCH"), ("tin", "DEFAULT")])
def test_a_rule_matches_or_the_default_is_left(server, plan, reason):
    targeted("x", ("plan", "one_of", ["gold"]))
    assert server.one("x", targetingKey="1", plan=plan).json()["reason"] == reason


def test_a_reason_that_clients_do_not_know_stands_in_the_metadata(server):
    changes.create("needed")
    with changes.change():
        released("x").prerequisites.create(required=Flag.objects.get(key="needed"))
    answer = server.one("x", targetingKey="1").json()
    assert answer["reason"] == "DEFAULT"
    assert answer["metadata"] == {"active": False, "reason": "PREREQUISITE_FAILED"}


# --- Failures -------------------------------------------------------------------------------


def test_an_unknown_flag_is_not_found(server):
    answer = server.one("nope", targetingKey="1")
    assert answer.status_code == 404
    assert answer.json() == {
        "key": "nope",
        "errorCode": "FLAG_NOT_FOUND",
        "errorDetails": "There is no such flag.",
    }


@pytest.mark.parametrize("key", ["a/b", "é", "x" * 5000, "a%00b", "%ed%a0%80", "a%0Ab", "a%0A", ""])
def test_no_key_is_too_strange_to_be_not_found(server, key):
    answer = server.one(key)
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")


def test_a_share_needs_a_targeting_key(server):
    released("x", percentage=50)
    answer = server.one("x")
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "TARGETING_KEY_MISSING"
    assert "share" in answer.json()["errorDetails"]


def test_a_flag_that_can_not_be_read_is_a_parse_error(server):
    released("x")
    Flag.objects.update(percentage=-1)
    answer = server.one("x", targetingKey="1")
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "PARSE_ERROR"


def test_an_attribute_that_can_not_be_read_is_a_general_error(session, monkeypatch):
    targeted("x", ("groups", "one_of", ["beta"]), client_visible=True)
    monkeypatch.setitem(OF_USER, "groups", lambda user: 1 / 0)
    answer = session.one("x")
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "GENERAL")


# --- All ------------------------------------------------------------------------------------


def test_all_flags_answer_as_each_does_alone(server):
    released("x")
    layouts("y")
    changes.create("z", variants=[("a", 1, 1)])
    alone = [server.one(key, targetingKey="1").json() for key in "xyz"]
    assert list(server.answers(targetingKey="1").values()) == alone


def test_one_failure_leaves_the_others_alone(server):
    released("x", percentage=50)
    released("y")
    found = server.answers()
    assert found["x"]["errorCode"] == "TARGETING_KEY_MISSING"
    assert found["y"]["value"] is True


def test_all_flags_say_the_version_of_the_flags(server):
    released("x")
    before = server.all().json()["metadata"]["version"]
    changes.disable("x")
    assert server.all().json()["metadata"]["version"] == before + 1


def test_archived_flags_are_not_among_all(server):
    released("x")
    changes.archive("x")
    assert server.answers() == {}
    assert server.one("x").json()["reason"] == "DISABLED"


def test_without_flags_there_is_an_empty_list(server):
    assert server.all().json()["flags"] == []


@pytest.mark.parametrize("ask", ["one", "all"])
def test_no_cache_keeps_an_answer(server, ask):
    released("x")
    answer = server.one("x") if ask == "one" else server.all()
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Type"] == "application/json"
