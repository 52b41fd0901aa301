import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import ProtectedError
from django.db.models.signals import pre_delete
from django.utils import timezone

import flaggate
from flaggate import changes
from flaggate.models import (
    ApiKey,
    Flag,
    Prerequisite,
    Revision,
    Rollout,
    Rule,
    Segment,
    State,
    Tombstone,
    Variant,
)
from tests.admin.conftest import pages, user
from tests.admin.pages import address


def version():
    return State.objects.get().version


def writes_nothing(before):
    return version() == before


# --- adding -----------------------------------------------------------------------------------


def test_the_name_of_each_field_begins_with_a_capital(ada):
    form = ada.add(Flag).response.context["adminform"].form
    labels = [str(form[name].label) for name in form.fields if form[name].label]
    assert len(labels) > 15
    assert [label for label in labels if label[0].islower()] == []


def test_a_new_flag_begins_off_and_at_0_percent(ada):
    page = ada.add(Flag)
    assert page.fields["percentage"] == ["0"]
    ada.add(Flag).save(key="x", comment="For the new shop.")
    flag = Flag.objects.get()
    assert (flag.key, flag.enabled, flag.percentage) == ("x", False, 0)
    revision = Revision.objects.get()
    assert (revision.actor_name, revision.source) == ("ada", "admin")
    assert (revision.before, revision.comment) == (None, "For the new shop.")
    assert version() == 1


def test_a_flag_can_be_added_with_all_its_parts(ada, flag, segment):
    page = ada.add(Flag).save(
        key="y",
        enabled="on",
        percentage="12.5",
        tags="a, b,, a",
        rules_0_segments=str(segment.pk),
        rules_0_variant="wide",
        variants_0_key="wide",
        variants_0_value='{"columns": 3}',
        prerequisites_0_required=str(flag.pk),
        people="42",
    )
    assert page.errors_or_none() is None
    added = Flag.objects.get(key="y")
    assert (added.percentage, added.tags) == (Decimal("12.5"), ["a", "b"])
    assert added.variants.get().value == {"columns": 3}
    assert [rule.segments.get().key for rule in added.rules.all()] == ["y.people", "beta"]
    assert added.prerequisites.get().required == flag
    assert Revision.objects.filter(key="y").count() == 1


def test_a_key_that_was_buried_is_refused_at_its_field(ada):
    Tombstone.objects.create(key="x")
    page = ada.add(Flag).save(key="x")
    assert page.errors == {"key": "“x” belonged to a flag that was deleted. Choose another key."}


def test_what_a_new_flag_is_refused_for_stands_at_the_field(ada):
    before = version()
    page = ada.add(Flag).save(key="y", off_variant="nope")
    assert "is no variant of the flag" in page.errors["off_variant"]
    assert page.fields["off_variant"] == ["nope"]
    assert not Flag.objects.exists()
    assert writes_nothing(before)


FILLED_IN = {
    "2026-01-31T10:00": ["2026-01-31", "10:00:00"],
    "2026-01-31T10:00:00Z": ["2026-01-31", "10:00:00"],
    "2026-01-31": ["2026-01-31", "00:00:00"],
    "zzz": [],
    "2026-13-45": [],
    "0001-01-01T00:00:00%2B14:00": [],
}


@pytest.mark.parametrize(("model", "name"), [(Flag, "active_from"), (ApiKey, "expires_at")])
@pytest.mark.parametrize("written", FILLED_IN)
def test_an_address_fills_in_a_moment_that_can_be_read(ada, model, name, written):
    form = ada.get(f"{address(model, 'add')}?{name}={written}").bound(name).as_widget()
    assert re.findall('value="([^"]+)"', form) == FILLED_IN[written]


# --- changing ---------------------------------------------------------------------------------


def test_the_key_of_a_flag_is_not_to_be_edited(ada, flag):
    page = ada.open(flag)
    assert "key" not in page.fields
    page.save(key="other")
    assert Flag.objects.get().key == "x"


def test_the_page_says_the_state_in_words(ada):
    flag = changes.create("x", enabled=True, percentage=5)
    assert "on for 5 %" in ada.open(flag).text
    assert "last changed" in ada.open(flag).text


