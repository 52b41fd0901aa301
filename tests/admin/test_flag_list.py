from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flaggate import changes
from flaggate.models import Flag, Revision, Rule, Segment


def keys(page):
    """The flags that a list shows."""
    return [flag.key for flag in page.response.context["cl"].result_list]


def make(key, **fields):
    return changes.create(key, **fields)


# --- what it shows ----------------------------------------------------------------------------


def test_it_says_a_flags_state_in_words_and_with_a_sign(ada):
    make("x", enabled=True, percentage=5)
    make("y")
    text = ada.list(Flag).text
    assert '<span aria-hidden="true">●</span> on for 5 %' in text
    assert '<span aria-hidden="true">○</span> off' in text


def test_a_flag_that_is_not_due_yet_has_the_sign_of_one_that_is_off(ada):
    make("x", enabled=True, active_from=timezone.now() + timedelta(days=1))
    assert '<span aria-hidden="true">○</span> scheduled from' in ada.list(Flag).text


def test_it_says_who_changed_a_flag_last_and_when(ada, flag):
    ada.open(flag).save(description="new")
    text = ada.list(Flag).text
    assert "just now</time> by ada" in text
    Revision.objects.update(created=timezone.now() - timedelta(hours=3))
    assert "3\xa0hours ago</time> by ada" in ada.list(Flag).text


def test_it_names_the_source_where_nobody_made_the_change(ada):
    changes.create("x", source="command")
    assert "just now</time> by command" in ada.list(Flag).text


def test_a_flag_without_a_history_has_a_dash(ada):
    Flag.objects.create(key="x")
    assert '<td class="field-changed">–</td>' in ada.list(Flag).text


def test_it_says_which_stage_of_a_rollout_holds(ada, flag):
    changes.rollouts.start("x", changes.rollouts.to_plan("5:1d,100"))
    assert "on for 5 % (stage 1 of 2)" in ada.list(Flag).text


# --- filters and search -----------------------------------------------------------------------


@pytest.fixture
def three():
    make("on", enabled=True, kind="release", owner="Checkout", tags=["money", "für alle"])
    make("off", kind="operational", owner="Logistics", tags=["money, honey"])
    make("gone", description="The old Basket")
    changes.archive("gone")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["off", "on"]),
        ("?state=on", ["on"]),
        ("?state=off", ["off"]),
        ("?state=archived", ["gone"]),
        ("?state=any", ["gone", "off", "on"]),
        ("?state=nonsense", ["off", "on"]),
        ("?kind__exact=operational", ["off"]),
        ("?owner=Checkout", ["on"]),
        ("?tag=money", ["on"]),
        ("?tag=nonsense", []),
        ("?q=money", ["off", "on"]),
        ("?q=f%C3%BCr", ["on"]),
        ("?q=check", ["on"]),
        ("?state=any&q=basket", ["gone"]),
        ("?o=5", ["off", "on"]),
    ],
)
def test_a_filter_or_a_search_finds(ada, three, query, found):
    assert sorted(keys(ada.list(Flag, query))) == found


def test_the_filters_offer_the_owners_and_tags_there_are(ada, three):
    text = ada.list(Flag).text
    assert all(word in text for word in ("Checkout", "Logistics", "für alle", "money, honey"))


def test_the_filters_can_count(ada, three):
    assert "Archived (1)" in ada.list(Flag, "?_facets=True").text


def test_tags_that_are_no_list_of_texts_hurt_nobody(ada, three):
    Flag.objects.filter(key="on").update(tags={"a": 1})
    Flag.objects.filter(key="off").update(tags=[1, None])
    assert ada.list(Flag).status == 200


# --- queries ----------------------------------------------------------------------------------


def fill(number):
    with changes.change():
        segment = Segment.objects.create(key="beta")
        first = Flag.objects.create(key="first")
        for n in range(number):
            flag = Flag.objects.create(key=f"flag_{n}", enabled=True, tags=["a"])
            flag.prerequisites.create(required=first)
            Rule.objects.create(flag=flag).segments.add(segment)


@pytest.mark.django_db(transaction=True)
def test_a_hundred_flags_take_eight_queries(ada):
    fill(99)
    ada.get("/admin/login/")  # loads the snapshot
    with CaptureQueriesContext(connection) as queries:
        page = ada.list(Flag)
    assert len(keys(page)) == 100
    assert len(queries) <= 8


# --- actions ----------------------------------------------------------------------------------


def test_turning_on_and_off(ada, flag):
    page = ada.act("turn_on", flag, comment="It is time.")
    assert page.messages == ["x: on for nobody."]
    assert Flag.objects.get().enabled
    last = Revision.objects.first()
    assert (last.actor_name, last.source, last.comment) == ("ada", "admin", "It is time.")
    assert ada.act("turn_off", flag).messages == ["x: off."]
    assert not Flag.objects.get().enabled


def test_archiving_and_restoring(ada, flag):
    assert ada.act("archive", flag).messages == ["x: archived."]
    assert Flag.objects.get().archived
    page = ada.post("/admin/flaggate/flag/?state=any", action_on(flag, "restore"))
    assert page.messages == ["x: off."]
    assert not Flag.objects.get().archived


def action_on(flag, action):
    return {"action": action, "_selected_action": [flag.pk], "index": 0}


def test_many_flags_are_one_change(ada):
    flags = [make(f"x{n}") for n in range(6)]
    assert ada.act("turn_on", *flags).messages == ["6 flags were changed."]
    assert Flag.objects.filter(enabled=True).count() == 6
    assert Revision.objects.filter(source="admin").count() == 6


def test_an_archived_flag_can_not_be_turned_on_and_keeps_the_others_from_it(ada, flag):
    other = make("y")
    changes.archive("x")
    page = ada.post(
        "/admin/flaggate/flag/?state=any",
        {"action": "turn_on", "_selected_action": [other.pk, flag.pk], "index": 0},
    )
    assert "is archived. Restore it first" in page.messages[0]
    assert not Flag.objects.filter(enabled=True).exists()


def test_a_critical_flag_is_not_changed_by_an_action(ada):
    flag = make("x", critical=True)
    assert "asks for its key" in ada.act("turn_on", flag).messages[0]
    assert not Flag.objects.get().enabled


def test_a_broken_flag_can_be_turned_off(ada):
    flag = make("x", enabled=True)
    Flag.objects.filter(key="x").update(off_variant="nope")
    assert ada.act("turn_off", flag).messages == ["x: off."]


def test_a_broken_flag_can_not_be_turned_on(ada):
    flag = make("x")
    Flag.objects.filter(key="x").update(off_variant="nope")
    assert "is no variant of the flag" in ada.act("turn_on", flag).messages[0]
    assert not Flag.objects.get().enabled
