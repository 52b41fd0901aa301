"""Going back to an earlier revision, and copying."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from flaggate import changes
from flaggate.exceptions import ChangeRefused, Conflict, Invalid
from flaggate.models import Condition, Flag, Revision, Rule, Segment, documents

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def segment() -> Segment:
    with changes.change():
        segment = Segment.objects.create(key="beta", name="Beta")
        Condition.objects.create(segment=segment, attribute="plan", operator="exists")
    changes.members.add("beta", ["1", "2"])
    return Segment.objects.get()


@pytest.fixture
def flag(segment: Segment) -> Flag:
    """A flag with everything that one can have, at version 2."""
    changes.create("required")
    changes.create("full", variants=[("a", 1, 1), ("b", 1.0, 3)], percentage=0)
    with changes.change():
        flag = Flag.objects.get(key="full")
        flag.tags, flag.off_variant, flag.active_until = ["shop"], "a", timezone.now()
        flag.expires_on = timezone.now().date()
        flag.save()
        flag.prerequisites.create(required=Flag.objects.get(key="required"))
        Rule.objects.create(flag=flag, percentage=Decimal("12.5"), variant="b").segments.add(
            segment
        )
        flag.stages.create(order=0, percentage=5, holds=timedelta(hours=1))
        flag.stages.create(order=1, percentage=100)
    return Flag.objects.get(key="full")


def document(key: str) -> documents.Document:
    return documents.of_flag(Flag.objects.get(key=key))


def test_a_flag_is_again_all_that_it_was(flag: Flag) -> None:
    before = document("full")
    with changes.change():
        for part in (flag.rules, flag.prerequisites, flag.stages):
            part.all().delete()
        flag.off_variant, flag.tags, flag.active_until, flag.expires_on = "", [], None, None
        flag.percentage = 70
        flag.save()
        flag.variants.all().delete()
    assert document("full") != before
    changes.revert_flag("full", 2)
    assert document("full") == before


def test_what_was_added_to_a_flag_since_is_gone(flag: Flag) -> None:
    before = document("full")
    with changes.change():
        flag.variants.create(key="c", value=1, weight=1)
        flag.rules.create(order=1).segments.add(Segment.objects.get())
        flag.prerequisites.create(required=Flag.objects.create(key="other"))
        flag.stages.create(order=0, percentage=5, holds=timedelta(hours=1))
    changes.revert_flag("full", 2)
    assert document("full") == before


def test_a_rollout_that_was_started_since_runs_no_more(flag: Flag) -> None:
    changes.rollouts.start("full")
    changes.revert_flag("full", 2)
    assert document("full")["rollout"] is None


def test_a_revert_is_a_new_revision(flag: Flag) -> None:
    changes.enable("full")
    reverted = changes.revert_flag("full", 2, comment="Payments fail")
    last = Revision.objects.filter(key="full").first()
    assert (reverted.version, last.version, last.comment) == (4, 4, "Payments fail")
    assert last.after == Revision.objects.get(key="full", version=2).after


def test_a_revert_to_what_is_there_changes_nothing(flag: Flag) -> None:
    assert changes.revert_flag("full", 2).version == 2


def test_a_rollout_that_was_stopped_goes_on_after_a_revert(flag: Flag) -> None:
    changes.rollouts.start("full")
    running = document("full")
    changes.rollouts.stop("full")
    changes.revert_flag("full", 3)
    assert document("full") == running


def test_a_revert_of_a_flag_that_was_changed_meanwhile_is_a_conflict(flag: Flag) -> None:
    changes.enable("full")
    with pytest.raises(Conflict):
        changes.revert_flag("full", 2, expected_versions={("flag", "full"): 2})


def test_a_revert_to_a_segment_that_is_gone_is_refused(flag: Flag) -> None:
    with changes.change():
        flag.rules.all().delete()
    with changes.change():
        Segment.objects.all().delete()
    with pytest.raises(Invalid, match=r"rules\[0\]\.segments\[0\]: there is no segment 'beta'"):
        changes.revert_flag("full", 2)
    assert not Rule.objects.exists()


def test_there_must_be_such_a_revision(flag: Flag) -> None:
    with pytest.raises(ChangeRefused, match="no revision has version 9"):
        changes.revert_flag("full", 9)


def test_a_segment_is_again_all_that_it_was(segment: Segment) -> None:
    before = documents.of_segment(segment)
    changes.members.replace("beta", ["3"])
    with changes.change():
        segment.conditions.all().delete()
        segment.name = "Other"
        segment.save()
    changes.revert_segment("beta", 2)
    assert documents.of_segment(Segment.objects.get()) == before


def test_what_was_added_to_a_segment_since_is_gone(segment: Segment) -> None:
    before = documents.of_segment(segment)
    with changes.change():
        Condition.objects.create(segment=segment, attribute="country", operator="exists")
    changes.revert_segment("beta", 2)
    assert documents.of_segment(Segment.objects.get()) == before


def test_members_that_were_only_counted_can_not_come_back(segment: Segment) -> None:
    changes.members.add("beta", map(str, range(documents.MOST_MEMBERS + 1)))
    changes.members.remove("beta", ["1"])
    with pytest.raises(ChangeRefused, match="counts 1001 members and does not name them"):
        changes.revert_segment("beta", 3)


def test_a_copy_has_all_but_is_off_and_has_its_own_buckets(flag: Flag) -> None:
    changes.enable("full")
    changes.copy("full", "another")
    copy, original = document("another"), document("full")
    different = {name for name, value in copy.items() if value != original[name]}
    assert different == {"key", "salt", "enabled"}
    assert copy["enabled"] is False


def test_a_copy_of_a_running_rollout_does_not_run(flag: Flag) -> None:
    changes.rollouts.start("full")
    changes.copy("full", "another")
    assert (document("another")["rollout"], len(document("another")["stages"])) == (None, 2)


def test_the_last_change_is_undone(flag: Flag) -> None:
    before = document("full")
    changes.disable("full")
    changes.rollout("full", 70)
    changes.undo("full")
    assert document("full") == {**before, "percentage": 0}
    changes.undo("full")
    assert document("full")["percentage"] == 70


def test_an_undo_needs_no_earlier_revision() -> None:
    Flag.objects.create(key="plain", percentage=5)
    changes.rollout("plain", 70)
    changes.undo("plain")
    assert document("plain")["percentage"] == 5


def test_a_creation_and_a_change_without_a_revision_can_not_be_undone(flag: Flag) -> None:
    changes.create("new")
    flag.save()  # a plain write
    for key in ("new", "full"):
        with pytest.raises(ChangeRefused, match="no change that could be undone"):
            changes.undo(key)


def test_a_flag_that_was_never_recorded_can_not_be_undone() -> None:
    Flag.objects.create(key="plain")
    with pytest.raises(ChangeRefused, match="no change that could be undone"):
        changes.undo("plain")


@pytest.fixture
def released(segment: Segment) -> Flag:
    """A flag with a rule, and at 100 % for everyone else."""
    changes.create("released", percentage=0)
    with changes.change():
        flag = Flag.objects.get(key="released")
        flag.rules.create(variant="").segments.add(segment)
    changes.rollout("released", 100)
    return flag


def without_rules() -> None:
    """Take the rules away, and leave the share as it is."""
    with changes.change():
        Rule.objects.all().delete()


def test_a_rule_comes_back_to_a_flag_whose_share_stays_100_percent(released: Flag) -> None:
    before = document("released")
    without_rules()
    changes.revert_flag("released", 3)
    assert document("released") == before


def test_a_rule_whose_removal_is_undone_comes_back_beside_100_percent(released: Flag) -> None:
    before = document("released")
    without_rules()
    changes.undo("released")
    assert document("released") == before


def test_a_copy_may_have_rules_and_100_percent(released: Flag) -> None:
    changes.copy("released", "another")
    assert document("another")["rules"] == document("released")["rules"]
    assert document("another")["percentage"] == 100


def test_what_was_deleted_since_can_not_be_gone_back_to(segment: Segment) -> None:
    changes.create("x")
    changes.delete("x")
    changes.create("x")
    assert Revision.objects.get(key="x", version=2).after is None
    with pytest.raises(ChangeRefused, match="no revision has version 2"):
        changes.revert_flag("x", 2)


def test_what_went_back_is_returned_at_its_new_version(flag: Flag, segment: Segment) -> None:
    changes.enable("full")
    undone = changes.undo("full")
    assert (undone.key, undone.version) == ("full", 4)
    assert changes.revert_flag("full", 3).version == 5
    reverted = changes.revert_segment("beta", 1)
    assert (reverted.key, reverted.version) == ("beta", 3)
    copy = changes.copy("full", "another")
    assert (copy.key, copy.version) == ("another", 1)
