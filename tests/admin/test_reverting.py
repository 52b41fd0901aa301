from datetime import timedelta

import pytest
from django.utils import timezone

from flaggate import changes
from flaggate.admin import reverting
from flaggate.models import Flag, Revision, Rule, Segment, State
from tests.admin.conftest import pages, user

REVERT = "/admin/flaggate/revision/of/flag/x/revert/"


@pytest.fixture(autouse=True)
def changed(flag):
    """A flag at 25 %, on since version 2."""
    changes.enable("x")
    changes.rollout("x", 25)


def stored():
    return Flag.objects.get(key="x")


def test_the_page_shows_what_would_change_and_changes_nothing(ada):
    page = ada.get(f"{REVERT}1/")
    assert page.response.context["lines"] == ["enabled: yes → no", "percentage: 25 % → 0 %"]
    assert ("+", '  "enabled": false,') in page.response.context["json"]
    assert stored().version == 3


def test_it_is_a_new_revision_with_who_and_why(ada):
    ada.get(f"{REVERT}1/").save(comment="Payments fail")
    last = Revision.objects.first()
    assert (stored().enabled, stored().percentage, stored().version) == (False, 0, 4)
    assert (last.actor_name, last.source, last.comment) == ("ada", "admin", "Payments fail")


def test_it_leads_to_the_history_which_offers_to_undo_it(ada):
    page = ada.get(f"{REVERT}1/").save()
    assert page.response.context["history"].key == "x"
    assert f'<a href="{REVERT}3/">Undo</a>' in page.messages[0]
    assert "The flag x is again what it was at version 1: off. <a" in page.text
    ada.get(f"{REVERT}3/").save()
    assert (stored().enabled, stored().percentage) == (True, 25)


def test_what_left_no_revision_can_not_be_undone(ada):
    Flag.objects.update(owner="Checkout")
    assert "Undo" not in ada.get(f"{REVERT}1/").save().messages[0]


def test_what_changed_meanwhile_is_told_with_the_new_difference_and_what_was_typed(ada, bob):
    page = ada.get(f"{REVERT}1/")
    bob.open(stored()).save(percentage="50")
    page = page.save(comment="Payments fail")
    assert "bob changed it just now, from version 3 to 4. What reverting would change" in page.words
    assert "Load it again" not in page.text
    assert page.response.context["lines"] == ["enabled: yes → no", "percentage: 50 % → 0 %"]
    assert page.fields["comment"] == ["Payments fail"]
    assert stored().percentage == 50


def test_reverting_again_on_top_of_that_does_it(ada, bob):
    page = ada.get(f"{REVERT}1/")
    bob.open(stored()).save(percentage="50")
    page.save(comment="Payments fail").save()
    assert (stored().percentage, Revision.objects.first().comment) == (0, "Payments fail")


def test_a_flag_that_was_deleted_meanwhile_is_said_to_be(ada):
    page = ada.get(f"{REVERT}1/")
    changes.delete("x")
    assert page.save().status == 404


def test_a_flag_that_is_deleted_at_that_very_moment_is_said_to_be(ada, monkeypatch):
    def too_late(key, version, **how):
        changes.delete(key)
        return changes.revert_flag(key, version, **how)

    monkeypatch.setitem(reverting.REVERTS, "flag", too_late)
    page = ada.get(f"{REVERT}1/").save()
    assert "was deleted while you worked on it" in page.messages[0]
    assert page.response.context["history"].whole is None


@pytest.mark.parametrize("seen", [None, "", "x", "-1", "9" * 99])
def test_a_form_without_the_version_seen_writes_nothing(ada, seen):
    ada.get(f"{REVERT}1/").save(seen=seen)
    assert stored().version == 3


def test_a_refusal_is_said_before_it_is_tried_and_once(ada, segment):
    with changes.change():
        rule = Rule.objects.create(flag=stored(), percentage=5)
        rule.segments.add(segment)
    with changes.change():
        rule.delete()
    with changes.change():
        Segment.objects.all().delete()
    page = ada.get(f"{REVERT}4/")
    assert "there is no segment &#x27;beta&#x27;. Create it first." in page.text
    assert "rule 1: added, 5 % of beta" in page.words
    assert page.fields == {}
    page = ada.post(f"{REVERT}4/", {"seen": stored().version})
    assert page.text.count("there is no segment &#x27;beta&#x27;. Create it first.") == 1
    assert not Rule.objects.exists()


def test_a_state_that_holds_already_is_said_to(ada):
    page = ada.get(f"{REVERT}3/")
    assert "It is that already" in page.text
    assert page.fields == {}
    said = ada.post(f"{REVERT}3/", {"seen": 3}).messages
    assert said == ["The flag x is already what it was then."]
    assert stored().version == 3


