"""The built-in attributes: what each says of a user and of a request, and what it costs."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.db import models
from django.test import override_settings
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject, lazystr
from django.utils.translation import gettext_lazy

import flaggate
from flaggate.context import BUILT_IN
from flaggate.context.attributes import comparable
from tests.fixtures import a_request, released, targeted

pytestmark = pytest.mark.django_db

JOINED = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


class Reader(AbstractBaseUser):
    """A user model with none of the usual fields."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    handle = models.CharField(max_length=20, unique=True)
    USERNAME_FIELD = "handle"

    class Meta:
        app_label = "tests"
        managed = False


class TokenUser:
    """A user who is known by a token only."""

    is_authenticated = True
    pk = "token-7"


@pytest.fixture
def user() -> User:
    created = User.objects.create_user("ada", "ada@example.com", is_staff=True, date_joined=JOINED)
    created.groups.add(Group.objects.create(name="beta"))
    created.user_permissions.add(Permission.objects.get(codename="view_flag"))
    return created


def attribute(name: str, subject: Any) -> object:
    return flaggate.flags_for(subject).context.attributes[name]


def test_the_built_in_attributes_are_these():
    assert set(BUILT_IN) == {
        "targeting_key",
        "visitor",
        "username",
        "email",
        "is_authenticated",
        "is_staff",
        "is_superuser",
        "groups",
        "permissions",
        "language",
        "date_joined",
        "path",
        "method",
        "host",
        "ip",
        "now",
    }


# --- Users ---

OF_ADA = {
    "username": "ada",
    "email": "ada@example.com",
    "is_authenticated": True,
    "is_staff": True,
    "is_superuser": False,
    "groups": ["beta"],
    "permissions": ["flaggate.view_flag"],
    "date_joined": JOINED,
}


@pytest.mark.parametrize(("name", "expected"), OF_ADA.items(), ids=OF_ADA)
def test_attributes_of_a_user(user, name, expected):
    assert attribute(name, user) == expected
    assert attribute(name, a_request(user=user)) == expected


OF_NOBODY = {
    "username": None,
    "email": None,
    "is_authenticated": False,
    "is_staff": False,
    "is_superuser": False,
    "groups": [],
    "permissions": [],
    "date_joined": None,
}


@pytest.mark.parametrize(("name", "expected"), OF_NOBODY.items(), ids=OF_NOBODY)
@pytest.mark.parametrize(
    "subject", [None, "42", AnonymousUser(), a_request()], ids=["nobody", "id", "user", "request"]
)
def test_somebody_who_is_not_logged_in_has_no_groups_and_no_rights(subject, name, expected):
    assert attribute(name, subject) == expected


def test_a_blank_email_is_missing():
    assert attribute("email", User(pk=1, email="")) is None


def test_the_targeting_key_of_a_user_is_the_primary_key_as_text(user):
    assert attribute("targeting_key", user) == str(user.pk)
    assert attribute("targeting_key", a_request(user=user)) == str(user.pk)


def test_the_targeting_key_of_a_user_may_be_a_uuid():
    reader = Reader(handle="grace")
    assert attribute("targeting_key", reader) == str(reader.pk)


def test_a_user_who_was_never_saved_has_no_targeting_key():
    assert attribute("targeting_key", User()) is None


@pytest.mark.parametrize("name", OF_ADA, ids=OF_ADA)
def test_a_user_model_without_the_usual_fields_lacks_what_it_has_not(name):
    expected = OF_NOBODY | {"is_authenticated": True, "username": "grace"}
    assert attribute(name, Reader(handle="grace")) == expected[name]


@pytest.mark.parametrize("name", OF_ADA, ids=OF_ADA)
def test_a_user_object_that_is_no_model_lacks_what_it_has_not(name):
    assert attribute(name, TokenUser()) == (OF_NOBODY | {"is_authenticated": True})[name]
    assert attribute("targeting_key", TokenUser()) == "token-7"


def test_an_unconditional_flag_reads_nothing_of_the_user():
    released("new_checkout")

    def explode():
        raise AssertionError("somebody read the user")

    request = a_request()
    request.user = SimpleLazyObject(explode)
    assert flaggate.is_active("new_checkout", request)
    assert not request.session.accessed


def test_groups_and_permissions_cost_one_query_each_time_a_rule_asks_first(
    user, django_assert_num_queries
):
    targeted("for_beta", ("groups", "one_of", ["beta"]))
    targeted("not_beta", ("groups", "one_of", ["alpha"]))
    targeted("for_staff", ("is_staff", "one_of", [True]))
    targeted("for_viewers", ("permissions", "one_of", ["flaggate.view_flag"]))
    flaggate.flags_for()
    request = a_request(user=User.objects.get(pk=user.pk))
    flags = flaggate.flags_for(request)
    with django_assert_num_queries(0):
        assert flags.is_active("for_staff")
    with django_assert_num_queries(1):
        assert flags.is_active("for_beta")
        assert not flags.is_active("not_beta")
        assert flags.is_active("for_beta")
    with django_assert_num_queries(2):  # Django's own: of the user, and of the groups
        assert flags.is_active("for_viewers")
        assert flags.is_active("for_viewers")


