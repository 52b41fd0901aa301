"""The published OFREP provider for Python, under the OpenFeature SDK, against the open shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, Reason

from tests.clients.conftest import Shop
from tests.example_project.shop import eventually

ADA = EvaluationContext("1", {"plan": "gold"})


def client_of(shop: Shop, secret: str) -> OpenFeatureClient:
    headers = {"Authorization": f"Bearer {secret}"}
    provider = OFREPProvider(shop.address, headers_factory=lambda: headers)
    api.set_provider(provider, domain=secret)
    return api.get_client(domain=secret)


@pytest.fixture
def client(shop: Shop) -> Iterator[OpenFeatureClient]:
    yield client_of(shop, shop.secrets["server"])
    api.shutdown()


def said(details: FlagEvaluationDetails) -> tuple[object, ...]:
    return details.value, details.variant, details.reason, details.error_code


# Which question, about which flag, with which default → value, variant, reason.
ANSWERS = [
    ("boolean", "on", False, True, "on", Reason.STATIC),
    ("boolean", "off", True, False, "off", Reason.DISABLED),
    ("boolean", "gold", False, True, "on", Reason.TARGETING_MATCH),
    ("boolean", "share", False, True, "on", Reason.SPLIT),
    ("boolean", "needs", True, False, "off", Reason.DEFAULT),
    ("boolean", "hidden", False, True, "on", Reason.STATIC),
    ("string", "text", "red", "blue", "a", Reason.STATIC),
    ("integer", "integer", 0, 3, "a", Reason.STATIC),
    ("float", "float", 0.0, 1.0, "a", Reason.STATIC),
    ("object", "object", {}, {"columns": 4}, "a", Reason.STATIC),
    ("object", "list", [], [1, 2], "a", Reason.STATIC),
    ("string", "to_the_caller", "red", "red", "", Reason.DISABLED),
]


@pytest.mark.parametrize(("kind", "key", "default", "value", "variant", "reason"), ANSWERS)
def test_each_type_is_answered(client, kind, key, default, value, variant, reason):
    details = getattr(client, f"get_{kind}_details")(key, default, ADA)
    assert said(details) == (value, variant, reason, None)
    assert type(details.value) is type(value)


# The same → the error, upon which the default is given.
ERRORS = [
    ("boolean", "nope", ADA, ErrorCode.FLAG_NOT_FOUND),
    ("boolean", "share", EvaluationContext(), ErrorCode.TARGETING_KEY_MISSING),
    ("boolean", "on", EvaluationContext("1", {"x": "\ud800"}), ErrorCode.INVALID_CONTEXT),
    ("boolean", "broken", ADA, ErrorCode.PARSE_ERROR),
    ("boolean", "text", ADA, ErrorCode.TYPE_MISMATCH),
    ("integer", "float", ADA, ErrorCode.TYPE_MISMATCH),
]


@pytest.mark.parametrize(("kind", "key", "context", "error"), ERRORS)
def test_an_error_gives_the_default(client, kind, key, context, error):
    default = {"boolean": True, "integer": 7}[kind]
    details = getattr(client, f"get_{kind}_details")(key, default, context)
    assert said(details) == (default, None, Reason.ERROR, error)
    assert details.error_message


def test_the_metadata_arrives(client):
    assert client.get_boolean_details("needs", True, ADA).flag_metadata == {
        "active": False,
        "reason": "PREREQUISITE_FAILED",
    }


@pytest.mark.parametrize(("secret", "word"), [("nonsense", "unauthorized"), ("other", "forbidden")])
def test_who_may_not_ask_gets_the_default(shop, secret, word):
    client = client_of(shop, shop.secrets.get(secret, "fgk_nonsense"))
    details = client.get_boolean_details("off", True, ADA)
    assert (details.value, details.error_code) == (True, ErrorCode.GENERAL)
    assert word in details.error_message


def test_a_client_does_not_see_what_is_hidden(shop):
    client = client_of(shop, shop.secrets["client"])
    details = client.get_boolean_details("hidden", False, ADA)
    assert details.error_code == ErrorCode.FLAG_NOT_FOUND


def test_a_flip_is_seen(shop, client):
    assert client.get_boolean_value("flip", True, ADA) is False
    shop.flags("enable", "flip")
    eventually(lambda: client.get_boolean_value("flip", False, ADA))
    shop.flags("disable", "flip")
    eventually(lambda: not client.get_boolean_value("flip", True, ADA))
