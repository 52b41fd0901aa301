from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from flaggate.models import wording
from flaggate.templatetags.flaggate_moments import when, zoned

CHRISTMAS = datetime(2026, 12, 25, 18, 40, tzinfo=UTC)


def test_a_moment_is_shown_in_the_current_zone_and_in_utc_for_the_pointer():
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert when(CHRISTMAS) == (
            '<time class="flaggate-moment" datetime="2026-12-25T18:40:00+00:00" '
            'title="2026-12-25 18:40 UTC">Dec. 26, 2026, 3:40 a.m. JST</time>'
        )


def test_a_moment_within_words_is_shown_as_one_by_itself():
    assert zoned("on until 2026-12-25 18:40 UTC for 5 %") == f"on until {when(CHRISTMAS)} for 5 %"


def test_each_of_several_is():
    assert zoned("2026-12-25 18:40 UTC → 2026-12-25 18:40 UTC").count("<time") == 2


def test_words_around_it_are_escaped():
    assert zoned("<b>2026-12-25 18:40 UTC</b>") == f"&lt;b&gt;{when(CHRISTMAS)}&lt;/b&gt;"


@pytest.mark.parametrize(
    "words", ["", "off", "2026-06-31 18:40 UTC", "2026-12-25 18:40", "12026-12-25 18:40 UTC"]
)
def test_what_is_no_moment_stays_as_it_is(words):
    assert zoned(words) == words


@given(st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9999, 12, 30)))
def test_every_moment_that_wording_writes_is_found(moment):
    shown = zoned(wording.moment(moment.replace(tzinfo=UTC)))
    assert f'datetime="{moment:%Y-%m-%dT%H:%M}:00+00:00"' in shown