def test_a_critical_flag_asks_for_its_key(ada):
    with changes.change():
        flag = stored()
        flag.critical = True
        flag.save()
    page = ada.get(f"{REVERT}2/").save(typed_key="y")
    assert "Type “x”: this flag is critical." in page.text
    assert stored().version == 4
    page.save(typed_key="x")
    assert stored().version == 5


def test_a_segment_goes_back_with_its_members(ada, segment):
    changes.members.add("beta", ["1"])
    changes.members.replace("beta", ["2"])
    page = ada.get("/admin/flaggate/revision/of/segment/beta/revert/2/").save()
    assert page.messages[0].startswith("The segment beta is again what it was at version 2.")
    assert list(segment.members.values_list("targeting_key", flat=True)) == ["1"]


@pytest.mark.database
@pytest.mark.parametrize("version", ["9" * 18, "9" * 19, "9" * 5000, "0"])
def test_a_version_of_any_length_is_not_found(ada, version):
    assert ada.get(f"{REVERT}{version}/").status == 404


@pytest.mark.parametrize("place", ["flag/x/revert/9", "flag/y/revert/1", "segment/x/revert/1"])
def test_there_must_be_such_a_version(ada, place):
    assert ada.get(f"/admin/flaggate/revision/of/{place}/").status == 404


# --- who gets it then -------------------------------------------------------------------------


def test_the_page_of_a_flag_says_who_gets_it_now_and_then(ada):
    words = ada.get(f"{REVERT}1/").words
    assert "Now On for 25 % Then Off; " in words
    assert "users" in words


def test_the_page_names_the_flags_that_require_it(ada):
    with changes.change():
        changes.create("y").prerequisites.create(required=stored())
    assert "Required by: y" in ada.get(f"{REVERT}1/").words
    assert "Required by" not in ada.get(f"{REVERT}3/").words


def test_the_page_writes_nothing(ada):
    before = list(Flag.objects.values()), Revision.objects.count(), State.objects.get().token
    ada.get(f"{REVERT}1/")
    assert before == (
        list(Flag.objects.values()),
        Revision.objects.count(),
        State.objects.get().token,
    )


DAY = timedelta(days=1)
GOES_ON = "The rollout goes on as if nothing had stopped it: its clock runs from"


@pytest.fixture
def rolled():
    """At version 4, the flag was in the first of three stages, which it would have left since."""
    changes.rollouts.start("x", [(5, DAY), (50, DAY), (100, None)], at=timezone.now() - 1.5 * DAY)


def test_a_rollout_that_would_go_on_is_said_to(ada, rolled):
    changes.rollouts.stop("x")
    changes.rollout("x", 0)
    changes.disable("x")
    page = ada.get(f"{REVERT}4/")
    assert "Now Off Then On for 50 % (stage 2 of 3)" in page.words
    assert GOES_ON in page.words
    assert "version 4: on for 50 % (stage 2 of 3). <a" in page.save().text


def test_so_it_is_where_the_flag_was_only_off(ada, rolled):
    changes.disable("x")
    assert GOES_ON in ada.get(f"{REVERT}4/").words


def test_of_a_rollout_that_would_not_go_on_nothing_is_said(ada, rolled):
    changes.rollouts.pause("x")
    changes.rollouts.resume("x")
    changes.disable("x")
    changes.rollouts.stop("x")
    for version in (2, 5, 7):  # it has not begun, is paused, and runs while the flag is off
        assert GOES_ON not in ada.get(f"{REVERT}{version}/").words


def test_of_a_rollout_that_runs_anyway_nothing_is_said(ada, rolled):
    with changes.change():
        Flag.objects.update(owner="Checkout")
    assert GOES_ON not in ada.get(f"{REVERT}4/").words


def test_the_page_of_a_segment_names_what_uses_it(ada, segment):
    changes.members.add("beta", ["1"])
    with changes.change():
        Rule.objects.create(flag=stored(), percentage=5).segments.add(segment)
    address = "/admin/flaggate/revision/of/segment/beta/revert/1/"
    assert "Used by: flag x" in ada.get(address).words
    rita = pages(user("rita", "view_revision", "revert_segment"))
    assert "Used by" not in rita.get(address).words


# --- who may ----------------------------------------------------------------------------------

ROLES = {
    (): False,
    ("toggle_flag",): False,
    ("rollout_flag", "archive_flag", "toggle_flag"): False,
    ("revert_segment", "change_segment"): False,
    ("revert_flag",): True,
    ("change_flag",): True,
}


@pytest.mark.parametrize("permissions", ROLES)
def test_only_who_may_revert_flags_does(permissions):
    browser = pages(user("fred", "view_flag", "view_revision", *permissions))
    status = 200 if ROLES[permissions] else 403
    assert browser.get(f"{REVERT}1/").status == status
    assert browser.post(f"{REVERT}1/", {"seen": 3}).status == status
    assert (stored().version == 4) is ROLES[permissions]
