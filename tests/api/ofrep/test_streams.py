"""Server-sent events: each stream hears of every change and of every boundary in time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings as django_settings
from django.core import signing
from django.test import AsyncClient, Client
from django.utils import timezone

from flaggate import changes
from flaggate.api.ofrep import streams, watch
from flaggate.api.ofrep.watch import Watch, state_of
from flaggate.store import store
from tests.api.ofrep.conftest import ALL, Caller
from tests.api.ofrep.test_specification import conforms
from tests.fixtures import released, targeted

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.api.ofrep.urls"),
]

PATIENCE = 10  # seconds


async def bulk(server: Caller) -> dict[str, Any]:
    """Ask for all flags, as a project under ASGI is asked."""
    response = await AsyncClient().post(
        ALL, {"context": {}}, content_type="application/json", headers=server.headers
    )
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


async def address(server: Caller) -> str:
    (entry,) = (await bulk(server))["eventStreams"]
    return str(entry["url"]).removeprefix("http://testserver")


class Stream:
    """One open stream, read event by event."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self.chunks = chunks

    async def chunk(self) -> str:
        return (await asyncio.wait_for(anext(self.chunks), PATIENCE)).decode()

    async def event(self) -> dict[str, Any]:
        fields = dict(line.split(": ", 1) for line in (await self.chunk()).strip().splitlines())
        return {"id": fields["id"], **json.loads(fields["data"])}

    async def is_quiet(self, seconds: float = 4 * watch.PAUSE) -> bool:
        """Wait for some looks at the clock, hang up, and tell whether there was nothing to say."""
        waiting = asyncio.ensure_future(anext(self.chunks))
        done, _ = await asyncio.wait([waiting], timeout=seconds)
        waiting.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration):
            await waiting
        return not done


@asynccontextmanager
async def opened(url: str, **headers: str) -> AsyncIterator[Stream]:
    response = await AsyncClient().get(url, headers=headers)
    assert response.status_code == 200, response.status_code
    stream = Stream(aiter(response.streaming_content))
    try:
        assert await stream.chunk() == "retry: 2000\n\n"
        yield stream
    finally:
        await stream.is_quiet(seconds=0)


def in_loop(test: Any) -> Any:
    """Run a test in an event loop of its own."""

    def run(server: Caller, settings: Any) -> None:
        settings.FLAGGATE = {"MAX_STALENESS": 0.05}
        async_to_sync(test)(server)

    run.__name__ = test.__name__
    return run


change = sync_to_async(lambda key: changes.disable(key))


# --- The address ----------------------------------------------------------------------------


@in_loop
async def test_under_asgi_the_answer_names_a_stream(server):
    document = await bulk(server)
    conforms(document, "bulkEvaluationSuccess")
    (entry,) = document["eventStreams"]
    assert (entry["type"], entry["inactivityDelaySec"]) == ("sse", 120)
    assert entry["url"].startswith("http://testserver/ofrep/v1/stream?token=")


def test_under_wsgi_there_is_none(server, settings):
    released("x")
    assert "eventStreams" not in server.all().json()
    token = streams._signed(streams.ADDRESSES, f"{int(time.time()) + 100}:x", settings.SECRET_KEY)
    answer = Client().get("/ofrep/v1/stream", {"token": token})
    assert (answer.status_code, answer.json().keys()) == (404, {"errorDetails"})


def test_a_project_that_lets_nobody_in_without_a_log_in_has_streams(server, settings):
    released("x")
    url = async_to_sync(address)(server)
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]

    async def ask():
        async with opened(url):
            return True

    assert async_to_sync(ask)()


@in_loop
async def test_the_address_stays_the_same_while_nothing_happens(server):
    assert await address(server) == await address(server)


@pytest.mark.parametrize("hours", [6, 7])
def test_the_address_and_the_etag_change_after_some_hours(server, hours):
    async def ask():
        response = await AsyncClient().post(
            ALL, {"context": {}}, content_type="application/json", headers=server.headers
        )
        return response["ETag"], response.json()["eventStreams"][0]["url"]

    first = async_to_sync(ask)()
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        later = async_to_sync(ask)()
    assert first[0] != later[0]
    assert first[1] != later[1]


@pytest.mark.parametrize(("hours", "status"), [(5.9, 200), (12.1, 403)])
def test_an_address_is_good_for_six_to_twelve_hours(server, hours, status):
    async def ask(url):
        response = await AsyncClient().get(url)
        if response.streaming:
            await aiter(response.streaming_content).aclose()
        return response.status_code

    url = async_to_sync(address)(server)
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        assert async_to_sync(ask)(url) == status


FORGED = [
    "",
    "nonsense",
    f"{2**40}:x",
    f"{2**40}:x:nonsense",
    signing.Signer(salt="another").sign(f"{2**40}:x"),
]


@pytest.mark.parametrize("token", FORGED)
def test_an_address_can_not_be_guessed(token):
    async def ask():
        return (await AsyncClient().get("/ofrep/v1/stream", {"token": token})).status_code

    assert async_to_sync(ask)() == 403


@in_loop
async def test_a_stream_is_only_read(server):
    url = await address(server)
    client = AsyncClient(enforce_csrf_checks=True)
    assert (await client.post(url)).status_code == 405


@in_loop
async def test_nothing_keeps_events_back(server):
    response = await AsyncClient().get(await address(server), headers={"Accept-Encoding": "gzip"})
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "private, no-store"
    assert (response["X-Accel-Buffering"], response["Content-Encoding"]) == ("no", "identity")