# --- Requests ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("path", "/shop/"),
        ("method", "GET"),
        ("host", "shop.example"),
        ("ip", "203.0.113.9"),
        ("language", "en-us"),
    ],
)
def test_attributes_of_a_request(name, expected):
    request = a_request("/shop/", headers={"host": "shop.example"}, REMOTE_ADDR="203.0.113.9")
    assert attribute(name, request) == expected


def test_a_user_and_an_id_have_no_request():
    for name in ("path", "method", "host", "ip", "visitor"):
        assert attribute(name, "42") is None


def test_a_request_without_an_address_has_none():
    assert attribute("ip", a_request(REMOTE_ADDR="")) is None


@override_settings(ALLOWED_HOSTS=["shop.example"])
def test_a_forged_host_is_missing_and_breaks_no_page():
    targeted("by_host", ("host", "ends_with", [".example"]))
    forged = a_request(headers={"host": "evil.test"})
    assert attribute("host", forged) is None
    assert flaggate.evaluate("by_host", forged).reason == "DEFAULT"
    assert flaggate.is_active("by_host", a_request(headers={"host": "shop.example"}))


def test_proxies_are_the_projects_business():
    request = a_request(headers={"x-forwarded-for": "198.51.100.1"}, REMOTE_ADDR="10.0.0.1")
    assert attribute("ip", request) == "10.0.0.1"


def test_the_language_is_that_of_the_request_or_else_the_active_one():
    request = a_request()
    request.LANGUAGE_CODE = "de"
    assert attribute("language", request) == "de"
    with translation.override("fr"):
        assert attribute("language", a_request()) == "fr"
        assert attribute("language", "42") == "fr"


@time_machine.travel(JOINED, tick=False)
def test_now_is_an_attribute():
    targeted("since_noon", ("now", "on_or_after", ["2026-01-02T03:04:00Z"]))
    targeted("later", ("now", "after", ["2026-01-02T03:04:00Z"]))
    flags = flaggate.flags_for(a_request())
    assert flags.is_active("since_noon")
    assert not flags.is_active("later")


def test_a_date_of_joining_can_be_compared(user):
    targeted("newcomers", ("date_joined", "after", ["2026-01-01T00:00:00Z"]))
    assert flaggate.is_active("newcomers", user)
    assert not flaggate.is_active("newcomers", None)


# --- What conditions can compare ---

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (JOINED, JOINED),
        (datetime(2026, 5, 4, 12), datetime(2026, 5, 4, 12, tzinfo=BERLIN)),
        (date(2026, 5, 4), datetime(2026, 5, 4, tzinfo=BERLIN)),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (gettext_lazy("flag"), "flag"),
        (lazystr("text"), "text"),
        (SimpleLazyObject(lambda: "text"), "text"),
        (SimpleLazyObject(lambda: SimpleLazyObject(lambda: 5)), 5),
        (User(pk=5), 5),
        (SimpleLazyObject(lambda: Reader(pk=uuid.UUID(int=1))), str(uuid.UUID(int=1))),
        ([uuid.UUID(int=1), lazystr("b")], [str(uuid.UUID(int=1)), "b"]),
        (("a", date(2026, 5, 4)), ["a", datetime(2026, 5, 4, tzinfo=BERLIN)]),
        (frozenset({"a"}), ["a"]),
        (SimpleLazyObject(lambda: ["a"]), ["a"]),
        ([["a"]], [["a"]]),
        ("text", "text"),
        (5, 5),
        (None, None),
        ({"a": 1}, {"a": 1}),
    ],
    ids=lambda value: repr(value).partition("<function")[0],  # whose address is another each time
)
def test_values_become_comparable(value, expected):
    with timezone.override(BERLIN):
        found = comparable(value)
    assert found == expected
    assert type(found) is type(expected)
    if isinstance(found, list):
        assert [type(each) for each in found] == [type(each) for each in expected]


def test_a_lazy_object_that_was_read_already_becomes_plain():
    lazy = SimpleLazyObject(lambda: "text")
    assert str(lazy) == "text"
    assert type(comparable(lazy)) is str


def test_a_query_set_becomes_a_list(user):
    assert comparable(Group.objects.values_list("name", flat=True)) == ["beta"]
    assert comparable(User.objects.all()) == [user.pk]


@override_settings(USE_TZ=False, TIME_ZONE="Europe/Berlin")
def test_without_time_zones_a_moment_is_in_the_projects_own():
    joined = attribute("date_joined", User(pk=1, date_joined=datetime(2026, 5, 4)))
    assert joined == datetime(2026, 5, 4, tzinfo=BERLIN)
