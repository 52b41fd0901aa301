import re
from datetime import UTC, datetime

import pytest

from flaggate import changes
from flaggate.models import Flag, Revision, Rule, Segment, State


@pytest.fixture
def both(ada, bob, flag):
    """Two people who have opened the same flag."""
    return ada.open(flag), bob.open(flag)


def test_the_second_of_two_people_is_told_who_and_when_and_overwrites_nothing(both):
    first, second = both
    first.save(description="Ada's words", percentage="5")
    before = State.objects.get().version
    page = second.save(description="Bob's words")
    assert "ada changed it just now, from version 1 to 2." in page.words
    assert page.errors == {}
    assert "Load it again" not in page.text
    assert "Please correct" not in page.text
    assert State.objects.get().version == before
    assert Flag.objects.get().description == "Ada's words"
    assert Revision.objects.count() == 2


def test_what_the_second_typed_is_still_there(both, segment):
    first, second = both
    first.save(description="Ada's words")
    page = second.save(description="Bob's words", rules_0_segments=str(segment.pk))
    assert page.fields["description"] == ["Bob's words"]
    assert page.fields["rules-0-segments"] == [str(segment.pk)]


def test_who_was_faster_than_oneself_is_told_so(ada, flag):
    first, second = ada.open(flag), ada.open(flag)
    first.save(description="The first words")
    page = second.save(description="The second words")
    assert "You changed it just now, in another tab or window, from version 1 to 2." in page.words
    assert "Somebody else" not in page.text


def test_saving_again_is_a_conflict_again(both):
    first, second = both
    first.save(description="Ada's words")
    page = second.save(description="Bob's words").save()
    assert "ada changed it" in page.words
    assert Flag.objects.get().description == "Ada's words"


def test_the_page_above_shows_the_present_state(both):
    first, second = both
    first.save(enabled="on", percentage="5")
    assert "on for 5 %" in second.save().text


def test_a_change_by_a_command_is_a_conflict_too(ada, flag):
    page = ada.open(flag)
    changes.enable("x", source="command")
    assert "command changed it" in page.save(description="new").words


def test_a_change_of_a_row_that_was_deleted_meanwhile_is_shown_with_what_was_typed(
    ada, bob, flag, segment
):
    other = Segment.objects.create(key="other")
    for each in (segment, other):
        Rule.objects.create(flag=flag, order=each.pk).segments.add(each)
    first, second = ada.open(flag), bob.open(flag)
    first.save(rules_0_DELETE="on")
    page = second.save(rules_0_percentage="11", rules_1_percentage="22")
    assert "ada changed it" in page.words
    assert page.fields["rules-0-percentage"] == ["11"]
    assert page.fields["rules-1-percentage"] == ["22"]
    assert page.fields["rules-1-segments"] == [str(other.pk)]
    assert "Please correct" not in page.text


def test_a_flag_that_was_deleted_meanwhile_is_said_to_be_gone(both):
    first, second = both
    first.pages.delete(Flag.objects.get())
    page = second.save(description="Bob's words")
    assert "Perhaps it was deleted?" in page.messages[0]
    assert not Flag.objects.exists()


@pytest.mark.parametrize("seen", [None, "", "one", "-1", "9" * 5000, " ", "1.5"])
def test_a_form_without_the_version_seen_writes_nothing(ada, flag, seen):
    page = ada.open(flag).save(description="new", seen=seen)
    assert "seen" in page.errors
    assert Flag.objects.get().description == ""


@pytest.mark.parametrize("seen", ["0", "2", "2147483647"])
def test_another_version_than_the_stored_one_is_a_conflict(ada, flag, seen):
    page = ada.open(flag).save(description="new", seen=seen)
    assert f"from version {seen} to 1." in page.words
    assert Flag.objects.get().description == ""


def test_two_people_may_not_overwrite_each_others_segment_either(ada, bob, segment):
    first, second = ada.open(segment), bob.open(segment)
    first.save(included="1")
    page = second.save(name="Bob's name", conditions_0_values="silver")
    assert "ada changed it" in page.words
    assert page.fields["conditions-0-values"] == ["silver"]
    assert Segment.objects.get().name == "Beta testers"


