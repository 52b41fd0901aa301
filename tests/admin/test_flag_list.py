import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flaggate import changes
from flaggate.models import Flag, Revision, Rollout, Rule, Segment, Usage
from tests.admin.pages import address_of
from tests.fixtures import segment


def keys(page):
    """The flags that a list shows."""
    return [flag.key for flag in page.response.context["cl"].result_list]


def make(key, **fields):
    return changes.create(key, **fields)


# --- what it shows ----------------------------------------------------------------------------


DAY = timedelta(days=1)
STATES = {
    "on": ({"enabled": True}, "●", "on"),
    "off": ({}, "○", "off"),
    "not due yet": ({"enabled": True, "active_from": timezone.now() + DAY}, "◔", "scheduled from"),
    "over": ({"enabled": True, "active_until": timezone.now() - DAY}, "◌", "over since"),
}


@pytest.mark.parametrize("case", STATES)
def test_it_says_a_flags_state_in_words_and_with_a_sign(ada, case):
    fields, sign, words = STATES[case]
    make("x", **fields)
    assert f'<span aria-hidden="true">{sign}</span> {words}' in ada.list(Flag).text


def test_an_archived_flag_has_a_sign_of_its_own(ada, flag):
    changes.archive("x")
    page = ada.list(Flag, "?state=archived")
    assert '<span aria-hidden="true">▣</span> archived' in page.text


def test_it_says_who_gets_a_flag_in_one_phrase(ada, segment):
    make("other")
    with changes.change():
        flag = make("x", enabled=True, percentage=25)
        Rule.objects.create(flag=flag, percentage=50).segments.add(segment)
        flag.prerequisites.create(required=Flag.objects.get(key="other"))
    assert "50 % of segment beta, then 25 %, if other is active" in ada.list(Flag).words


def test_flags_that_were_changed_together_keep_their_own_parts(ada, segment):
    with changes.change():
        Rule.objects.create(flag=make("one", enabled=True, percentage=5)).segments.add(segment)
        make("two", enabled=True, percentage=5)
    Flag.objects.update(owner="we")
    words = ada.list(Flag).words
    assert "segment beta, then 5 %" in words
    assert words.count("segment beta") == 1
    changes.together.rollout(["one", "two"], 7)
    assert ada.list(Flag).words.count("segment beta") == 1


def test_it_draws_the_share_and_writes_its_number(ada):
    make("x", percentage="12.5")
    text = ada.list(Flag).text
    assert '<rect class="flaggate-fill" width="12.5" height="8"/></svg> 12.5 %</span>' in text


def test_it_says_when_a_flag_was_last_evaluated(ada, flag):
    assert '<td class="field-evaluated">–</td>' in ada.list(Flag).text
    for days, variant in ((3, "on"), (2, "off"), (9, "on")):
        hour = timezone.now() - timedelta(days=days)
        Usage.objects.create(flag="x", variant=variant, hour=hour, count=1)
    assert "2\xa0days ago</time>" in ada.list(Flag).text


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
    assert "5 % 5 % stage 1 of 2" in ada.list(Flag).words


SHARING = ("share", "start", "pause", "resume", "stop", "complete")


def offered(page):
    return [verb for verb in SHARING if f"{address_of(verb)}?" in page.text]


@pytest.mark.parametrize(("begun", "verb"), [(0, "pause"), (2, "complete")])
def test_a_rollout_is_paused_until_its_last_stage_and_then_completed(ada, flag, begun, verb):
    plan = changes.rollouts.to_plan("5:1d,100")
    changes.rollouts.start("x", plan, at=timezone.now() - begun * DAY)
    assert offered(ada.list(Flag)) == [verb]
    assert ("pause" in offered(ada.open(flag))) == (verb == "pause")


def test_a_rollout_that_was_paused_before_its_last_stage_is_resumed(ada, flag):
    changes.rollouts.start("x", changes.rollouts.to_plan("5:1d,100"))
    changes.rollouts.pause("x")
    assert offered(ada.list(Flag)) == ["resume"]


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


@pytest.fixture
def each_state():
    """A flag in each state that the list shows, named after it."""
    for case, (fields, _sign, _words) in STATES.items():
        make(case.replace(" ", "_"), **fields)
    make("off_and_over", active_until=timezone.now() - DAY)
    make("gone", enabled=True)
    changes.archive("gone")


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("on", ["on"]),
        ("off", ["off", "off_and_over"]),
        ("scheduled", ["not_due_yet"]),
        ("over", ["over"]),
        ("quarantined", []),
        ("archived", ["gone"]),
    ],
)
def test_the_filter_by_state_finds_what_the_column_shows(ada, each_state, state, found):
    assert sorted(keys(ada.list(Flag, f"?state={state}"))) == found


