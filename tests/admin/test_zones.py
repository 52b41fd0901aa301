"""No page of admin shows a moment in UTC, but where one points at it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from flaggate import changes
from flaggate.admin.verbs import VERBS
from flaggate.api import keys
from flaggate.changes import rollouts
from flaggate.models import ApiKey, Flag, Revision

CHRISTMAS = datetime(2096, 12, 25, 18, 40, tzinfo=UTC)
WRITTEN = "2096-12-25 18:40 UTC"
SHOWN = "Dec. 26, 2096, 3:40 a.m. JST"


@pytest.fixture(autouse=True)
def _tokyo(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    timezone.get_default_timezone.cache_clear()
    yield
    timezone.get_default_timezone.cache_clear()


@pytest.fixture
def flag() -> Flag:
    """A flag that begins and ends at Christmas, with stages from then on."""
    flag = changes.create("x", enabled=True)
    rollouts.start("x", [(5, timedelta(days=1)), (100, None)], at=CHRISTMAS)
    with changes.change():
        flag.active_from, flag.active_until = CHRISTMAS, CHRISTMAS + timedelta(days=365)
        flag.save()
    return flag


PLACES = (
    "/admin/",
    "/admin/flaggate/",
    "/admin/flaggate/flag/",
    "/admin/flaggate/flag/{pk}/change/",
    "/admin/flaggate/flag/{pk}/delete/",
    "/admin/flaggate/flag/{pk}/who/?targeting_key=42",
    "/admin/flaggate/revision/",
    "/admin/flaggate/revision/{newest}/change/",
    "/admin/flaggate/revision/of/flag/x/",
    "/admin/flaggate/revision/of/flag/x/compare/?from={oldest}&to=now",
    "/admin/flaggate/revision/of/flag/x/revert/1/",
)


def shown(text: str) -> str:
    """Leave out what a pointer reads, and what a field or JSON holds."""
    return re.sub(r'title="[^"]*"|<pre.*?</pre>', "", text, flags=re.DOTALL)


@pytest.mark.parametrize("place", PLACES)
def test_a_page_says_it_in_the_readers_zone(ada, flag, place):
    revisions = Revision.objects.filter(key="x").values_list("pk", flat=True)
    page = ada.get(place.format(pk=flag.pk, newest=revisions.first(), oldest=revisions.last()))
    assert (SHOWN in page.text, WRITTEN in shown(page.text)) == (True, False)


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"start", "resume", "undo", "restore"}))
def test_so_does_a_page_that_asks_first(ada, flag, verb):
    page = ada.ask(verb, flag, value="5")
    assert (SHOWN in page.text, WRITTEN in shown(page.text)) == (True, False)


def test_so_does_the_message_afterwards(ada, flag):
    page = ada.do("pause", flag)
    assert (SHOWN in page.messages[0], WRITTEN in shown(page.messages[0])) == (True, False)


def test_so_do_a_review_and_a_conflict(ada, bob, flag):
    rollouts.stop("x")
    mine, theirs = ada.open(flag), bob.open(flag)
    later = {"active_from_0": "2096-12-25", "active_from_1": "23:40"}
    reviewed = mine.save(_review="1", **later)
    theirs.save(**later)
    met = mine.save(percentage="5")
    for page in (reviewed, met):
        assert SHOWN in page.text
        assert " UTC" not in shown(page.text)


def test_so_do_lists_and_history_of_api_keys(ada):
    keys.create("deployment", ["evaluate:client"], expires_at=CHRISTMAS)
    for page in (ada.list(ApiKey), ada.list(Revision)):
        assert (SHOWN in page.text, " UTC" in shown(page.text)) == (True, False)


def test_the_schedule_says_in_which_zone_it_is_typed(ada, flag):
    assert "Type moments in the zone Asia/Tokyo." in ada.open(flag).words