def test_two_people_may_edit_two_flags(ada, bob, flag):
    other = changes.create("y")
    first, second = ada.open(flag), bob.open(other)
    first.save(description="Ada's words")
    second.save(description="Bob's words")
    assert set(Flag.objects.values_list("description", flat=True)) == {"Ada's words", "Bob's words"}


# --- what each did, and one on top of the other -----------------------------------------------


def reapply(page, **typed):
    """Press "Apply mine on top"."""
    button = re.search(r'name="_reapply" value="(\d+)"', page.text)
    return page.save(_reapply=button[1], _save=None, **typed)


def test_the_second_sees_what_the_first_did_and_what_was_typed_on_top(both):
    first, second = both
    first.save(percentage="5", owner="Ada")
    words = second.save(description="Bob's words", percentage="50").words
    assert "meanwhile owner: – → Ada percentage: 0 % → 5 %" in words
    assert "on top of that description: – → Bob's words percentage: 5 % → 50 %" in words
    assert "You both changed: percentage. Yours would win." in words


def test_what_was_typed_can_be_applied_on_top(both, segment):
    first, second = both
    first.save(owner="Ada", enabled="on")
    page = second.save(description="Bob's words", rules_0_segments=str(segment.pk), comment="Why")
    page = reapply(page)
    flag = Flag.objects.get()
    assert (flag.owner, flag.enabled, flag.description) == ("Ada", True, "Bob's words")
    assert flag.rules.get().segments.get() == segment
    last = Revision.objects.first()
    assert (last.actor_name, last.comment, last.version) == ("bob", "Why", 3)
    page.undo()
    assert Flag.objects.get().owner == "Ada"
    assert Flag.objects.get().description == ""


def test_people_that_were_typed_are_added_on_top_as_well(both):
    first, second = both
    first.save(owner="Ada")
    page = second.save(people="42")
    assert "on top of that segment x.people: created" in page.words
    assert "rule 1: added, 100 % of x.people" in page.words
    assert "Done: x is off." in reapply(page).messages[0]
    assert Segment.objects.get().members.get().targeting_key == "42"
    assert Flag.objects.get().owner == "Ada"


def test_rows_that_somebody_deleted_come_back_where_they_were_changed(ada, bob, flag, segment):
    other = Segment.objects.create(key="other")
    with changes.change():
        for each in (segment, other):
            Rule.objects.create(flag=flag, order=each.pk).segments.add(each)
    flag.refresh_from_db()
    first, second = ada.open(flag), bob.open(flag)
    first.save(rules_0_DELETE="on")
    page = second.save(rules_0_percentage="11")
    assert "You both changed: rules" in page.words
    reapply(page)
    shares = {rule.segments.get().key: rule.percentage for rule in flag.rules.all()}
    assert shares == {"beta": 11, "other": 100}


def test_rows_that_only_somebody_else_changed_stay_theirs(ada, bob, flag, segment):
    with changes.change():
        Rule.objects.create(flag=flag).segments.add(segment)
    flag.refresh_from_db()
    first, second = ada.open(flag), bob.open(flag)
    first.save(rules_0_percentage="50")
    reapply(second.save(description="Bob's words"))
    assert flag.rules.get().percentage == 50
    assert Flag.objects.get().description == "Bob's words"


def test_a_third_person_makes_it_a_conflict_again(ada, both):
    first, second = both
    first.save(owner="Ada")
    page = second.save(description="Bob's words")
    changes.rollout("x", 7)
    page = reapply(page)
    assert "code changed it just now, from version 1 to 3." in page.words
    assert "percentage: 0 % → 7 %" in page.words
    assert Flag.objects.get().description == ""


def test_what_is_refused_on_top_is_said_and_nothing_is_written(both):
    first, second = both
    first.save(owner="Ada")
    page = reapply(second.save(description="Bob's words"), off_variant="nope")
    assert "nope" in page.text
    assert "is no variant of the flag" in page.errors["off_variant"]
    assert Flag.objects.get().description == ""


def test_what_is_no_valid_form_is_not_applied_on_top(both):
    first, second = both
    first.save(owner="Ada")
    page = second.save(percentage="101")
    assert page.errors["percentage"]
    assert "_reapply" not in page.text
    page = page.save(_reapply="2", _save=None)
    assert page.errors["percentage"]
    assert Flag.objects.get().percentage == 0