def test_a_percentage_has_no_idle_zeros(ada):
    flag = changes.create("x", percentage="12.500")
    assert ada.open(flag).fields["percentage"] == ["12.5"]


def test_a_change_is_one_revision_with_its_reason(ada, flag):
    ada.open(flag).save(enabled="on", percentage="5", comment="The first 5 %.")
    last = Revision.objects.first()
    assert (last.key, last.version, last.comment) == ("x", 2, "The first 5 %.")
    assert (last.before["percentage"], last.after["percentage"]) == (0, 5)
    assert version() == 2


def test_a_change_takes_effect(ada, flag):
    assert not flaggate.is_active("x", 42)
    ada.open(flag).save(enabled="on", percentage="100")
    assert flaggate.is_active("x", 42)


def test_saving_without_a_change_records_nothing(ada):
    with changes.change():
        flag = Flag.objects.create(key="x", tags=["a"], percentage=Decimal("33.333"))
        flag.variants.create(key="a", value={"b": [1.0, None]}, order=3)
        flag.variants.create(key="b", value="text")
        segment = Segment.objects.create(key="beta")
        segment.members.create(targeting_key="1")
        Rule.objects.create(flag=flag, order=2, variant="a").segments.add(segment)
    before = version()
    page = ada.open(flag).save()
    assert page.messages == ["Nothing was changed."]
    assert writes_nothing(before)
    assert Revision.objects.filter(key="x").count() == 1


@pytest.mark.parametrize("value", [{}, [], "", 0, False, 1.0, "compact", {"a": [1, "é"]}])
def test_every_json_value_survives_the_page(ada, value):
    flag = changes.create("x", variants=[("a", value, 1)])
    ada.open(flag).save(description="new")
    stored = Variant.objects.get().value
    assert (type(stored), stored) == (type(value), value)


def test_a_value_that_becomes_equal_only_in_python_is_saved(ada):
    flag = changes.create("x", variants=[("a", 1, 1)])
    ada.open(flag).save(variants_0_value="true")
    assert Variant.objects.get().value is True


def test_rows_without_a_number_go_last(ada, flag, segment):
    Rule.objects.create(flag=flag, order=7).segments.add(segment)
    flag.refresh_from_db()
    ada.open(flag).save(rules_1_segments=str(segment.pk), rules_1_percentage="1")
    assert list(flag.rules.values_list("order", "percentage")) == [(7, 100), (8, 1)]


def test_a_rule_can_be_typed_by_the_keys_of_its_segments(ada, flag, segment):
    page = ada.open(flag).save(**{"rules-0-segments-keys": "beta", "rules-0-percentage": "50"})
    assert page.messages
    assert Rule.objects.get().segments.get() == segment


def test_a_prerequisite_can_be_typed_by_its_key(ada, flag):
    changes.create("y")
    ada.open(flag).save(**{"prerequisites-0-required-keys": "y"})
    assert Prerequisite.objects.get().required.key == "y"


@pytest.mark.parametrize("name", ["rules-0-segments", "prerequisites-0-required"])
@pytest.mark.parametrize("typed", ["nope", "\0", "99999999"])
def test_a_key_that_does_not_exist_is_an_error_at_its_field(ada, flag, name, typed):
    page = ada.open(flag).save(**{f"{name}-keys": typed, "rules-0-percentage": "1"})
    assert page.status == 200
    assert not Rule.objects.exists()
    assert not Prerequisite.objects.exists()


# --- people -----------------------------------------------------------------------------------


def test_people_are_added_by_a_segment_and_a_rule_on_top(ada, flag, segment):
    Rule.objects.create(flag=flag, order=0).segments.add(segment)
    ada.open(flag_now()).save(enabled="on", people=" 42 \n43\n\n42")
    people = Segment.objects.get(key="x.people")
    assert sorted(people.members.values_list("targeting_key", flat=True)) == ["42", "43"]
    assert [rule.segments.get().key for rule in flag.rules.all()] == ["x.people", "beta"]
    assert flaggate.is_active("x", 42)
    assert not flaggate.is_active("x", 44)


def flag_now():
    return Flag.objects.get(key="x")


def test_people_come_to_those_who_are_there(ada, flag):
    ada.open(flag).save(people="42")
    ada.open(flag_now()).save(people="43")
    assert flag.rules.count() == 1
    assert Segment.objects.get().members.count() == 2


