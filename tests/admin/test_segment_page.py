import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import flaggate
from flaggate import changes
from flaggate.models import Flag, Revision, Rule, Segment, SegmentMember, State


def with_members(count, key="many"):
    with changes.change():
        segment = Segment.objects.create(key=key)
        changes.add_members(segment, map(str, range(count)))
    return segment


def members(segment, *, excluded=False):
    rows = segment.members.filter(excluded=excluded).values_list("targeting_key", flat=True)
    return sorted(rows)


# --- the list ---------------------------------------------------------------------------------


def test_the_list_says_what_a_segment_holds_and_who_uses_it(ada, flag, segment):
    changes_to(segment, flag)
    text = ada.list(Segment).text
    assert "1 condition, 2 included, 1 excluded" in text
    assert "1 flag<" in text


def test_segments_that_use_it_are_counted_and_listed_once_each(ada, flag, segment):
    changes_to(segment, flag)
    fresh = Segment.objects.create(key="fresh")
    for _twice in range(2):
        fresh.conditions.create(operator="in_segment", values=["beta", "beta"])
    fresh.conditions.create(operator="in_segment", values={"beta": [1]})  # of raw SQL
    text = ada.list(Segment).text
    assert "1 flag, 1 segment<" in text
    assert "nothing yet<" in text
    words = ada.open(segment).words
    assert "Used by: flag x, segment fresh Match" in words


def changes_to(segment, flag):
    with changes.change():
        changes.add_members(segment, ["1", "2"])
        changes.add_members(segment, ["3"], excluded=True)
        for _ in range(2):
            Rule.objects.create(flag=flag).segments.add(segment)


def test_it_says_whether_all_or_any_of_several_conditions_must_hold(ada, segment):
    segment.conditions.create(attribute="age", operator="gt", values=[17])
    assert "all conditions (2)" in ada.list(Segment).text


def test_a_segment_of_nobody_is_said_to_be_one(ada):
    Segment.objects.create(key="empty")
    assert "nobody" in ada.list(Segment).text


@pytest.mark.django_db(transaction=True)
def test_the_lists_queries_do_not_grow(ada):
    for number in range(10):
        with_members(2, key=f"segment_{number}")
    ada.get("/admin/login/")  # loads the snapshot
    with CaptureQueriesContext(connection) as queries:
        ada.list(Segment)
    assert len(queries) <= 5


# --- the page ---------------------------------------------------------------------------------


def test_a_segment_can_be_added_with_conditions_and_people(ada):
    ada.add(Segment).save(
        key="beta",
        match="any",
        conditions_0_attribute="plan",
        conditions_0_operator="one_of",
        conditions_0_values="gold\n5",
        conditions_0_ignore_case="on",
        included="42\n43",
        excluded="44",
        comment="Our testers.",
    )
    segment = Segment.objects.get()
    assert segment.conditions.get().values == ["gold", 5]
    assert (members(segment), members(segment, excluded=True)) == (["42", "43"], ["44"])
    revision = Revision.objects.get()
    assert (revision.source, revision.actor_name, revision.comment) == (
        "admin",
        "ada",
        "Our testers.",
    )


def test_the_key_of_a_segment_is_not_to_be_edited(ada, segment):
    page = ada.open(segment)
    assert "key" not in page.fields
    page.save(key="other")
    assert Segment.objects.get().key == "beta"


def test_the_page_says_what_each_value_was_taken_for(ada, segment):
    segment.conditions.update(values=["gold", "5", 5, True])
    text = ada.open(segment).text
    assert "Taken as: text “gold”, text “5”, number 5, true" in text
    assert "gold\n&quot;5&quot;\n5\ntrue" in text


def test_a_page_that_is_shown_again_says_what_was_typed_and_how_it_was_taken(ada, segment):
    page = ada.open(segment).save(conditions_0_operator="gt", conditions_0_values="gold")
    assert "Taken as: text “gold”" in page.text
    assert page.fields["conditions-0-values"] == ["gold"]


def test_a_value_that_becomes_equal_only_in_python_is_saved(ada, segment):
    segment.conditions.update(values=[1])
    ada.open(Segment.objects.get()).save(conditions_0_values="true")
    assert segment.conditions.get().values == [True]


def test_the_page_links_to_the_flags_that_use_the_segment(ada, flag, segment):
    Rule.objects.create(flag=flag).segments.add(segment)
    assert f'flag <a href="/admin/flaggate/flag/{flag.pk}/change/">x</a>' in ada.open(segment).text


# --- errors at their fields -------------------------------------------------------------------