@pytest.mark.parametrize("shown", ["x", "", "-1", "9" * 5000])
def test_nothing_is_applied_on_top_of_what_is_no_version(both, shown):
    first, second = both
    first.save(owner="Ada")
    page = second.save(description="Bob's words").save(_reapply=shown, _save=None)
    assert "ada changed it" in page.words
    assert page.fields["description"] == ["Bob's words"]
    assert Flag.objects.get().description == ""


def test_a_viewer_applies_nothing_on_top(viewer, both):
    first, second = both
    first.save(owner="Ada")
    page = second.save(description="Bob's words")
    answer = viewer.post(page.address, {**page.fields, "_reapply": "2"})
    assert answer.status == 403
    assert Flag.objects.get().description == ""


def test_a_change_that_left_no_revision_offers_nothing_to_apply(ada, flag):
    page = ada.open(flag)
    flag.save()  # a plain write
    page = page.save(description="new")
    assert "It was changed, from version 1 to 2." in page.words
    assert "_reapply" not in page.text


def test_segments_can_be_applied_on_top_too(ada, bob, segment):
    first, second = ada.open(segment), bob.open(segment)
    first.save(name="Ada's name")
    page = second.save(description="Bob's words", conditions_0_values="silver", included="7")
    assert "included: added 7" in page.words
    assert "The segment beta was changed." in reapply(page).messages[0]
    stored = Segment.objects.get()
    assert (stored.name, stored.description) == ("Ada's name", "Bob's words")
    assert stored.conditions.get().values == ["silver"]
    assert stored.members.get().targeting_key == "7"


def test_what_can_not_be_applied_on_top_is_told_and_not_offered(ada, bob, flag):
    with changes.change():
        for key in ("a", "b"):
            flag.variants.create(key=key, value=key)
    flag.refresh_from_db()
    first, second = ada.open(flag), bob.open(flag)
    first.save(variants_0_DELETE="on")
    page = second.save(off_variant="a")
    assert "is no variant of the flag" in page.words
    assert "_reapply" not in page.text


# --- what a form can't carry ------------------------------------------------------------------

MILLISECONDS = datetime(2096, 12, 25, 18, 40, 5, 123456, tzinfo=UTC)
STORED = {
    "description": "two \n lines ",
    "owner": " Ada ",
    "tags": ["a,b", " c "],
    "active_from": MILLISECONDS,
}


@pytest.fixture
def odd():
    """A flag with values that no form shows in full, as API and commands can write them."""
    with changes.change():
        return Flag.objects.create(key="x", **STORED)


def as_browsers_send(page):
    """Ends of lines, as browsers send them."""
    page.fields["description"] = [page.fields["description"][0].replace("\n", "\r\n")]
    return page


def test_who_opens_and_saves_changes_nothing_of_it(ada, odd):
    as_browsers_send(ada.open(odd)).save(percentage="5")
    odd.refresh_from_db()
    assert {name: getattr(odd, name) for name in STORED} == STORED
    assert odd.percentage == 5


def test_what_was_typed_over_it_counts(ada, odd):
    as_browsers_send(ada.open(odd)).save(
        description="two\r\nother lines", owner="Bob", active_from_1="18:40:06"
    )
    odd.refresh_from_db()
    assert (odd.description, odd.owner) == ("two\nother lines", "Bob")
    assert odd.active_from == MILLISECONDS.replace(second=6, microsecond=0)


def test_it_is_not_taken_for_typed_where_somebody_else_has_changed_it(ada, bob, odd):
    page = as_browsers_send(bob.open(odd))
    ada.open(odd).save(description="Ada's", owner="Eve", tags="d", active_from_0="2097-01-01")
    page = page.save(percentage="5")
    assert "on top of that percentage: 100 % → 5 % Apply" in page.words
    reapply(page)
    odd.refresh_from_db()
    assert (odd.description, odd.owner, odd.tags, odd.percentage) == ("Ada's", "Eve", ["d"], 5)
    assert odd.active_from.year == 2097
