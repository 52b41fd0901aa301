"""A quarantined flag is shown as it is served, and offered what works."""

import pytest
from django.contrib.auth.models import User

from flaggate import changes
from flaggate.admin import quarantine
from flaggate.admin.rehearsing import rehearse
from flaggate.core import definitions
from flaggate.core.definitions import Quarantined
from flaggate.models import Flag
from flaggate.store import store
from tests.admin.pages import address, address_of
from tests.fixtures import a_request

# A good definition is remembered once it was committed.
pytestmark = pytest.mark.django_db(transaction=True)

OFF = "off for everyone until it is mended"
LAST_GOOD = "on, by its last good definition"


def broken(key="x", **fields):
    """Make a flag that this process has never known sound."""
    flag = changes.create(key, **{"enabled": True, "percentage": 20, **fields})
    Flag.objects.filter(key=key).update(off_variant="nope")
    store.__init__()
    return flag


def breaking(key="x", **fields):
    """Make a flag of which the last good definition is known."""
    flag = changes.create(key, **{"enabled": True, "percentage": 20, **fields})
    store.current()
    Flag.objects.filter(key=key).update(off_variant="nope")
    return flag


@pytest.fixture(params=[(broken, OFF, "○"), (breaking, LAST_GOOD, "●")], ids=["off", "last good"])
def case(request):
    make, words, sign = request.param
    return make(), words, sign


def offered(text):
    return [verb for verb in VERBS if f"{address_of(verb)}?" in text]


VERBS = ("turn-on", "turn-off", "share", "start", "stop", "pause", "archive", "restore")


def test_the_list_says_what_is_served(ada, case):
    _flag, words, sign = case
    page = ada.list(Flag)
    assert f"{sign} {words} ⚠ quarantined Turn off" in page.words
    assert "20 %" not in page.words


def listed(browser, state):
    page = browser.list(Flag, f"?state={state}")
    return [flag.key for flag in page.response.context["cl"].result_list]


def test_the_filter_of_the_list_finds_it_as_what_is_served(ada, case):
    _flag, words, _sign = case
    served, other = ("off", "on") if words == OFF else ("on", "off")
    assert listed(ada, served) == listed(ada, "quarantined") == ["x"]
    assert listed(ada, other) == listed(ada, "over") == []


def test_the_filter_finds_a_killed_one_as_off(ada):
    broken(enabled=False)
    assert listed(ada, "off") == listed(ada, "quarantined") == ["x"]
    changes.archive("x")
    assert listed(ada, "off") == listed(ada, "quarantined") == []


def test_the_head_of_the_page_says_what_is_served(ada, case):
    flag, words, sign = case
    page = ada.open(flag)
    assert f"{sign} {words}" in page.words
    assert "on for 20 %" not in page.words


def test_the_page_that_asks_says_what_is_served(ada, case):
    flag, words, _sign = case
    assert f"Now {words[0].upper()}{words[1:]} Then Off" in ada.ask("turn-off", flag).words


def test_what_does_not_mend_it_is_not_said_to(ada, case):
    flag, words, _sign = case
    said = f"{words[0].upper()}{words[1:]}"
    assert f"Now {said} Then {said} Nothing would change." in ada.act("turn-on", flag).words


def test_what_mends_it_is_said_to(case):
    flag, *_ = case
    request = a_request(user=User.objects.create_superuser("ada"))
    mended = rehearse(request, [flag], lambda _keys: Flag.objects.update(off_variant=""))
    assert [outcome.then for outcome in mended.outcomes] == ["on for 20 %"]


def test_who_gets_this_says_what_is_served(ada, case):
    flag, words, _sign = case
    assert f"The flag is {words}." in ada.get(address(Flag, "who", flag.pk)).words


def test_what_would_be_refused_is_not_offered(ada, case):
    flag, *_ = case
    assert offered(ada.list(Flag).text) == ["turn-off"]
    assert offered(ada.open(flag).text) == ["turn-off", "archive"]


def test_a_rollout_of_it_is_not_said_to_go_on(ada):
    flag = broken()
    changes.rollouts.start(changes.create("y", percentage=0).key, [(5, None)])
    Flag.objects.filter(key="y").update(off_variant="nope")
    page = ada.open(Flag.objects.get(key="y"))
    assert "flaggate-stages" not in page.text
    assert offered(page.text) == offered(ada.open(flag).text)


def test_one_that_is_off_is_shown_as_it_is_stored(ada):
    flag = broken(enabled=False)
    page = ada.open(flag)
    assert "○ off" in page.words
    assert OFF not in page.words
    assert offered(page.text) == ["archive"]


@pytest.mark.parametrize(("enabled", "verbs"), [(False, ["restore"]), (True, [])])
def test_one_in_the_archive_is_brought_back_only_where_that_is_not_refused(ada, enabled, verbs):
    flag = broken(enabled=enabled)
    changes.archive("x")
    assert offered(ada.open(flag).text) == verbs
    assert ("is no variant" in ada.ask("restore", flag).words) is enabled


def test_mending_one_on_its_page_can_not_be_undone(ada):
    page = ada.open(broken()).save(off_variant="")
    assert page.messages[-1].startswith("Done: x is on for 20 %. x can")
    assert "flaggate-undo" not in page.text


def test_a_last_good_definition_that_was_off_is_off():
    found = Quarantined("broken", last_good=definitions.Flag("x", enabled=False))
    assert quarantine.instead(found) == ("off", OFF)
