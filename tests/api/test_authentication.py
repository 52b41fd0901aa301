"""Who asks: a machine by its API key, or else whom the project authenticates."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser, User
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from flaggate.api import authentication, keys
from flaggate.models import ApiKey

pytestmark = pytest.mark.django_db


class Who(authentication.ProjectAuthentication, APIView):
    permission_classes = [AllowAny]

    def get(self, request):
        return Response({"user": str(request.user), "key": request.auth and request.auth.name})


@pytest.fixture(autouse=True)
def _nothing_remembered():
    authentication.forget()


@pytest.fixture
def issued():
    return keys.create("deploy", ["manage:toggle"])


def ask(user=None, **headers):
    request = APIRequestFactory().get("/", **headers)
    request.user = user or AnonymousUser()
    return Who.as_view()(request)


def bearer(secret):
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_a_key_is_a_bearer_token(issued, scheme):
    response = ask(HTTP_AUTHORIZATION=scheme + issued.secret)
    assert response.data == {"user": "AnonymousUser", "key": "deploy"}


def test_a_key_may_stand_in_a_header_of_its_own(issued):
    assert ask(HTTP_X_API_KEY=issued.secret).data["key"] == "deploy"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda secret: secret[:-1],
        lambda secret: secret + "x",
        lambda secret: secret.swapcase().replace("FGK_", "fgk_"),
        lambda secret: secret.rpartition("_")[0],
        lambda secret: "fgk_" + "x" * 100_000,
        lambda secret: "fgk_\ud800",
    ],
)
def test_a_wrong_secret_is_refused_and_not_ignored(issued, wrong):
    response = ask(**bearer(wrong(issued.secret)))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="flaggate"'


def test_the_refusal_does_not_say_which_of_the_three_it_is(issued):
    unknown = ask(**bearer(issued.secret + "x")).data
    keys.revoke(issued.key)
    assert ask(**bearer(issued.secret)).data == unknown


def test_a_wrong_key_is_refused_although_a_user_is_logged_in():
    assert ask(User(pk=1, username="ada"), **bearer("fgk_12345678_x")).status_code == 401


def test_a_key_counts_before_the_user_who_is_logged_in(issued):
    response = ask(User(pk=1, username="ada"), **bearer(issued.secret))
    assert response.data == {"user": "AnonymousUser", "key": "deploy"}


@pytest.mark.parametrize("header", ["Bearer eyJhbGciOi", "Token fgk_12345678_x", "Bearer", ""])
def test_other_tokens_are_left_to_the_project(header):
    response = ask(User(pk=1, username="ada"), HTTP_AUTHORIZATION=header)
    assert response.data == {"user": "ada", "key": None}


def test_a_key_expires_by_the_clock_also_while_it_is_remembered():
    issued = keys.create("deploy", ["evaluate:client"], expires_at=timezone.now() + timedelta(1))
    assert ask(**bearer(issued.secret)).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert ask(**bearer(issued.secret)).status_code == 401


# --- What is remembered ---------------------------------------------------------------------


def test_a_known_key_makes_no_query(issued, django_assert_num_queries):
    ask(**bearer(issued.secret))
    with django_assert_num_queries(0):
        ask(**bearer(issued.secret))


def test_revoking_in_this_process_is_seen_at_once(issued):
    ask(**bearer(issued.secret))
    keys.revoke(issued.key)
    assert ask(**bearer(issued.secret)).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_what_was_read_before_the_commit_is_not_kept(issued):
    with transaction.atomic():
        keys.revoke(issued.key)
        stale = ApiKey.objects.get()
        stale.revoked_at = None
        authentication._Remembered.keys[stale.digest] = (stale, float("inf"))
    assert ask(**bearer(issued.secret)).status_code == 401


def test_revoking_in_another_process_is_seen_after_half_a_minute(issued, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(authentication, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    ask(**bearer(issued.secret))
    ApiKey.objects.update(revoked_at=timezone.now())  # tells nobody
    clock[0] = 29.9
    assert ask(**bearer(issued.secret)).status_code == 200
    clock[0] = 30
    assert ask(**bearer(issued.secret)).status_code == 401


def test_tries_are_not_remembered(issued):
    for number in range(5):
        ask(**bearer(f"{issued.key.prefix}_{number}"))
    assert authentication._Remembered.keys == {}


# --- When it was last used ------------------------------------------------------------------


def writes(captured):
    return [each["sql"] for each in captured if each["sql"].startswith("UPDATE")]


def test_the_last_use_is_written_once_an_hour(issued):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for minutes, wanted in ((0, 1), (10, 0), (49, 0), (1, 1), (1, 0)):
            clock.shift(timedelta(minutes=minutes))
            authentication.forget()
            with CaptureQueriesContext(connection) as captured:
                ask(**bearer(issued.secret))
            assert len(writes(captured)) == wanted
            issued.key.refresh_from_db()
            assert issued.key.last_used_at is not None


def test_a_last_use_that_can_not_be_written_fails_no_request(issued):
    def refuse(execute, sql, *rest):
        if sql.startswith("UPDATE"):
            raise OperationalError("read-only")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        assert ask(**bearer(issued.secret)).status_code == 200


def test_without_the_database_an_unknown_key_is_told_to_try_again(issued):
    def refuse(*_):
        raise OperationalError("gone")

    with connection.execute_wrapper(refuse):
        assert ask(**bearer(issued.secret)).status_code == 503