def test_each_flag_is_in_one_state(ada, each_state):
    states = ("on", "off", "scheduled", "over", "archived")
    found = [key for state in states for key in keys(ada.list(Flag, f"?state={state}"))]
    assert sorted(found) == sorted(keys(ada.list(Flag, "?state=any")))


HINT = "1 archived flag fits, but is hidden."


def test_a_search_says_that_archived_flags_are_hidden_and_shows_them(ada, three):
    page = ada.list(Flag, "?q=gone&kind__exact=release")
    assert HINT in page.words
    link = re.search(r'href="([^"]+)">Show with archived<', page.text).group(1)
    page = ada.list(Flag, unescape(link))
    assert keys(page) == ["gone"]
    assert HINT not in page.words


@pytest.mark.parametrize(
    "query", ["", "?q=money", "?q=gone&state=off", "?q=gone&state=any", "?q=gone&owner=Checkout"]
)
def test_nothing_is_said_of_archived_flags_that_are_not_missed(ada, three, query):
    assert "Show with archived" not in ada.list(Flag, query).text


def test_the_filters_offer_the_owners_and_tags_there_are(ada, three):
    text = ada.list(Flag).text
    assert all(word in text for word in ("Checkout", "Logistics", "für alle", "money, honey"))


def test_the_filters_can_count(ada, three):
    text = ada.list(Flag, "?_facets=True").text
    assert "Archived (1)" in text
    assert "Scheduled (0)" in text


def test_tags_that_are_no_list_of_texts_hurt_nobody(ada, three):
    Flag.objects.filter(key="on").update(tags={"a": 1})
    Flag.objects.filter(key="off").update(tags=[1, None])
    assert ada.list(Flag).status == 200


# --- queries ----------------------------------------------------------------------------------


@pytest.fixture
def hundred():
    """A hundred flags, with a rule, a prerequisite and a running rollout each."""
    with changes.change():
        segment = Segment.objects.create(key="beta")
        first = Flag.objects.create(key="first", percentage=0)
        for n in range(99):
            flag = Flag.objects.create(key=f"flag_{n}", enabled=True, tags=["a"])
            flag.prerequisites.create(required=first)
            flag.stages.create(percentage=n)
            Rule.objects.create(flag=flag).segments.add(segment)
            Rollout.objects.create(flag=flag)


@pytest.mark.parametrize(
    ("query", "count"), [("", 100), ("?state=on", 99), ("?q=f", 100), ("?q=flag_", 99)]
)
@pytest.mark.django_db(transaction=True)
def test_a_hundred_flags_take_six_queries(ada, hundred, query, count):
    ada.list(Flag, query)  # reads what each flag has, and so does every process once
    with CaptureQueriesContext(connection) as queries:
        page = ada.list(Flag, query)
    assert len(keys(page)) == count
    assert len(queries) <= 6


@pytest.mark.django_db(transaction=True)
def test_what_was_changed_since_is_read_again(ada, hundred, segment_named_gamma):
    ada.list(Flag)
    with changes.change():
        Rule.objects.create(flag=Flag.objects.get(key="first")).segments.add(segment_named_gamma)
    assert "segment gamma" in ada.list(Flag, "?q=first").words


@pytest.fixture
def segment_named_gamma():
    return Segment.objects.create(key="gamma")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?rollout=running", ["running"]),
        ("?rollout=paused", ["paused"]),
        ("?rollout=none", ["x"]),
        ("?rollout=nonsense", ["paused", "running", "x"]),
    ],
)
def test_flags_are_found_by_their_rollout(ada, flag, query, found):
    for key in ("running", "paused"):
        changes.create(key)
        changes.rollouts.start(key, changes.rollouts.to_plan("5:1d,100"))
    changes.rollouts.pause("paused")
    assert sorted(keys(ada.list(Flag, query))) == found


def test_kind_and_owner_stand_beside(ada):
    make("x", owner="Checkout", kind="operational")
    assert "operational Checkout" in ada.list(Flag).words


def test_a_flag_for_a_segment_alone_shows_no_bar_of_0_percent(ada):
    with changes.change():
        flag = changes.create("x", percentage=0, enabled=True)
        flag.rules.create(percentage=100).segments.add(segment("beta"))
    assert "flaggate-meter" not in ada.list(Flag).text
    changes.rollout("x", 5)
    assert "flaggate-meter" in ada.list(Flag).text