def test_a_targeting_key_that_is_too_long_is_refused_at_its_field(ada, flag):
    page = ada.open(flag).save(people="a" * 201)
    assert "longer than 200 characters" in page.errors["people"]


# --- the first rule ---------------------------------------------------------------------------


@pytest.fixture
def everyone():
    """A flag that is on for everyone."""
    return changes.create("x", enabled=True)


def test_the_first_rule_asks_what_everyone_else_gets_and_fills_in_0(ada, everyone, segment):
    page = ada.open(everyone).save(rules_0_segments=str(segment.pk))
    assert "say what everyone else gets" in page.errors["percentage"]
    assert page.fields["percentage"] == ["0"]
    assert page.fields["rules-0-segments"] == [str(segment.pk)]
    assert not Rule.objects.exists()
    page.save()
    assert Rule.objects.exists()
    assert flag_now().percentage == 0


def test_everyone_else_may_still_get_the_flag_once_that_was_said(ada, everyone, segment):
    page = ada.open(everyone).save(rules_0_segments=str(segment.pk))
    page.save(percentage="100")
    assert Rule.objects.exists()
    assert flag_now().percentage == 100


def test_a_first_rule_with_another_percentage_is_not_asked(ada, everyone, segment):
    ada.open(everyone).save(rules_0_segments=str(segment.pk), percentage="25")
    assert Rule.objects.exists()


def test_the_first_people_ask_too(ada, everyone):
    page = ada.open(everyone).save(people="42")
    assert "say what everyone else gets" in page.errors["percentage"]
    page.save()
    assert flag_now().percentage == 0
    assert Segment.objects.get().members.get().targeting_key == "42"


# --- errors at their fields -------------------------------------------------------------------


@pytest.fixture
def layout(segment):
    """A flag with two variants and a rule that serves one of them."""
    with changes.change():
        flag = Flag.objects.create(key="x", percentage=0)
        flag.variants.create(key="compact", value="compact", order=0)
        flag.variants.create(key="wide", value="wide", order=1)
        Rule.objects.create(flag=flag, variant="wide").segments.add(segment)
    return flag


