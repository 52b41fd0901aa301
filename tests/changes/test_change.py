"""One change: whole or not at all, checked, recorded once."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

import flaggate
from flaggate import changes, signals
from flaggate.core.references import MAX_DEPTH
from flaggate.exceptions import ChangeRefused, Conflict, Invalid, NotPermitted
from flaggate.models import (
    Condition,
    Flag,
    Prerequisite,
    Revision,
    Rule,
    Segment,
    SegmentMember,
    State,
    Tombstone,
    Variant,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def flag() -> Flag:
    return changes.create("x", percentage=0)


@pytest.fixture
def segment() -> Segment:
    with changes.change():
        segment = Segment.objects.create(key="beta")
        Condition.objects.create(
            segment=segment, attribute="plan", operator="one_of", values=["gold"]
        )
    return segment


def state_version() -> int:
    return State.objects.get().version


# --- revisions --------------------------------------------------------------------------------


def test_a_change_of_many_rows_of_a_flag_is_one_revision(flag: Flag, segment: Segment) -> None:
    with changes.change(source="admin", comment="to the testers"):
        flag.enabled = True
        flag.save()
        Rule.objects.create(flag=flag, percentage=50).segments.add(segment)
        Variant.objects.create(flag=flag, key="a", value=1)
    last = Revision.objects.filter(key="x").first()
    assert (last.version, last.source, last.comment) == (2, "admin", "to the testers")
    assert (last.before["enabled"], last.after["enabled"]) == (False, True)
    assert last.after["rules"] == [{"segments": ["beta"], "percentage": 50, "variant": ""}]
    assert last.after["variants"] == [{"key": "a", "value": 1, "weight": 1}]
    assert Flag.objects.get(key="x").version == 2


def test_each_flag_that_differs_gets_its_revision(flag: Flag) -> None:
    other = changes.create("y")
    with changes.change() as change:
        for each in (flag, other):
            each.enabled = True
            each.save()
    assert {revision.key for revision in change.revisions} == {"x", "y"}


def test_the_state_is_bumped_once_for_a_change(flag: Flag) -> None:
    before = state_version()
    with changes.change():
        Flag.objects.update(enabled=True)
        Variant.objects.create(flag=flag, key="a", value=1)
        flag.refresh_from_db()
        flag.description = "twice"
        flag.save()
    assert state_version() == before + 1


def test_saving_what_is_there_already_changes_nothing(flag: Flag) -> None:
    before = state_version(), Revision.objects.count()
    with changes.change():
        flag.save()
    assert (state_version(), Revision.objects.count()) == before


def test_a_created_flag_has_no_before(flag: Flag) -> None:
    revision = Revision.objects.get(key="x")
    assert (revision.before, revision.version) == (None, 1)
    assert revision.after["key"] == "x"


def test_a_deleted_flag_has_no_after(flag: Flag) -> None:
    changes.delete("x")
    revision = Revision.objects.filter(key="x").first()
    assert revision.after is None
    assert revision.before["key"] == "x"


def test_flags_created_in_bulk_get_their_revisions() -> None:
    with changes.change():
        Flag.objects.bulk_create([Flag(key="a"), Flag(key="b")])
    assert Revision.objects.filter(before__isnull=True).count() == 2


def test_segments_created_in_bulk_get_their_revisions() -> None:
    with changes.change():
        Segment.objects.bulk_create([Segment(key="a"), Segment(key="b")])
    assert Revision.objects.filter(before__isnull=True).count() == 2


def test_a_changed_segment_gets_the_revision_and_not_its_flags(
    flag: Flag, segment: Segment
) -> None:
    with changes.change():
        Rule.objects.create(flag=flag).segments.add(segment)
    with changes.change() as change:
        SegmentMember.objects.create(segment=segment, targeting_key="42")
    assert [(each.subject, each.key) for each in change.revisions] == [("segment", "beta")]
    assert change.revisions[0].after["included"] == ["42"]


def test_a_long_list_of_members_is_recorded_as_its_length(segment: Segment) -> None:
    with changes.change() as change:
        SegmentMember.objects.bulk_create(
            SegmentMember(segment=segment, targeting_key=str(number)) for number in range(1001)
        )
    assert change.revisions[0].after["included"]["count"] == 1001


def test_a_change_within_a_change_joins_it(flag: Flag) -> None:
    with changes.change(comment="outer") as outer, changes.change(comment="inner") as inner:
        Flag.objects.update(enabled=True)
    assert inner is outer
    assert [each.comment for each in outer.revisions] == ["outer"]


def test_plain_writes_outside_leave_no_revision_and_the_next_one_says_so(flag: Flag) -> None:
    Flag.objects.update(description="by hand")
    changes.enable("x")
    first, last = Revision.objects.filter(key="x").order_by("version")
    assert first.version + 2 == last.version, "a version is missing between them"
    assert first.after["description"] != last.before["description"] == "by hand"


def test_an_exception_inside_writes_nothing(flag: Flag) -> None:
    before = state_version(), Revision.objects.count()
    with pytest.raises(RuntimeError), changes.change():
        Flag.objects.update(enabled=True)
        raise RuntimeError
    assert (state_version(), Revision.objects.count()) == before
    assert not Flag.objects.get().enabled


def test_after_a_failed_change_plain_writes_are_plain_again(flag: Flag) -> None:
    with pytest.raises(RuntimeError), changes.change():
        raise RuntimeError
    before = state_version()
    Flag.objects.update(enabled=True)
    assert state_version() == before + 1


def test_a_value_that_is_the_same_only_to_python_is_a_change() -> None:
    flag = changes.create("x", variants=[("a", 1, 1)])
    for value in (True, 1, 1.0):
        before = state_version()
        with changes.change():
            flag.variants.update(value=value)
        assert state_version() == before + 1
    stored = [revision.after["variants"][0]["value"] for revision in Revision.objects.all()]
    assert [(type(value), value) for value in stored] == [(float, 1), (int, 1), (bool, 1), (int, 1)]


# --- who may, and conflicts -------------------------------------------------------------------


@pytest.fixture
def user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("olivia")


def allow(user: Any, *codenames: str) -> Any:
    from django.contrib.auth.models import Permission

    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return type(user).objects.get(pk=user.pk)


def test_an_actor_without_the_permission_writes_nothing(flag: Flag, user: Any) -> None:
    with pytest.raises(NotPermitted, match=r"flag x: olivia lacks .* flaggate\.toggle_flag"):
        changes.enable("x", actor=user)
    assert not Flag.objects.get().enabled


@pytest.mark.parametrize(
    ("permission", "act"),
    [
        ("add_flag", lambda user: changes.create("new", actor=user)),
        ("change_flag", lambda user: changes.enable("x", actor=user)),
        ("delete_flag", lambda user: changes.delete("x", actor=user)),
    ],
)
def test_each_kind_of_change_needs_its_own_permission(
    flag: Flag, user: Any, permission: str, act: Any
) -> None:
    others = {"add_flag", "change_flag", "delete_flag"} - {permission}
    with pytest.raises(NotPermitted):
        act(allow(user, *others))
    act(allow(user, permission))
    assert Revision.objects.first().actor_name == "olivia"


def test_a_segment_needs_the_segments_permission(segment: Segment, user: Any) -> None:
    actor = allow(user, "change_flag")
    with pytest.raises(NotPermitted, match="import_members"), changes.change(actor=actor):
        SegmentMember.objects.create(segment=segment, targeting_key="1")


def test_the_second_of_two_who_edit_the_same_flag_gets_a_conflict(flag: Flag, user: Any) -> None:
    seen = {("flag", "x"): flag.version}
    changes.rollout("x", 5, expected_versions=seen, actor=allow(user, "change_flag"))
    with pytest.raises(Conflict, match=r"by olivia at .* from version 1 to 2"):
        changes.rollout("x", 50, expected_versions=seen)
    assert Flag.objects.get().percentage == 5


def test_a_plain_write_in_between_is_a_conflict_too(flag: Flag) -> None:
    Flag.objects.update(description="by hand")
    with pytest.raises(Conflict):
        changes.enable("x", expected_versions={("flag", "x"): flag.version})


def test_a_conflict_names_the_source_of_a_change_by_nobody(flag: Flag) -> None:
    changes.rollout("x", 5, source="command")
    with pytest.raises(Conflict, match=r"was changed by command at .* from version 1 to 2"):
        changes.rollout("x", 50, expected_versions={("flag", "x"): 1})


def test_a_conflict_of_what_has_no_history_says_the_versions() -> None:
    made = Flag.objects.create(key="plain")
    with pytest.raises(Conflict, match=rf"was changed, from version 7 to {made.version}\."):
        changes.enable("plain", expected_versions={("flag", "plain"): 7})


def test_a_change_of_a_segment_leaves_the_version_of_a_flag_with_its_number(flag: Flag) -> None:
    with changes.change():
        Segment.objects.create(pk=flag.pk, key="of_the_same_number")
    flag.refresh_from_db()
    assert flag.version == 1


def test_a_conflict_is_found_within_an_open_change_too(flag: Flag) -> None:
    changes.rollout("x", 5)
    with changes.change(), pytest.raises(Conflict):
        changes.enable("x", expected_versions={("flag", "x"): 1})


def test_an_instance_read_before_others_wrote_does_not_bring_its_version_back(flag: Flag) -> None:
    changes.rollout("x", 5)
    changes.rollout("x", 6)
    flag.description = "old"
    flag.save()
    assert Flag.objects.get().version == 4


def test_a_flag_deleted_meanwhile_is_a_conflict(flag: Flag) -> None:
    changes.delete("x")
    with (
        pytest.raises(Conflict, match="was deleted"),
        changes.change(expected_versions={("flag", "x"): 1}),
    ):
        pass


# --- what is refused --------------------------------------------------------------------------


def refused(problem: str) -> Any:
    return pytest.raises(Invalid, match=problem)


def test_a_rule_must_name_a_variant_of_its_flag(flag: Flag, segment: Segment) -> None:
    with refused(r"rules\[0\]\.variant: 'nope' is no variant"), changes.change():
        Rule.objects.create(flag=flag, variant="nope").segments.add(segment)
    assert not Rule.objects.exists()


def test_a_rule_without_segments_is_refused(flag: Flag) -> None:
    with refused(r"rules\[0\]\.segments: is empty"), changes.change():
        Rule.objects.create(flag=flag)


def test_a_first_rule_must_state_what_everyone_else_gets(segment: Segment) -> None:
    flag = changes.create("y")
    with refused("percentage: is 100, so that with its first rule"), changes.change():
        Rule.objects.create(flag=flag, percentage=5).segments.add(segment)
    assert not Rule.objects.exists()


def test_a_first_rule_may_state_that_everyone_else_keeps_the_flag(segment: Segment) -> None:
    flag = changes.create("y")
    with changes.change() as change:
        change.state_percentage("y")
        Rule.objects.create(flag=flag, percentage=0).segments.add(segment)
    with changes.change():
        Rule.objects.create(flag=flag, order=1).segments.add(segment)
    assert Rule.objects.count() == 2


def test_a_first_rule_may_come_with_the_percentage(segment: Segment) -> None:
    flag = changes.create("y")
    with changes.change():
        Rule.objects.create(flag=flag, percentage=5).segments.add(segment)
        flag.percentage = 0
        flag.save()
    assert Flag.objects.get().percentage == 0


def test_a_flag_is_created_with_its_rules_as_they_stand(segment: Segment) -> None:
    with changes.change():
        flag = Flag.objects.create(key="y")
        Rule.objects.create(flag=flag).segments.add(segment)
    assert Rule.objects.exists()


def test_the_off_variant_must_be_a_variant(flag: Flag) -> None:
    with refused("off_variant: 'nope' is no variant"), changes.change():
        flag.off_variant = "nope"
        flag.save()


@pytest.mark.parametrize("percentage", ["-1", "100.001", "NaN", "many", "1.0001"])
def test_what_is_no_percentage_is_refused(flag: Flag, percentage: str) -> None:
    with refused("percentage"):
        changes.rollout("x", percentage)
    assert Flag.objects.get().percentage == 0


def test_weights_may_not_all_be_zero() -> None:
    with refused("variants: all have the weight 0"):
        changes.create("y", variants=[("a", 1, 0), ("b", 2, 0)])
    assert not Flag.objects.exists()


@pytest.mark.parametrize("key", ["", "-x", "ä", "a b", "a" * 101, "a\n"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with refused("key"):
        changes.create(key)


def test_a_circle_of_prerequisites_is_refused(flag: Flag) -> None:
    other = changes.create("y")
    with changes.change():
        Prerequisite.objects.create(flag=flag, required=other)
    with refused("prerequisites: run in a circle"), changes.change():
        Prerequisite.objects.create(flag=other, required=flag)


def test_what_would_turn_off_the_flag_on_top_of_a_long_chain_is_refused(flag: Flag) -> None:
    with changes.change():
        chain = [Flag.objects.create(key=f"f{number}") for number in range(MAX_DEPTH + 1)]
        for above, below in pairwise(chain):
            Prerequisite.objects.create(flag=above, required=below)
    with refused("prerequisites: would make 'f0' run in a circle or too deep"), changes.change():
        Prerequisite.objects.create(flag=chain[-1], required=flag)
    with changes.change():
        Prerequisite.objects.create(flag=flag, required=chain[1])


def test_what_would_break_the_outermost_of_nested_segments_is_refused(segment: Segment) -> None:
    with changes.change():
        segments = [Segment.objects.create(key=f"s{number}") for number in range(MAX_DEPTH + 1)]
        for outer, inner in pairwise(segments):
            nest(outer, inner)
    with refused("conditions: would make 's0' run in a circle or too deep"), changes.change():
        nest(segments[-1], segment)


def nest(outer: Segment, inner: Segment) -> None:
    Condition.objects.create(segment=outer, operator="in_segment", values=[inner.key])


def test_a_change_elsewhere_is_not_refused_for_a_circle_that_sql_made(flag: Flag) -> None:
    one, other = changes.create("one"), changes.create("other")
    Prerequisite.objects.create(flag=one, required=other)
    Prerequisite.objects.create(flag=other, required=one)
    assert changes.rollout("x", 5).percentage == 5


def test_in_a_circle_that_sql_made_one_can_be_turned_off_and_others_created(flag: Flag) -> None:
    one, other = changes.create("one", enabled=True), changes.create("other")
    Prerequisite.objects.create(flag=one, required=other)
    Prerequisite.objects.create(flag=other, required=one)
    assert not changes.disable("one").enabled
    assert changes.create("new").key == "new"


def test_what_lies_within_segments_that_sql_nested_too_deep_can_be_changed() -> None:
    segments = [Segment.objects.create(key=f"s{number}") for number in range(MAX_DEPTH + 2)]
    for outer, inner in pairwise(segments):
        nest(outer, inner)
    with changes.change() as change:
        Segment.objects.filter(key="s9").update(name="Nine")
    assert [revision.key for revision in change.revisions] == ["s9"]


def test_a_segment_that_can_not_be_read_is_refused(segment: Segment) -> None:
    with refused("rows: match: 'one' is neither 'all' nor 'any'"), changes.change():
        Segment.objects.update(match="one")


def test_a_required_variant_must_exist(flag: Flag) -> None:
    other = changes.create("y")
    with refused(r"prerequisites\[0\]\.variant: 'a' is no variant"), changes.change():
        Prerequisite.objects.create(flag=flag, required=other, variant="a")


def test_a_variant_that_another_flag_requires_can_not_go_beside_other_changes(flag: Flag) -> None:
    changes.create("earlier")
    other = changes.create("y", variants=[("a", 1, 1), ("b", 2, 1)])
    changes.create("z")
    with changes.change():
        Prerequisite.objects.create(flag=flag, required=other, variant="a")
    with refused("'a' is required by the flag 'x'"), changes.change():
        Flag.objects.filter(key__in=["earlier", "z"]).update(owner="we")
        other.variants.get(key="a").delete()


def test_a_variant_that_another_flag_requires_can_not_go(flag: Flag) -> None:
    other = changes.create("y", variants=[("a", 1, 1), ("b", 2, 1)])
    with changes.change():
        Prerequisite.objects.create(flag=flag, required=other, variant="a")
    with refused("'a' is required by the flag 'x'"), changes.change():
        other.variants.get(key="a").delete()
    with refused("'a' is required by the flag 'x'"), changes.change():
        other.variants.filter(key="a").update(key="c")


def test_a_variant_that_a_rule_serves_can_not_go(segment: Segment) -> None:
    flag = changes.create("y", percentage=0, variants=[("a", 1, 1), ("b", 2, 1)])
    with changes.change():
        Rule.objects.create(flag=flag, variant="a").segments.add(segment)
    with refused(r"rules\[0\]\.variant"), changes.change():
        flag.variants.get(key="a").delete()


@pytest.mark.parametrize(
    ("operator", "values"),
    [("gt", ["x"]), ("one_of", []), ("in_cidr", ["10.0.0.0/99"]), ("nope", [1]), ("after", ["x"])],
)
def test_operands_of_the_wrong_type_are_refused(
    segment: Segment, operator: str, values: list[object]
) -> None:
    with refused(r"conditions\[1\]\.values"), changes.change():
        Condition.objects.create(segment=segment, attribute="n", operator=operator, values=values)


@pytest.mark.parametrize("pattern", ["(?:a?){1000}", r"\C", "("])
def test_a_pattern_that_could_take_too_long_or_is_none_is_refused(
    segment: Segment, pattern: str
) -> None:
    with refused(r"conditions\[1\]\.values: \".*; "), changes.change():
        Condition.objects.create(
            segment=segment, attribute="n", operator="matches", values=[pattern]
        )


def test_without_google_re2_a_pattern_is_refused(
    segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    with refused(r"conditions\[1\]\.values: Patterns need google-re2"), changes.change():
        Condition.objects.create(segment=segment, attribute="n", operator="matches", values=["a"])


def test_a_segment_may_not_contain_itself(segment: Segment) -> None:
    with refused("conditions: run in a circle"), changes.change():
        Condition.objects.create(segment=segment, operator="in_segment", values=["beta"])


def test_a_segment_must_exist_to_be_named(segment: Segment) -> None:
    with refused("there is no segment 'gamma'"), changes.change():
        Condition.objects.create(segment=segment, operator="in_segment", values=["gamma"])


def test_turning_off_is_never_refused(flag: Flag, segment: Segment) -> None:
    changes.enable("x")
    Rule.objects.create(flag=flag, variant="nope")
    with pytest.raises(Invalid):
        changes.rollout("x", 5)
    changes.disable("x")
    changes.archive("x")
    assert not flaggate.is_active("x")


def test_a_broken_flag_can_be_archived_and_not_turned_on(flag: Flag) -> None:
    Rule.objects.create(flag=flag, variant="nope")
    with pytest.raises(Invalid):
        changes.enable("x")
    Flag.objects.update(enabled=True)
    assert changes.archive("x").archived_at


def test_a_broken_flag_can_be_disabled_and_archived_at_once(flag: Flag) -> None:
    changes.enable("x")
    Rule.objects.create(flag=flag, variant="nope")
    with changes.change() as change:
        Flag.objects.update(enabled=False, archived_at=timezone.now())
    assert [revision.key for revision in change.revisions] == ["x"]


def test_turning_one_flag_off_excuses_no_other(flag: Flag) -> None:
    changes.enable("x")
    other = changes.create("y")
    with refused(r"rules\[0\]"), changes.change():
        Flag.objects.filter(key="x").update(enabled=False)
        Rule.objects.create(flag=other)


def test_a_used_segment_can_not_be_deleted_by_any_route(flag: Flag, segment: Segment) -> None:
    from flaggate.models.segments import SegmentInUse

    with changes.change():
        Rule.objects.create(flag=flag).segments.add(segment)
    for delete in (segment.delete, Segment.objects.all().delete):
        with pytest.raises(SegmentInUse, match="used by flag x"):
            delete()
    assert Segment.objects.exists()


def test_a_segment_used_by_a_segment_can_not_be_deleted(segment: Segment) -> None:
    from flaggate.models.segments import SegmentInUse

    with changes.change():
        outer = Segment.objects.create(key="outer")
        Condition.objects.create(segment=outer, operator="in_segment", values=["beta"])
    with pytest.raises(SegmentInUse, match="used by segment outer"):
        segment.delete()


def test_a_flag_that_others_require_can_not_be_deleted(flag: Flag) -> None:
    other = changes.create("y")
    with changes.change():
        Prerequisite.objects.create(flag=other, required=flag)
    with pytest.raises(ChangeRefused, match="is required by y"):
        changes.delete("x")


# --- keys -------------------------------------------------------------------------------------


def test_a_key_never_changes(flag: Flag) -> None:
    flag.key = "z"
    with pytest.raises(ChangeRefused, match="'x' can't become 'z'"):
        flag.save()
    with pytest.raises(ChangeRefused, match="never changes"):
        Flag.objects.update(key="z")


def test_a_segments_key_never_changes(segment: Segment) -> None:
    segment.key = "gamma"
    with pytest.raises(ChangeRefused, match="a segment's key never changes"):
        segment.save()
    with pytest.raises(ChangeRefused, match="a segment's key never changes"):
        Segment.objects.update(key="gamma")


@pytest.mark.parametrize(
    ("variants", "problem"),
    [
        ([("a", None, 1)], r"variants\[0\]\.value"),
        ([("a", 1, 1), ("a", 2, 1)], r"variants\[1\]\.key"),
        ([("a", 1, -1)], r"variants\[0\]\.weight"),
        ([("a b", 1, 1)], r"variants\[0\]\.key"),
    ],
)
def test_variants_that_make_no_sense_are_refused_by_name(variants: Any, problem: str) -> None:
    with refused(problem):
        changes.create("y", variants=variants)
    assert not Flag.objects.exists()


def test_the_key_of_a_deleted_flag_that_was_once_enabled_is_never_used_again(flag: Flag) -> None:
    changes.enable("x")
    changes.disable("x")
    changes.delete("x")
    with pytest.raises(ChangeRefused, match="belonged to a flag that was deleted"):
        changes.create("x")
    assert not Flag.objects.exists()


def test_once_enabled_by_an_update_counts(flag: Flag) -> None:
    Flag.objects.update(enabled=True)
    Flag.objects.update(enabled=False)
    changes.delete("x")
    assert Tombstone.objects.filter(key="x").exists()


def test_a_key_that_was_never_enabled_is_free_again(flag: Flag) -> None:
    changes.delete("x")
    changes.create("x")
    assert not Tombstone.objects.exists()


# --- signals ----------------------------------------------------------------------------------


def test_flag_changed_is_sent_after_the_commit_with_the_revision(flag: Flag) -> None:
    heard: list[Revision] = []

    def hear(revision: Revision, **_: Any) -> None:
        heard.append(revision)

    signals.flag_changed.connect(hear)
    try:
        with transaction.atomic():
            changes.enable("x")
            assert heard == []
        assert [(each.key, each.version) for each in heard] == [("x", 2)]
    finally:
        signals.flag_changed.disconnect(hear)


def test_a_receiver_that_raises_spoils_nothing(flag: Flag) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError

    signals.flag_changed.connect(fail)
    try:
        changes.enable("x")
    finally:
        signals.flag_changed.disconnect(fail)
    assert flaggate.is_active("x") is False  # 0 %, but enabled
    assert Flag.objects.get().enabled
