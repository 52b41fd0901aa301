"""The published OFREP providers for Node and for the web, under Node, against the open shop."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.example_project.shop import eventually

ADA = {"targetingKey": "1", "plan": "gold"}

# Which question, about which flag, with which default → value, variant, reason.
ANSWERS = [
    ("Boolean", "on", False, True, "on", "STATIC"),
    ("Boolean", "off", True, False, "off", "DISABLED"),
    ("Boolean", "gold", False, True, "on", "TARGETING_MATCH"),
    ("Boolean", "share", False, True, "on", "SPLIT"),
    ("Boolean", "needs", True, False, "off", "DEFAULT"),
    ("String", "text", "red", "blue", "a", "STATIC"),
    ("Number", "integer", 0, 3, "a", "STATIC"),
    ("Number", "float", 0.5, 1.0, "a", "STATIC"),
    ("Object", "object", {}, {"columns": 4}, "a", "STATIC"),
    ("Object", "list", [], [1, 2], "a", "STATIC"),
]


def said(details: dict[str, Any]) -> tuple[Any, ...]:
    return details["value"], details.get("variant"), details["reason"], details.get("errorCode")


# --- The server provider --------------------------------------------------------------------


def ask(packages, shop, questions, secret="server"):
    done = subprocess.run(
        ["node", "server.mjs", shop.address, shop.secrets[secret], json.dumps(questions)],
        cwd=packages,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [said(each) for each in json.loads(done.stdout)]


def test_on_a_server_each_type_is_answered(packages, shop):
    questions = [[kind, key, default, ADA] for kind, key, default, *_ in ANSWERS]
    assert ask(packages, shop, questions) == [
        (value, variant, reason, None) for _, _, _, value, variant, reason in ANSWERS
    ]


def test_on_a_server_an_error_gives_the_default(packages, shop):
    errors = {
        "FLAG_NOT_FOUND": ["Boolean", "nope", True, ADA],
        "TARGETING_KEY_MISSING": ["Boolean", "share", True, {}],
        "INVALID_CONTEXT": ["Boolean", "on", True, {"x": "\0"}],
        "PARSE_ERROR": ["Boolean", "broken", True, ADA],
        "TYPE_MISMATCH": ["Boolean", "text", True, ADA],
    }
    assert ask(packages, shop, list(errors.values())) == [
        (True, None, "ERROR", error) for error in errors
    ]


def test_on_a_server_what_is_left_to_the_caller_is_the_default(packages, shop):
    (details,) = ask(packages, shop, [["String", "to_the_caller", "red", ADA]])
    assert details[0] == "red"


def test_on_a_server_who_may_not_ask_gets_the_default(packages, shop):
    assert ask(packages, shop, [["Boolean", "off", True, ADA]], "other") == [
        (True, None, "ERROR", "GENERAL")
    ]


# --- The web provider -----------------------------------------------------------------------


class Web:
    """A page that stays open."""

    def __init__(self, packages: Any, shop: Any, secret: str, how: str = "poll") -> None:
        self.process = subprocess.Popen(
            ["node", "web.mjs", shop.address, shop.secrets[secret], how],
            cwd=packages,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.patience = threading.Timer(60, self.process.kill)
        self.patience.start()
        self.status = self._hear()

    def say(self, *command: Any) -> Any:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return self._hear()

    def _hear(self) -> Any:
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.patience.cancel()
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def web(packages, shop) -> Iterator[Web]:
    page = Web(packages, shop, "client")
    yield page
    page.close()


def test_on_a_page_each_type_is_answered(web):
    assert web.status == "READY"
    assert web.say("context", ADA) == "READY"
    found = [said(web.say("ask", kind, key, default)) for kind, key, default, *_ in ANSWERS]
    assert found == [(value, variant, reason, None) for _, _, _, value, variant, reason in ANSWERS]


def test_on_a_page_an_error_gives_the_default(web):
    errors = {"FLAG_NOT_FOUND": "nope", "TYPE_MISMATCH": "text"}
    found = [said(web.say("ask", "Boolean", key, True)) for key in errors.values()]
    assert found == [(True, None, "ERROR", error) for error in errors]


def test_on_a_page_a_share_needs_a_targeting_key(web):
    assert web.say("context", {}) == "READY"
    details = said(web.say("ask", "Boolean", "share", True))
    assert details == (True, None, "ERROR", "TARGETING_KEY_MISSING")
    assert said(web.say("ask", "Boolean", "on", False)) == (True, "on", "STATIC", None)


def test_on_a_page_what_is_hidden_is_not_found(web):
    assert said(web.say("ask", "Boolean", "hidden", False))[3] == "FLAG_NOT_FOUND"


def test_on_a_page_what_is_left_to_the_caller_is_the_default(web):
    assert web.say("ask", "String", "to_the_caller", "red")["value"] == "red"


def test_on_a_page_another_context_is_another_answer(web):
    assert said(web.say("ask", "Boolean", "gold", False))[0] is False
    web.say("context", ADA)
    assert said(web.say("ask", "Boolean", "gold", False))[0] is True


def test_on_a_page_who_may_not_ask_is_told(packages, shop):
    page = Web(packages, shop, "other")
    assert page.status == "FATAL"
    page.close()


def test_on_a_page_nothing_new_is_304_and_a_flip_is_seen(web, shop):
    eventually(lambda: web.say("statuses")[-1] == 304)  # it polls five times a second
    assert said(web.say("ask", "Boolean", "flip", True))[0] is False
    shop.flags("enable", "flip")
    assert web.say("changed") == ["flip"]
    assert said(web.say("ask", "Boolean", "flip", False))[0] is True
    shop.flags("disable", "flip")
    assert web.say("changed") == ["flip"]
    assert set(web.say("statuses")) == {200, 304}


# --- The web provider, over a stream --------------------------------------------------------


@pytest.fixture
def streamed(packages, asgi_shop) -> Iterator[Web]:
    page = Web(packages, asgi_shop, "client", "stream")
    yield page
    page.close()


def test_on_a_page_with_a_stream_a_flip_is_seen_without_polling(streamed, asgi_shop):
    assert streamed.status == "READY"
    asgi_shop.flags("enable", "flip")
    assert streamed.say("changed") == ["flip"]
    asgi_shop.flags("disable", "flip")
    assert streamed.say("changed") == ["flip"]
    assert streamed.say("statuses") == [200, 200, 200]