ERRORS = {
    "a rule that names an unknown variant": (
        {"rules_0_variant": "nope"},
        ("rules-0-variant", "'nope' is no variant of the flag"),
    ),
    "an unknown off variant": ({"off_variant": "nope"}, ("off_variant", "'nope' is no variant")),
    "a variant in use that is deleted": (
        {"variants_1_DELETE": "on"},
        ("rules-0-variant", "'wide' is no variant"),
    ),
    "a variant in use that is renamed": (
        {"variants_1_key": "broad"},
        ("rules-0-variant", "'wide' is no variant"),
    ),
    "weights that are all zero": (
        {"variants_0_weight": "0", "variants_1_weight": "0"},
        ("variants", "all have the weight 0"),
    ),
    "a key that is none": ({"variants_0_key": "a b"}, ("variants-0-key", "Use letters, digits")),
    "a value that is no JSON": (
        {"variants_0_value": "compact"},
        ("variants-0-value", "This is no JSON"),
    ),
    "a value that no JSON reader knows": (
        {"variants_0_value": "NaN"},
        ("variants-0-value", "This is no JSON"),
    ),
    "a number that is too large": (
        {"variants_0_value": "1e400"},
        ("variants-0-value", "a number that JSON can't express"),
    ),
    "a value nested too deep": (
        {"variants_0_value": "[" * 100_000 + "]" * 100_000},
        ("variants-0-value", ""),
    ),
    "a NUL in a value": ({"variants_0_value": '"\\u0000"'}, ("variants-0-value", "NUL")),
    "null": ({"variants_0_value": "null"}, ("variants-0-value", "Give a value")),
    "no value": ({"variants_0_value": ""}, ("variants-0-value", "Give a value")),
    "a percentage above 100": ({"percentage": "101"}, ("percentage", "less than or equal to 100")),
    "a rule's percentage that is none": (
        {"rules_0_percentage": "half"},
        ("rules-0-percentage", "Enter a number"),
    ),
    "a rule without segments": (
        {"rules_1_percentage": "5"},
        ("rules-1-segments", "This field is required"),
    ),
    "an end before its beginning": (
        {
            "active_from_0": "2026-02-01",
            "active_from_1": "00:00:00",
            "active_until_0": "2026-01-01",
            "active_until_1": "00:00:00",
        },
        ("active_until", "This is not after “Active from”."),
    ),
    "a comment that is too long": ({"comment": "a" * 1001}, ("comment", "at most 1000")),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_stands_at_its_field_and_nothing_is_written(ada, layout, case):
    typed, (place, words) = ERRORS[case]
    before = version()
    page = ada.open(layout).save(description="typed", **typed)
    assert words in page.errors[place]
    assert page.fields["description"] == ["typed"]
    assert writes_nothing(before)
    assert flag_now().description == ""
    assert Revision.objects.filter(key="x").count() == 1


@pytest.mark.parametrize("value", ["compact", "null", '{"a": NaN}', "", '"\\u0000"'])
def test_what_is_wrong_with_a_value_is_said_once(ada, layout, value):
    page = ada.open(layout).save(variants_2_key="new", variants_2_value=value)
    assert len(page.response.context["inline_admin_formsets"][1].formset.errors[2]["value"]) == 1


@pytest.mark.parametrize("typed", [{"active_from_0": "2026-12-45"}, {"active_until_1": "x"}, {}])
def test_the_schedule_is_open_where_it_has_an_error(ada, flag, typed):
    page = ada.open(flag).save(off_variant="nope", **typed)
    schedule = next(each for each in page.response.context["adminform"] if each.name == "Schedule")
    assert schedule.is_collapsible is not bool(typed)


@pytest.mark.parametrize("rows", [(0, 1), (2, 3)])
def test_a_variants_key_twice_is_an_error_of_the_variants(ada, layout, rows):
    typed = {f"variants_{row}_key": "new" for row in rows}
    values = {f"variants_{row}_value": "1" for row in rows}
    page = ada.open(layout)
    page.fields["variants-TOTAL_FORMS"] = ["4"]
    page = page.save(rules_0_variant="", **typed, **values)
    assert any(place.startswith("variants") for place in page.errors)
    assert set(layout.variants.values_list("key", flat=True)) == {"compact", "wide"}


def test_two_variants_that_swap_their_keys_are_refused_with_the_remedy(ada, layout):
    page = ada.open(layout).save(variants_0_key="wide", variants_1_key="compact")
    assert "already" in page.errors.get("variants-0-", "") or "one after" in page.errors[""]
    assert page.fields["variants-0-key"] == ["wide"]
    assert layout.variants.get(key="wide").value == "wide"


def test_an_error_without_a_field_stands_above_the_page(ada, layout):
    Flag.objects.update(salt="")
    page = ada.open(flag_now()).save(description="new")
    assert "salt: is empty" in page.errors[""]
    assert flag_now().description == ""


def test_two_rows_that_change_places_show_an_error_at_the_right_one(ada, layout, segment):
    other = Segment.objects.create(key="other")
    Rule.objects.create(flag=layout, order=1).segments.add(other)
    page = ada.open(flag_now()).save(rules_0_order="5", rules_0_variant="nope")
    assert list(page.errors) == ["rules-0-variant"]


def test_a_variant_and_the_rule_that_serves_it_can_be_renamed_together(ada, layout):
    ada.open(layout).save(variants_1_key="broad", rules_0_variant="broad")
    assert Rule.objects.get().variant == "broad"


def test_a_variant_that_is_added_can_be_named_on_the_same_page(ada, layout):
    ada.open(layout).save(
        variants_2_key="new", variants_2_value="3", rules_0_variant="new", off_variant="new"
    )
    assert Rule.objects.get().variant == flag_now().off_variant == "new"


def test_a_circle_of_prerequisites_is_refused(ada, flag):
    other = changes.create("y")
    with changes.change():
        other.prerequisites.create(required=flag)
    page = ada.open(flag).save(prerequisites_0_required=str(other.pk))
    assert "circle" in page.errors["prerequisites"]
    assert flag.prerequisites.count() == 0


def test_a_prerequisite_that_names_an_unknown_variant_is_refused_at_its_field(ada, flag, layout_y):
    page = ada.open(flag).save(
        prerequisites_0_required=str(layout_y.pk), prerequisites_0_variant="nope"
    )
    assert "'nope' is no variant" in page.errors["prerequisites-0-variant"]


@pytest.fixture
def layout_y():
    return changes.create("y", variants=[("a", 1, 1), ("b", 2, 1)])


def test_a_variant_that_another_flag_requires_can_not_be_deleted(ada, flag, layout_y):
    with changes.change():
        flag.prerequisites.create(required=layout_y, variant="b")
    page = ada.open(layout_y).save(variants_1_DELETE="on")
    assert "required by the flag 'x'" in page.errors["variants"]
    assert layout_y.variants.count() == 2


# --- a running rollout ------------------------------------------------------------------------


@pytest.fixture
def running():
    """A flag whose rollout is at its first stage."""
    changes.create("x")
    return changes.rollouts.start("x", changes.rollouts.to_plan("5:1d,100"))


def test_the_page_says_which_stage_holds(ada, running):
    assert "on for 5 % (stage 1 of 2)" in ada.open(running).text


def test_while_a_rollout_runs_the_percentage_is_refused_at_its_field(ada, running):
    page = ada.open(running).save(percentage="50")
    assert "Stop the rollout first." in page.errors["percentage"]


def test_who_may_only_look_reads_the_share_of_the_stage(running):
    page = pages(user("vera", "view_flag")).open(running)
    assert "Percentage: 5 % (stage 1 of 2)" in page.words


def test_while_a_rollout_runs_the_field_says_who_decides(ada, running):
    field = ada.open(running).bound("percentage")
    assert field.field.widget.attrs["readonly"]
    assert "Stop the rollout to set a share by hand." in field.help_text


def test_what_was_typed_before_the_rollout_began_can_be_mended(ada, flag):
    page = ada.open(flag)
    changes.rollouts.start("x", changes.rollouts.to_plan("5:1d,100"))
    refused = page.save(percentage="50", seen=str(flag_now().version))
    assert not refused.bound("percentage").field.widget.attrs["readonly"]


def test_while_a_rollout_runs_all_else_can_be_changed(ada, running):
    ada.open(running).save(owner="Checkout", enabled=None)
    flag = flag_now()
    assert (flag.owner, flag.enabled, flag.stages.count()) == ("Checkout", False, 2)


# --- critical flags ---------------------------------------------------------------------------


def test_a_critical_flag_asks_for_its_key(ada):
    flag = changes.create("x", critical=True, percentage=0)
    page = ada.open(flag).save(enabled="on")
    assert page.errors == {"typed_key": "Type “x”: this flag is critical."}
    assert not flag_now().enabled
    page.save(typed_key="x")
    assert flag_now().enabled


@pytest.mark.parametrize("look", ["_review", "_ask"])
def test_a_critical_flag_is_reviewed_without_its_key(ada, look):
    page = ada.open(changes.create("x", critical=True, percentage=0))
    page = page.save(enabled="on", _save=None, **{look: ""})
    assert "enabled: no → yes" in page.words
    page = page.save()
    assert page.errors == {"typed_key": "Type “x”: this flag is critical."}
    assert not flag_now().enabled


@pytest.mark.parametrize("look", ["_review", "_ask"])
def test_who_only_looks_at_a_critical_flag_does_not_apply_on_top(ada, bob, look):
    flag = changes.create("x", critical=True, percentage=0)
    page = ada.open(flag)
    bob.open(flag).save(owner="Bob", typed_key="x")
    page = page.save(enabled="on", _save=None, _reapply="2", **{look: ""})
    assert "bob changed it" in page.words
    assert not flag_now().enabled


def test_a_critical_flag_asks_before_it_is_no_longer_critical(ada):
    flag = changes.create("x", critical=True)
    assert "typed_key" in ada.open(flag).save(critical=None).errors


def test_other_flags_do_not_ask(ada, flag):
    assert "typed_key" not in ada.open(flag).fields


# --- deleting ---------------------------------------------------------------------------------


def test_a_deleted_flag_leaves_a_revision(ada, flag):
    page = ada.delete(flag)
    assert page.messages == ["The flag “x” was deleted successfully."]
    assert Revision.objects.first().after is None


def test_a_required_flag_is_not_deleted_and_the_page_links_to_what_requires_it(ada, flag):
    other = changes.create("y")
    with changes.change():
        other.prerequisites.create(required=flag)
    page = ada.delete(flag)
    assert f'<a href="/admin/flaggate/flag/{other.pk}/change/">y</a>' in page.text
    assert Flag.objects.count() == 2
    page = ada.act("delete_selected", flag)
    assert f'<a href="/admin/flaggate/flag/{other.pk}/change/">y</a>' in page.text


def test_a_projects_own_protection_is_told_and_nothing_is_deleted(ada, flag):
    def protect(**_):
        raise ProtectedError("The campaign of spring uses this flag.", set())

    pre_delete.connect(protect, sender=Flag)
    try:
        pages = [ada.delete(flag), ada.post("/admin/flaggate/flag/", deletion_of(flag))]
    finally:
        pre_delete.disconnect(protect, sender=Flag)
    for page in pages:
        assert page.messages == ["The campaign of spring uses this flag."]
    assert Flag.objects.exists()
    assert Revision.objects.count() == 1


def deletion_of(flag):
    return {"action": "delete_selected", "_selected_action": [flag.pk], "post": "yes"}


def test_what_was_changed_since_the_page_was_opened_is_not_deleted(ada, bob, flag):
    page = ada.get(address(Flag, "delete", flag.pk))
    assert '<input type="hidden" name="seen" value="1">' in page.text
    bob.do("turn-on", flag)
    page = deleted(ada, flag, seen="1")
    assert "flag x: was changed by bob at" in page.messages[0]
    assert Flag.objects.filter(key="x").exists()
    deleted(ada, flag, seen="2")
    assert not Flag.objects.filter(key="x").exists()


def test_many_flags_can_be_deleted(ada, flag):
    page = ada.post("/admin/flaggate/flag/", deletion_of(flag))
    assert page.messages == ["Successfully deleted 1 flag."]
    assert Revision.objects.first().after is None
    assert not Flag.objects.exists()


def test_a_deletion_can_have_a_reason(ada, flag):
    assert 'name="comment"' in ada.get(address(Flag, "delete", flag.pk)).text
    ada.post(address(Flag, "delete", flag.pk), {"post": "yes", "comment": "It is out."})
    assert Revision.objects.first().comment == "It is out."


def test_the_deletion_of_many_can_have_a_reason(ada, flag):
    page = ada.act("delete_selected", flag)
    assert 'name="comment"' in page.text
    ada.post("/admin/flaggate/flag/", {**deletion_of(flag), "comment": "It is out."})
    assert Revision.objects.first().comment == "It is out."


def deleted(browser, flag, **typed):
    return browser.post(address(Flag, "delete", flag.pk), {"post": "yes", **typed})


def test_the_deletion_of_a_critical_flag_asks_for_its_key(ada):
    flag = changes.create("x", critical=True)
    name = f"typed_key_{flag.pk}"
    assert f'name="{name}"' in ada.get(address(Flag, "delete", flag.pk)).text
    for typed in ({}, {name: "y"}):
        page = deleted(ada, flag, comment="It is out.", **typed)
        assert name in page.response.context["form"].errors
        assert 'value="It is out."' in page.text
    assert Flag.objects.exists()
    deleted(ada, flag, **{name: "x"})
    assert not Flag.objects.exists()


@pytest.mark.parametrize("post", [{}, {"post": "yes"}])
def test_the_deletion_of_many_is_refused_whole_where_one_is_critical(ada, flag, post):
    critical = changes.create("y", critical=True)
    chosen = {"action": "delete_selected", "_selected_action": [flag.pk, critical.pk]}
    page = ada.post("/admin/flaggate/flag/", {**chosen, **post})
    assert "The flag y is critical: delete it from its own page" in page.messages[0]
    assert Flag.objects.count() == 2


def test_who_deletes_several_reads_which_of_them_is_used(ada, flag):
    other = changes.create("y")
    using = changes.create("z")
    with changes.change():
        using.prerequisites.create(required=other)
    page = ada.act("delete_selected", flag, other)
    assert f'{using.pk}/change/">z</a> (uses y)' in page.text


def test_who_deletes_reads_who_gets_the_flag_and_what_goes_with_it(ada):
    flag = changes.create("x", enabled=True, percentage=5, variants=[("a", 1, 1), ("b", 2, 1)])
    page = ada.get(address(Flag, "delete", flag.pk))
    assert "The flag is on for 5 %." in page.text
    assert list(page.response.context["model_count"]) == [("flags", "1"), ("variants", "2")]
    assert f'{flag.pk}/change/">x</a>: on for 5 %' in ada.act("delete_selected", flag).text


# --- the head of the page, the stages ---------------------------------------------------------


def test_stages_are_edited_while_no_rollout_runs(ada, flag):
    page = ada.open(flag)
    page.fields["stages-TOTAL_FORMS"] = ["2"]
    page.save(
        stages_0_percentage="5", stages_0_holds="12h", stages_1_percentage="100", stages_1_order=""
    )
    assert list(flag.stages.values_list("percentage", "holds")) == [
        (5, timedelta(hours=12)),
        (100, None),
    ]
    page = ada.open(flag_now())
    assert page.fields["stages-0-holds"] == ["12h"]
    page.save(stages_0_holds="2d")
    assert flag.stages.first().holds == timedelta(days=2)


@pytest.mark.parametrize("holds", ["12", "0h", "1y", "-1h", "1 00:00:00"])
def test_a_time_that_is_none_is_an_error_at_its_field(ada, flag, holds):
    page = ada.open(flag).save(stages_0_percentage="5", stages_0_holds=holds)
    assert "Write 30m, 12h or 2d" in page.errors["stages-0-holds"]


def test_a_time_that_is_too_long_is_an_error_at_its_field(ada, flag):
    page = ada.open(flag).save(stages_0_percentage="5", stages_0_holds="999999w")
    assert page.errors["stages-0-holds"] == "A stage holds for 3650d at most."
    page.save(stages_0_holds="3650d")
    assert flag.stages.exists()


def test_stages_that_fall_are_an_error_at_their_field(ada, flag):
    page = ada.open(flag)
    page.fields["stages-TOTAL_FORMS"] = ["2"]
    typed = {"stages_0_percentage": "50", "stages_0_holds": "1h", "stages_1_percentage": "5"}
    page = page.save(**typed, stages_1_order="")
    assert "This is below the stage before" in page.errors["stages-1-percentage"]


def test_the_stages_of_a_flag_are_offered_for_its_rollout(ada, flag):
    with changes.change():
        flag.stages.create(percentage=7, holds=timedelta(hours=3))
        flag.stages.create(percentage=100, order=1)
    assert ada.ask("start", flag).fields["value"] == ["7:3h,100"]


def test_while_a_rollout_runs_its_stages_are_a_line_of_done_now_and_next(ada, running):
    with changes.change():
        Rollout.objects.update(started_at=timezone.now() - timedelta(hours=25))
    page = ada.open(running)
    assert "stages-TOTAL_FORMS" not in page.fields
    assert re.search(r"✓ done 5 % from .*, for 1d ▶ now 100 % from", page.words)


def test_a_pause_leaves_open_when_the_next_stage_begins(ada, running):
    changes.rollouts.pause("x")
    assert re.search(
        r"▶ now 5 % from .*, for 1d ○ next 100 % after the pause", ada.open(running).words
    )


def test_a_quarantined_flag_says_so_and_why(ada, flag):
    Flag.objects.update(off_variant="nope", enabled=True)
    words = ada.open(flag).words
    assert "This flag is quarantined" in words
    assert "nope" in words
    assert "⚠ quarantined" in ada.list(Flag).words


def test_a_flag_that_is_quarantined_for_its_segment_says_what_is_wrong_there(ada, flag, segment):
    with changes.change():
        Rule.objects.create(flag=flag).segments.add(segment)
    segment.conditions.update(operator="from_a_newer_release")
    words = ada.open(flag).words
    assert "the segment 'beta' is broken: conditions[0].values:" in words
    assert "from_a_newer_release" in words


def test_the_page_says_what_each_variant_gets_and_what_remains(ada):
    flag = changes.create("x", percentage=25, variants=[("a", 1, 1), ("b", 2, 3)])
    assert "Of everyone else: a 6.25 %, b 18.75 %, 75 % remain off" in ada.open(flag).words
