"""Users as subjects: what is read for many at once is what each would tell."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flaggate import changes, context
from flaggate.admin import estimating, matching
from flaggate.admin.subjects import CHUNK, subjects
from flaggate.core.evaluation import MEMBERSHIPS
from flaggate.models import Segment
from flaggate.store import store
from tests.fixtures import segment, targeted

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OF_MANY = ("groups", MEMBERSHIPS)


@pytest.fixture
def some():
    """Users of whom the first is in two groups, and a member here, excluded there."""
    made = [User.objects.create_user(f"u{number}") for number in range(3)]
    made[0].groups.set(Group.objects.create(name=name) for name in ("testers", "staff"))
    for key in ("in", "out"):
        segment(key)
        changes.members.add(key, [str(made[0].pk)], excluded=key == "out")
    Segment.objects.update(on_demand=True)
    return made


def told(users, attributes):
    return [
        {name: subject.attributes[name] for name in OF_MANY}
        for _user, subject in subjects(users, attributes, NOW)
    ]


def test_users_tell_what_each_would_alone(some):
    alone = [context.of_subject(user, NOW).attributes for user in some]
    found = told(some, OF_MANY)
    assert [set(each["groups"]) for each in found] == [set(each["groups"]) for each in alone]
    assert [each[MEMBERSHIPS] for each in found] == [each[MEMBERSHIPS] for each in alone]
    assert found[0] == {"groups": found[0]["groups"], MEMBERSHIPS: {"in": True, "out": False}}


def test_what_is_known_of_all_is_one_query_for_all(some, django_assert_num_queries):
    for attribute in OF_MANY:
        with django_assert_num_queries(1):
            found = subjects(some, [attribute], NOW)
            assert all(subject.attributes[attribute] is not None for _user, subject in found)


def test_what_nobody_asks_for_is_not_read(some, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert len(list(subjects(some, ["username"], NOW))) == 3


def test_groups_that_are_no_rows_are_asked_for_one_by_one(some, monkeypatch):
    monkeypatch.setattr("flaggate.admin.subjects._have_groups", lambda: False)
    assert {"testers", "staff"} == set(told(some, OF_MANY)[0]["groups"])


def counted(key):
    matching.count(f"{key}.audience")


def estimated(key):
    snapshot = store.current()
    estimating.estimate(snapshot, snapshot, key)


@pytest.mark.parametrize("ask", [counted, estimated])
def test_more_users_take_no_more_queries(some, ask, monkeypatch):
    monkeypatch.setattr(estimating, "LONGEST", float("inf"))
    targeted("x", ("groups", "one_of", ["testers"]))
    Segment.objects.filter(key="x.audience").update(on_demand=True)
    store.current()
    with CaptureQueriesContext(connection) as few:
        ask("x")
    User.objects.bulk_create(User(username=f"v{number}") for number in range(CHUNK // 2))
    with CaptureQueriesContext(connection) as many:
        ask("x")
    assert len(many) == len(few)
