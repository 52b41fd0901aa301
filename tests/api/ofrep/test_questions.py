"""Bodies of every kind, answered in bounded time and memory."""

import io
import json
import tracemalloc

import hypothesis
import pytest
from hypothesis import strategies as st

from flaggate.api.ofrep import questions
from flaggate.models import Flag
from tests.api.ofrep.conftest import ALL
from tests.fixtures import released, targeted

pytestmark = pytest.mark.urls("tests.api.ofrep.urls")


def context(text):
    return '{"context": {"targetingKey": "1", %s}}' % text  # noqa: UP031 - braces


def nested(depth, opening="[", closing="]"):
    return context(f'"a": {opening * depth}{closing * depth}')


BAD = {
    "nothing": "",
    "no JSON": "{",
    "two documents": '{"context": {}} {}',
    "a list": "[]",
    "null": "null",
    "a text": '"context"',
    "no context": "{}",
    "a context that is null": '{"context": null}',
    "a context that is a list": '{"context": []}',
    "a context that is a text": '{"context": "1"}',
    "a targeting key that is a number": '{"context": {"targetingKey": 1}}',
    "a targeting key that is null": '{"context": {"targetingKey": null}}',
    "a targeting key that is a list": '{"context": {"targetingKey": ["1"]}}',
    "a NUL": context(r'"a": "\u0000"'),
    "a NUL in the targeting key": r'{"context": {"targetingKey": "a\u0000"}}',
    "a NUL in a name": context(r'"\u0000": 1'),
    "a NUL deep inside": context(r'"a": [{"b": ["\u0000"]}]'),
    "half a surrogate pair": context(r'"a": "\ud800"'),
    "half a surrogate pair in the targeting key": r'{"context": {"targetingKey": "\udfff"}}',
    "half a surrogate pair in a name": context(r'"\ud800": 1'),
    "half a surrogate pair deep inside": context(r'"a": [{"b": {"\udc00": 1}}]'),
    "a raw NUL": context('"a": "\0"'),
    "no UTF-8": b'{"context": {"a": "\xff"}}',
    "a surrogate as UTF-8": b'{"context": {"a": "\xed\xa0\x80"}}',
    "UTF-16": '{"context": {}}'.encode("utf-16"),
    "a name twice": context('"a": 1, "a": 2'),
    "a targeting key twice": context('"targetingKey": "2"'),
    "a name twice deep inside": context('"a": [{"b": 1, "b": 1}]'),
    "two contexts": '{"context": {}, "context": {}}',
    "NaN": context('"a": NaN'),
    "Infinity": context('"a": -Infinity'),
    "a number of 5,000 digits": context(f'"a": {"9" * 5000}'),
    "lists too deep": nested(questions.DEEPEST),
    "objects too deep": nested(questions.DEEPEST, '{"a":', "}").replace(":}", ":1}"),
    "100,000 lists": nested(100_000),
    "100,000 lists that never end": "[" * 100_000,
    "too many attributes": json.dumps({"context": {f"a{number}": 1 for number in range(1001)}}),
    "100,000 attributes": json.dumps({"context": {f"a{number}": 1 for number in range(100_000)}}),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_question_about_all_flags_is_an_invalid_context(server, kind):
    answer = server.post(ALL, BAD[kind])
    assert answer.status_code == 400
    assert answer.json().keys() == {"errorCode", "errorDetails"}
    assert answer.json()["errorCode"] == "INVALID_CONTEXT"
    assert answer.json()["errorDetails"]


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_question_about_one_flag_is_an_invalid_context_of_it(server, kind):
    released("x")
    answer = server.post(f"{ALL}/x", BAD[kind])
    assert answer.status_code == 400
    assert (answer.json()["key"], answer.json()["errorCode"]) == ("x", "INVALID_CONTEXT")


GOOD = {
    "nothing but a context": '{"context": {}}',
    "an empty targeting key": '{"context": {"targetingKey": ""}}',
    "another field": '{"context": {}, "other": 1}',
    "a whole surrogate pair": context(r'"a": "\ud83d\ude00"'),
    "null": context('"a": null'),
    "as deep as may be": nested(questions.DEEPEST - 1),
    "as many attributes as may be": json.dumps(
        {"context": {f"a{number}": 1 for number in range(1000)}}
    ),
    "a number beyond all floats": context('"a": 1e999'),
    "a long text": context(f'"a": "{"x" * 200_000}"'),
}


@pytest.mark.parametrize("kind", GOOD)
def test_all_else_is_a_question(server, kind):
    released("x")
    assert server.post(ALL, GOOD[kind]).status_code == 200
    assert server.post(f"{ALL}/x", GOOD[kind]).status_code == 200


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_a_body_is_json_whatever_it_is_called(server, media):
    answer = server.client.post(ALL, '{"context": {}}', content_type=media, headers=server.headers)
    assert answer.status_code == 200


def test_a_form_is_an_invalid_context(server):
    answer = server.client.post(ALL, {"context": "{}"}, headers=server.headers)
    assert answer.status_code == 400


# --- Large bodies ---------------------------------------------------------------------------


class Endless(io.RawIOBase):
    """A body that goes on as long as somebody reads."""

    def __init__(self):
        self.given = 0

    def read(self, size=-1):
        assert size > 0, "somebody reads all of it"
        self.given += size
        return b" " * size


def sent(caller, body, length):
    return caller.client.generic(
        "POST",
        ALL,
        content_type="application/json",
        headers=caller.headers,
        **{"wsgi.input": body, "CONTENT_LENGTH": length},
    )


@pytest.fixture
def checked(session):
    """A session that shows its CSRF token, for which the framework would parse the body."""
    session.client.handler.enforce_csrf_checks = True
    session.client.cookies["csrftoken"] = session.headers["X-CSRFToken"] = "a" * 32
    return session


@pytest.mark.parametrize("who", ["server", "checked"])
@pytest.mark.parametrize("length", ["100000000", str(questions.LARGEST + 1), "-1", "many"])
def test_of_a_body_that_is_too_large_nothing_is_read(request, who, length):
    body = Endless()
    answer = sent(request.getfixturevalue(who), body, length)
    assert answer.json()["errorCode"] == "INVALID_CONTEXT"
    assert body.given == 0


@pytest.mark.parametrize("kind", ["no JSON", "a name twice", "100,000 lists"])
def test_a_session_is_told_in_the_same_words(checked, kind):
    assert checked.post(ALL, BAD[kind]).json()["errorCode"] == "INVALID_CONTEXT"


def test_a_body_of_100_mb_takes_no_memory(server):
    server.all()
    tracemalloc.start()
    try:
        assert sent(server, Endless(), str(100_000_000)).status_code == 400
        _size, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_a_body_that_hides_its_length_is_read_up_to_the_limit(rf):
    request = rf.post(ALL)
    request.META["CONTENT_LENGTH"] = ""
    request._stream = body = Endless()
    with pytest.raises(questions.InvalidContext, match="larger than 256 KiB"):
        questions.context_of(request)
    assert body.given == questions.LARGEST + 1


# --- Whatever is sent -----------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)
NAMES = st.sampled_from(["targetingKey", "plan", "is_staff", "now", "visitor", "x"]) | st.text()
CONTEXTS = st.dictionaries(NAMES, VALUES)
BODIES = (
    st.binary()
    | CONTEXTS.map(lambda context: json.dumps({"context": context}))
    | VALUES.map(json.dumps)
)


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(body=BODIES)
@pytest.mark.parametrize("who", ["server", "browser", "session"])
def test_no_body_at_all_breaks_anything(request, who, body):
    caller = request.getfixturevalue(who)
    if not Flag.objects.exists():
        targeted("x", ("plan", "one_of", ["gold"]), ("now", "after", ["2027-01-01T00:00:00Z"]))
        released("y", bucket_by="x", percentage=50, client_visible=True)
    assert caller.post(ALL, body).status_code in (200, 400)
    assert caller.post(f"{ALL}/x", body).status_code in (200, 400, 404)
    assert caller.post(f"{ALL}/y", body).status_code in (200, 400)
