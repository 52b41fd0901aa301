"""``flags explain``."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError

from flaggate import changes, recording
from flaggate.models import Flag, Segment
from tests.management.shell import document, flags, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    ada = User.objects.create_user("ada", "ada@example.com", pk=42)
    ada.groups.add(Group.objects.create(name="beta"))
    return ada


def create(key="x", *, salt="checkout", **fields):
    """Create a flag that is on, and whose buckets are known."""
    return changes.create(key, enabled=True, salt=salt, **fields)


def add_rule(flag, segment, *conditions, percentage=100, **fields):
    with changes.change() as change:
        change.state_percentage(flag.key)
        found, _ = Segment.objects.get_or_create(key=segment)
        for attribute, operator, values, *negate in conditions:
            found.conditions.create(
                attribute=attribute, operator=operator, values=values, negate=bool(negate)
            )
        rule = flag.rules.create(order=flag.rules.count(), percentage=percentage, **fields)
        rule.segments.add(found)


def lines(*arguments, key="x"):
    return [line.strip() for line in flags("explain", key, *arguments).splitlines()]


# --- For whom ---


@pytest.mark.parametrize("name", ["42", "ada"])
def test_a_user_is_found_by_primary_key_or_name(ada, name):
    create()
    assert lines("--user", name)[0] == "x is active for the user ada"
    assert document("explain", "x", "--user", name)["targeting_key"] == "42"


def test_a_primary_key_comes_before_a_name(ada):
    create()
    User.objects.create_user("42")
    assert lines("--user", "42")[0] == "x is active for the user ada"


def test_an_unknown_user_is_refused():
    create()
    assert refusal("explain", "x", "--user", "eve").startswith("There is no user 'eve'.")


def test_a_targeting_key_is_enough():
    create()
    assert lines("--key", "v-17")[0] == "x is active for the targeting key v-17"
    assert document("explain", "x", "--key", "v-17")["targeting_key"] == "v-17"


def test_a_context_has_attributes_and_perhaps_a_targeting_key():
    add_rule(create(percentage=0), "pro", ("plan", "one_of", ["pro"]))
    context = '{"targeting_key": "7", "plan": "pro"}'
    explained = document("explain", "x", "--context", context)
    assert (explained["active"], explained["targeting_key"]) == (True, "7")


def test_without_a_subject_it_is_anonymous():
    create()
    assert lines()[0] == "x is active for an anonymous subject"
    assert document("explain", "x")["targeting_key"] is None


@pytest.mark.parametrize("context", ["plan=pro", "[1]", '"x"'])
def test_a_context_is_a_json_object(context):
    create()
    with pytest.raises(CommandError, match="is no JSON"):
        flags("explain", "x", "--context", context)


def test_there_is_one_subject():
    create()
    with pytest.raises(CommandError, match="not allowed with"):
        flags("explain", "x", "--user", "1", "--key", "1")


# --- Why ---


def test_a_flag_without_rules_needs_no_hash():
    create()
    assert lines() == [
        "x is active for an anonymous subject",
        "value   true",
        "reason  STATIC: the flag has no rules, and nothing had to be hashed",
        "",
        "Everyone",
        "100 %: everybody is inside",
    ]


def test_a_bucket_is_held_against_the_threshold():
    create(percentage=5)
    assert lines("--key", "1")[2:] == [
        "reason  SPLIT: the subject's hash decided",
        "",
        "Everyone",
        "5 %: bucket 49,641 of 100,000, by targeting_key 1; inside when below 5,000: outside",
    ]
    changes.rollout("x", 50)
    assert lines("--key", "1")[-1].endswith("inside when below 50,000: inside")


def test_nothing_to_hash_is_said():
    create(percentage=5, bucket_by="visitor")
    assert lines("--key", "1")[2:] == [
        "reason  ERROR: the subject has nothing to hash",
        "",
        "Everyone",
        "5 %: the subject has no visitor to hash, so it is outside",
    ]


def test_nobody_is_inside_nothing():
    create(percentage=0)
    assert lines("--key", "1")[-1] == "0 %: nobody is inside"


def test_each_rule_and_condition_is_judged(ada):
    flag = create(percentage=0)
    add_rule(flag, "pro", ("plan", "one_of", ["pro"]), percentage=0)
    add_rule(
        flag,
        "testers",
        ("groups", "one_of", ["beta"]),
        ("email", "ends_with", ["@example.org"], True),
        percentage=50,
    )
    add_rule(flag, "staff", ("is_staff", "one_of", [True]))
    assert lines("--user", "ada")[1:] == [
        "value   false",
        "reason  SPLIT: rule 2 caught the subject, and its hash decided",
        "",
        "Rules",
        "1. 0 % of pro: does not match",
        "segment pro does not contain the subject",
        'not met  plan is one of "pro"; the subject lacks this attribute',
        "2. 50 % of testers: matches and decides",
        "segment testers contains the subject",
        'met      groups is one of "beta"; it is "beta"',
        'met      email does not end with "@example.org"; it is "ada@example.com"',
        "50 %: bucket 76,518 of 100,000, by targeting_key 42; inside when below 50,000: outside",
        "The rules after it (1) were not asked.",
    ]


def test_members_are_contained_by_name():
    create()
    changes.enable("x", for_keys=["7"])
    assert "segment x.people contains the subject, by name: included" in lines("--key", "7")
    assert "segment x.people does not contain the subject, and has no conditions" in lines(
        "--key", "8"
    )


def test_who_is_excluded_is_out_by_name():
    add_rule(create(), "beta", ("plan", "exists", []))
    with changes.change():
        Segment.objects.get().members.create(targeting_key="7", excluded=True)
    assert "segment beta does not contain the subject, by name: excluded" in lines("--key", "7")


def test_segments_within_segments_are_named():
    flag = create()
    with changes.change():
        Segment.objects.create(key="inner").members.create(targeting_key="7")
    add_rule(flag, "outer", ("", "in_segment", ["inner"]))
    asked = 'the subject is in the segment "inner"; it is in '
    assert f'met      {asked}"inner"' in lines("--key", "7")
    assert f"not met  {asked}none" in lines("--key", "8")


def test_an_attribute_that_is_missing_or_empty_is_said_to_be():
    add_rule(create(), "beta", ("plan", "exists", []), ("groups", "one_of", ["beta"]))
    explained = lines("--context", '{"groups": []}')
    assert "not met  plan exists; it is missing" in explained
    assert 'not met  groups is one of "beta"; it is empty' in explained


def test_prerequisites_are_judged():
    create("y", percentage=0)
    create("z", variants=[("compact", 1, 1)])
    flag = create()
    with changes.change():
        flag.prerequisites.create(required=Flag.objects.get(key="y"))
        flag.prerequisites.create(required=Flag.objects.get(key="z"), variant="compact")
    assert lines("--key", "1")[2:] == [
        "reason  PREREQUISITE_FAILED: another flag is not as this one requires",
        "",
        "Prerequisites",
        "not met  y is active; it is off: the flag has no rules, and nothing had to be hashed",
        "met      z serves compact; it is active and serves compact: "
        "the flag has no rules, and nothing had to be hashed",
    ]


def test_prerequisites_in_a_circle_are_said_to_be():
    first, second = create("x"), create("y")
    first.prerequisites.create(required=second)
    second.prerequisites.create(required=first)
    assert "PREREQUISITE_FAILED: Its prerequisites run in a circle" in lines()[2]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"enabled": False}, "the flag is off for everybody"),
        ({"archived_at": datetime(2027, 1, 1, tzinfo=UTC)}, "the flag is archived"),
        (
            {"active_from": datetime(2100, 1, 1, tzinfo=UTC)},
            "the flag is on from 2100-01-01 00:00 UTC only",
        ),
        (
            {
                "active_from": datetime(2000, 1, 1, tzinfo=UTC),
                "active_until": datetime(2001, 1, 1, tzinfo=UTC),
            },
            "the flag is on from 2000-01-01 00:00 UTC until 2001-01-01 00:00 UTC only",
        ),
    ],
    ids=["off", "archived", "not yet", "over"],
)
def test_why_a_flag_is_disabled_is_said(fields, why):
    create()
    Flag.objects.update(**fields)
    assert lines()[2] == f"reason  DISABLED: {why}"


def test_a_flag_that_is_off_and_required_is_said_to_be_off():
    changes.create("y")
    flag = create()
    with changes.change():
        flag.prerequisites.create(required=Flag.objects.get(key="y"))
    assert lines()[-1] == "not met  y is active; it is off: the flag is not on"


def test_the_stage_of_a_rollout_is_named():
    changes.create("x", salt="checkout", percentage=0)
    changes.rollouts.start("x", [(5, None)])
    assert lines("--key", "1")[-2] == "Everyone, stage 1 of the rollout"
    assert document("explain", "x")["stage"] == 1


def test_everyone_else_comes_after_rules():
    add_rule(create(), "beta", ("plan", "exists", []))
    assert lines()[2] == (
        "reason  DEFAULT: no rule caught the subject, so the flag's own percentage decided"
    )
    assert lines()[-2:] == ["Everyone else", "100 %: everybody is inside"]


def test_a_broken_flag_says_what_is_broken():
    Flag.objects.create(key="never_whole", enabled=True, off_variant="gone")
    said = lines(key="never_whole")
    assert said[2] == "reason  ERROR: the stored rows of the flag are broken"
    assert said[3].startswith("broken  off_variant: 'gone' is no variant")
    assert document("explain", "never_whole")["broken"].startswith("off_variant")


@pytest.mark.django_db(transaction=True)
def test_a_flag_that_is_served_as_it_was_before_it_broke_says_so():
    create("once_whole")
    lines(key="once_whole")
    Flag.objects.update(off_variant="gone")
    said = lines(key="once_whole")
    assert said[0] == "once_whole is active for an anonymous subject"
    assert said[3].endswith("It is served as it was before.")


# --- What is served ---


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"variants": [("a", {"é": 1}, 1)]}, '{"é": 1} (variant a)'),
        ({"variants": [("a", False, 1)]}, "false (variant a), which reads as off"),
        ({"variants": [("a", 1, 1)], "percentage": 0}, "none; the caller's default"),
        ({"variants": [("a", 1, 1)], "percentage": 0, "off_variant": "a"}, "1 (variant a)"),
    ],
    ids=["variant", "false", "unset", "off variant"],
)
def test_the_value_is_shown_with_its_variant(fields, value):
    create(**fields)
    assert lines()[1] == f"value   {value}"


def test_json_has_every_step(ada):
    flag = create(percentage=0)
    add_rule(flag, "testers", ("groups", "one_of", ["beta"]), percentage=50)
    explained = document("explain", "x", "--user", "ada")
    assert (explained["flag"], explained["active"], explained["reason"]) == ("x", False, "SPLIT")
    (rule,) = explained["rules"]
    (segment,) = rule["segments"]
    (condition,) = segment["conditions"]
    assert (rule["position"], rule["matched"], segment["contains"]) == (1, True, True)
    assert (condition["value"], condition["met"]) == (["beta"], True)
    assert rule["share"] == {
        "percentage": 50,
        "attribute": "targeting_key",
        "unit": "42",
        "bucket": 76518,
        "threshold": 50000,
        "inside": False,
    }


def test_attributes_that_json_does_not_know_are_written_as_text(ada):
    add_rule(create(), "new", ("date_joined", "after", ["2000-01-01T00:00:00Z"]))
    explained = document("explain", "x", "--user", "ada")
    assert explained["rules"][0]["segments"][0]["conditions"][0]["value"].startswith("20")


def test_the_language_is_that_of_the_project(ada, settings):
    settings.LANGUAGE_CODE = "fr"
    add_rule(create(percentage=0), "french", ("language", "one_of", ["fr"]))
    assert document("explain", "x", "--user", "ada")["active"] is True


def test_explaining_counts_nothing(settings):
    settings.FLAGGATE = {"RECORD_USAGE": True}
    create()
    before = dict(recording.counts)
    flags("explain", "x")
    assert recording.counts == before