ERRORS = {
    "an operand of the wrong type": (
        {"conditions_0_operator": "gt"},
        ("conditions-0-values", '"gold" is no finite number'),
    ),
    "no values": ({"conditions_0_values": ""}, ("conditions-0-values", "There are no values")),
    "no attribute": ({"conditions_0_attribute": ""}, ("conditions-0-attribute", "1 to 200")),
    "an unknown segment": (
        {"conditions_0_operator": "in_segment", "conditions_0_attribute": ""},
        ("conditions-0-values", "there is no segment 'gold'"),
    ),
    "itself": (
        {
            "conditions_0_operator": "in_segment",
            "conditions_0_attribute": "",
            "conditions_0_values": "beta",
        },
        ("conditions", ""),
    ),
    "a number that is too large": (
        {"conditions_0_values": "1e400"},
        ("conditions-0-values", "JSON can't express"),
    ),
    "half a character": (
        {"conditions_0_values": '"\\ud800"'},
        ("conditions-0-values", "surrogate"),
    ),
    "no operator": ({"conditions_0_operator": ""}, ("conditions-0-operator", "required")),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_stands_at_its_field_and_nothing_is_written(ada, segment, case):
    typed, (place, words) = ERRORS[case]
    before = State.objects.get().version
    page = ada.open(segment).save(name="typed", **typed)
    assert words in page.errors[place]
    assert page.fields["name"] == ["typed"]
    assert State.objects.get().version == before
    assert Segment.objects.get().name == "Beta testers"


def test_the_error_of_a_later_condition_stands_at_that_one(ada, segment):
    page = ada.open(segment).save(
        conditions_0_DELETE="on",
        conditions_1_attribute="age",
        conditions_1_operator="gt",
        conditions_1_values="old",
    )
    assert list(page.errors) == ["conditions-1-values"]


def test_a_change_that_would_break_a_flag_elsewhere_is_shown_on_the_page(ada, segment):
    other = with_members(1, "other")
    other.conditions.create(operator="in_segment", values=["beta"])
    page = ada.open(segment).save(
        conditions_0_operator="in_segment",
        conditions_0_attribute="",
        conditions_0_values="other",
    )
    assert page.errors
    assert segment.conditions.get().operator == "one_of"


# --- members ----------------------------------------------------------------------------------


def test_up_to_200_members_are_rows_of_the_page(ada):
    page = ada.open(with_members(200))
    assert page.fields["members-199-targeting_key"] == ["199"]
    page.save(members_0_DELETE="on", members_1_targeting_key="new")
    assert SegmentMember.objects.count() == 199
    assert SegmentMember.objects.filter(targeting_key="new").exists()


def test_more_members_are_counted(ada):
    segment = with_members(201)
    page = ada.open(segment)
    assert "members-0-targeting_key" not in page.fields
    assert "201 included, 0 excluded" in page.text
    page.save(included="new\n7")
    assert SegmentMember.objects.count() == 202


def test_thousands_of_members_make_no_large_page(ada):
    segment = with_members(5000)
    assert len(ada.open(segment).text) < 50_000
    assert len(ada.get(f"/admin/flaggate/segment/{segment.pk}/delete/").text) < 50_000


def test_numbers_of_members_are_grouped(ada):
    segment = with_members(1234)
    assert "1,234 included" in ada.list(Segment).text
    assert "1,234 included, 0 excluded. More than 200 are" in ada.open(segment).text
    deletion = ada.get(f"/admin/flaggate/segment/{segment.pk}/delete/").response.context
    assert list(deletion["model_count"]) == [("segments", "1"), ("segment members", "1,234")]
    words = ada.get(f"/admin/flaggate/segment/{segment.pk}/members/").words
    assert "included (1,234)" in words
    assert words.endswith("1,234 members")


def test_people_can_be_added_to_the_included_and_the_excluded(ada, segment):
    ada.open(segment).save(included="1\n2\n2", excluded="3")
    ada.open(Segment.objects.get()).save(included="2\n4")
    assert (members(segment), members(segment, excluded=True)) == (["1", "2", "4"], ["3"])


def test_somebody_excluded_can_not_be_included_without_a_word(ada, segment):
    ada.open(segment).save(excluded="3")
    page = ada.open(Segment.objects.get()).save(included="2\n3")
    assert "Excluded already, which wins: 3." in page.errors["included"]
    assert members(segment) == []


def test_members_take_effect(ada, segment):
    flag = changes.create("x", enabled=True, percentage=0)
    with changes.change():
        Rule.objects.create(flag=flag).segments.add(segment)
    assert not flaggate.is_active("x", 42)
    ada.open(segment).save(included="42")
    assert flaggate.is_active("x", 42)


# --- deleting ---------------------------------------------------------------------------------


def test_a_used_segment_is_not_deleted_and_the_page_links_to_who_uses_it(ada, flag, segment):
    Rule.objects.create(flag=flag).segments.add(segment)
    other = with_members(1, "other")
    other.conditions.create(operator="in_segment", values=["beta"])
    page = ada.delete(segment)
    assert "can't be deleted while it is used. Remove it here first" in page.text
    assert f'flag <a href="/admin/flaggate/flag/{flag.pk}/change/">x</a>' in page.text
    assert f'segment <a href="/admin/flaggate/segment/{other.pk}/change/">other</a>' in page.text
    assert Segment.objects.filter(key="beta").exists()


def test_what_other_segments_use_is_not_in_the_way(ada, segment):
    other = with_members(1, "other")
    other.conditions.create(operator="in_segment", values=["third"])
    assert "deleted successfully" in ada.delete(segment).messages[0]


def test_an_unused_segment_is_deleted_with_its_members(ada):
    segment = with_members(3)
    assert "deleted successfully" in ada.delete(segment).messages[0]
    assert not SegmentMember.objects.exists()
    assert Revision.objects.first().after is None


def test_a_flags_people_can_be_looked_at(ada):
    flag = changes.create("x", percentage=0)
    ada.open(flag).save(people="42")
    text = ada.open(Segment.objects.get()).text
    assert "People of x" in text
    assert Flag.objects.count() == 1