@in_loop
async def test_a_process_has_only_so_many_streams(server):
    url = await address(server)
    Watch.of_loop().streams = streams.MOST_OPEN
    response = await AsyncClient().get(url)
    assert (response.status_code, response["Retry-After"]) == (503, "10")


# --- Events ---------------------------------------------------------------------------------


@in_loop
async def test_a_change_is_an_event(server):
    await sync_to_async(released)("x")
    async with opened(await address(server)) as stream:
        assert await stream.is_quiet()
    async with opened(await address(server)) as stream:
        await change("x")
        event = await stream.event()
    conforms({"type": event["type"], "etag": event["etag"]}, "sseEventData")
    assert event["type"] == "refetchEvaluation"
    assert event["id"] == streams.told(event["etag"])


@in_loop
async def test_a_change_between_the_answer_and_the_stream_is_not_missed(server):
    await sync_to_async(released)("x")
    url = await address(server)
    await change("x")
    async with opened(url) as stream:
        assert (await stream.event())["type"] == "refetchEvaluation"


@in_loop
async def test_each_change_is_an_event_of_its_own(server):
    await sync_to_async(released)("x")
    await sync_to_async(released)("y")
    async with opened(await address(server)) as stream:
        await change("x")
        first = await stream.event()
        await change("y")
        second = await stream.event()
    assert first["id"] != second["id"]


@in_loop
async def test_whoever_comes_again_hears_what_was_missed(server):
    await sync_to_async(released)("x")
    await sync_to_async(released)("y")
    url = await address(server)
    async with opened(url) as stream:
        await change("x")
        last = (await stream.event())["id"]
    async with opened(url, **{"Last-Event-ID": last}) as stream:
        assert await stream.is_quiet()
    await change("y")
    async with opened(url, **{"Last-Event-ID": last}) as stream:
        assert (await stream.event())["id"] != last


NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)
ONE = NOON + timedelta(hours=1)
BOUNDARIES = {
    "a start": lambda: released("x", active_from=ONE),
    "an end": lambda: released("x", active_until=ONE),
    "a stage": lambda: changes.rollouts.start(
        released("x").key, [(0, timedelta(hours=1)), (100, None)], at=NOON
    ),
    "a condition": lambda: targeted("x", ("now", "on_or_after", [ONE.isoformat()])),
}


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_boundary_in_time_is_an_event(server, boundary):
    async def test(clock):
        await sync_to_async(BOUNDARIES[boundary])()
        before = await bulk(server)
        async with opened(await address(server)) as stream:
            clock.move_to(ONE)
            assert await stream.event()
        after = await bulk(server)
        assert before["flags"] != after["flags"]
        assert before["metadata"] == after["metadata"]

    with time_machine.travel(NOON, tick=False) as clock:
        async_to_sync(test)(clock)


@in_loop
async def test_a_quiet_stream_is_kept_alive(server):
    url = await address(server)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "HEARTBEAT", 0.05)
        async with opened(url) as stream:
            assert await stream.chunk() == ": still here\n\n"
            assert await stream.chunk() == ": still here\n\n"


# --- One look for all -----------------------------------------------------------------------


def looking() -> int:
    """Count the tasks that look for changes."""
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    return names.count("Watch._look")


@in_loop
async def test_one_task_looks_for_all_streams_and_ends_with_the_last(server):
    await sync_to_async(released)("x")
    url = await address(server)
    assert looking() == 0
    async with AsyncExitStack() as stack:
        many = [await stack.enter_async_context(opened(url)) for _ in range(20)]
        assert looking() == 1
        await change("x")
        assert len({(await stream.event())["id"] for stream in many}) == 1
    async with asyncio.timeout(PATIENCE):
        while looking():
            await asyncio.sleep(0.01)
    async with opened(url):
        assert looking() == 1


@in_loop
async def test_a_failure_is_logged_and_the_next_look_succeeds(server):
    await sync_to_async(released)("x")
    url = await address(server)
    failures = iter([ZeroDivisionError()])

    def failing(snapshot, now):
        for failure in failures:
            raise failure
        return state_of(snapshot, now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "state_of", failing)
        async with opened(url) as stream:
            await change("x")
            assert await stream.event()


# --- Asking again ---------------------------------------------------------------------------


def test_a_process_that_has_not_seen_the_change_yet_looks_before_it_answers(server, settings):
    settings.FLAGGATE = {"MAX_STALENESS": 3600}
    released("x")
    old, told = server.answers()["x"]["value"], state_of(store.current(), timezone.now())
    changes.disable("x")
    store._seen = store._commits  # as if another process had made the change
    assert server.answers()["x"]["value"] is old is True
    assert asked_after(server, told)["flags"][0]["value"] is True
    assert asked_after(server, "news")["flags"][0]["value"] is False


def test_an_event_that_nobody_sent_makes_no_query(server, django_assert_num_queries):
    released("x")
    server.all()  # finds the key, and the flags
    with django_assert_num_queries(0):
        server.post(f"{ALL}?flagConfigEtag=forged", {"context": {}})


def test_the_same_event_makes_a_process_look_once(server, django_assert_num_queries):
    released("x")
    server.all()
    with django_assert_num_queries(1):
        asked_after(server, "earlier")
    with django_assert_num_queries(0):
        asked_after(server, "earlier")


def asked_after(server, state):
    """Ask for all flags, as a client does upon an event."""
    etag = streams._signed(streams.EVENTS, state, django_settings.SECRET_KEY)
    return server.post(f"{ALL}?{urlencode({'flagConfigEtag': etag})}", {"context": {}}).json()
