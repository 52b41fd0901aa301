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
    assert "was changed by ada at 20" in page.errors[""]
    assert "from version 1 to 2" in page.errors[""]
    assert State.objects.get().version == before
    assert Flag.objects.get().description == "Ada's words"
    assert Revision.objects.count() == 2


def test_what_the_second_typed_is_still_there(both, segment):
    first, second = both
    first.save(description="Ada's words")
    page = second.save(description="Bob's words", rules_0_segments=str(segment.pk))
    assert page.fields["description"] == ["Bob's words"]
    assert page.fields["rules-0-segments"] == [str(segment.pk)]


def test_saving_again_is_a_conflict_again(both):
    first, second = both
    first.save(description="Ada's words")
    page = second.save(description="Bob's words").save()
    assert "was changed by ada" in page.errors[""]
    assert Flag.objects.get().description == "Ada's words"


def test_the_page_above_shows_the_present_state(both):
    first, second = both
    first.save(enabled="on", percentage="5")
    assert "on for 5 %" in second.save().text


def test_a_change_by_a_command_is_a_conflict_too(ada, flag):
    page = ada.open(flag)
    changes.enable("x", source="command")
    assert "was changed by command" in page.save(description="new").errors[""]


def test_a_change_of_a_row_that_was_deleted_meanwhile_is_shown_with_what_was_typed(
    ada, bob, flag, segment
):
    other = Segment.objects.create(key="other")
    for each in (segment, other):
        Rule.objects.create(flag=flag, order=each.pk).segments.add(each)
    first, second = ada.open(flag), bob.open(flag)
    first.save(rules_0_DELETE="on")
    page = second.save(rules_0_percentage="11", rules_1_percentage="22")
    assert "was changed by ada" in page.errors[""]
    assert page.fields["rules-0-percentage"] == ["11"]
    assert page.fields["rules-1-percentage"] == ["22"]
    assert page.fields["rules-1-segments"] == [str(other.pk)]


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
    assert "was changed" in page.errors[""]
    assert Flag.objects.get().description == ""


def test_two_people_may_not_overwrite_each_others_segment_either(ada, bob, segment):
    first, second = ada.open(segment), bob.open(segment)
    first.save(included="1")
    page = second.save(name="Bob's name", conditions_0_values="silver")
    assert "was changed by ada" in page.errors[""]
    assert page.fields["conditions-0-values"] == ["silver"]
    assert Segment.objects.get().name == "Beta testers"


def test_two_people_may_edit_two_flags(ada, bob, flag):
    other = changes.create("y")
    first, second = ada.open(flag), bob.open(other)
    first.save(description="Ada's words")
    second.save(description="Bob's words")
    assert set(Flag.objects.values_list("description", flat=True)) == {"Ada's words", "Bob's words"}
