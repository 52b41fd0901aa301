"""The difference between two documents, in words."""

import pytest
from django.utils import translation

from flaggate import changes
from flaggate.changes.differences import LONGEST_TEXT, MOST_MEMBERS, differences, same
from flaggate.models import Flag, Revision, Segment


def flag(**fields):
    return {
        "key": "x",
        "kind": "release",
        "enabled": False,
        "percentage": 100,
        "salt": "s",
        "owner": "",
        "tags": [],
        "active_from": None,
        "variants": [],
        "rules": [],
        "prerequisites": [],
        "stages": [],
        "rollout": None,
        **fields,
    }


def segment(**fields):
    return {"key": "s", "match": "all", "conditions": [], "included": [], "excluded": [], **fields}


def rule(*segments, percentage=100, variant=""):
    return {"segments": list(segments), "percentage": percentage, "variant": variant}


def variant(key, value, weight=1):
    return {"key": key, "value": value, "weight": weight}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"enabled": False}, {"enabled": True}, "enabled: no → yes"),
        ({"percentage": 0}, {"percentage": 33.3}, "percentage: 0 % → 33.3 %"),
        ({"owner": ""}, {"owner": "Ada"}, "owner: – → Ada"),
        ({"owner": "Ada"}, {"owner": ""}, "owner: Ada → –"),
        ({"owner": "a\nb"}, {"owner": "c" * 61}, f"owner: a b → {'c' * 60}…"),
        ({"tags": []}, {"tags": ["a", "é"]}, 'tags: – → ["a", "é"]'),
        (
            {"active_from": None},
            {"active_from": "2027-03-01T10:30:00.123+01:00"},
            "active from: – → 2027-03-01 09:30 UTC",
        ),
        ({"kind": "release"}, {"kind": "permission"}, "kind: release → permission"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_has_a_name_a_value_before_and_one_after(before, after, words):
    assert differences(flag(**before), flag(**after)) == [words]


def test_what_is_alike_has_no_difference():
    assert differences(flag(), flag()) == []
    assert differences(None, None) == []


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (0, False), ([1], [True])])
def test_what_json_tells_apart_is_not_the_same(one, other):
    assert not same(one, other)
    assert same(one, one)


def test_an_object_is_the_same_in_any_order():
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert same({"b": 2, "a": 1}, {"a": 1, "b": 2})


def test_a_field_that_one_of_the_two_does_not_have_is_not_compared():
    newer = flag(newer=1)
    assert differences(flag(), newer) == differences(newer, flag()) == []


def test_a_text_that_just_fits_is_not_cut():
    text = "a" * LONGEST_TEXT
    assert differences(flag(), flag(owner=text)) == [f"owner: – → {text}"]
    assert differences(flag(), flag(owner=f"{text}a")) == [f"owner: – → {text}…"]


def test_what_is_new_differs_from_an_ordinary_beginning():
    assert differences(None, flag()) == ["created"]
    assert differences(None, flag(percentage=0)) == ["created", "percentage: 0 %"]
    assert differences(None, segment(match="any")) == ["created", "match: any condition"]


def test_what_is_gone_was_deleted():
    assert differences(flag(enabled=True), None) == ["deleted"]


def test_variants_are_known_by_their_key():
    before = flag(variants=[variant("a", 1), variant("b", {"x": 2}), variant("c", 3)])
    after = flag(variants=[variant("b", {"x": 2}, 5), variant("a", 1), variant("d", "4")])
    assert differences(before, after) == [
        'variant b: {"x": 2} with weight 1 → {"x": 2} with weight 5',
        "variant c: removed",
        'variant d: added, "4" with weight 1',
        "variants: now in the order b, a, d",
    ]


def test_a_variant_that_is_removed_leaves_the_others_in_their_order():
    before = flag(variants=[variant("a", 1), variant("b", 2), variant("c", 3)])
    after = flag(variants=[variant("b", 2), variant("c", 3)])
    assert differences(before, after) == ["variant a: removed"]
    assert differences(after, before) == ["variant a: added, 1 with weight 1"]


def test_the_value_of_a_variant_is_shown_as_it_was_written():
    before, after = flag(variants=[variant("a", "é")]), flag(variants=[variant("a", "è")])
    assert differences(before, after) == ['variant a: "é" with weight 1 → "è" with weight 1']


def test_a_rule_on_top_leaves_those_below_alone():
    below = rule("beta", percentage=50), rule("staff")
    before, after = flag(rules=[*below]), flag(rules=[rule("banned", percentage=0), *below])
    assert differences(before, after) == ["rule 1: added, 0 % of banned"]
    assert differences(after, before) == ["rule 1: removed, 0 % of banned"]


def test_a_rule_on_top_of_hundreds_that_are_alike_leaves_them_alone():
    below = [rule("beta")] * 200  # so many that difflib would call them popular, and not look
    words = differences(flag(rules=below), flag(rules=[rule("banned"), *below]))
    assert words == ["rule 1: added, 100 % of banned"]


def test_a_removed_rule_has_the_place_that_it_had():
    before = flag(rules=[rule("a"), rule("b"), rule("c")])
    after = flag(rules=[rule("a"), rule("d")])
    assert differences(before, after) == [
        "rule 2: 100 % of b → 100 % of d",
        "rule 3: removed, 100 % of c",
    ]


def test_a_changed_rule_is_shown_before_and_after():
    before = flag(rules=[rule("a"), rule("b", "c", percentage=5)])
    after = flag(rules=[rule("a"), rule("b", "c", percentage=50, variant="big"), rule()])
    assert differences(before, after) == [
        "rule 2: 5 % of b or c → 50 % of b or c (big)",
        "rule 3: added, 100 % of –",
    ]


def test_a_changed_rule_is_known_again_by_its_segments_beside_a_new_one():
    before = flag(rules=[rule("beta", percentage=50)])
    after = flag(rules=[rule("staff"), rule("beta", percentage=75)])
    assert differences(before, after) == [
        "rule 1: added, 100 % of staff",
        "rule 2: 50 % of beta → 75 % of beta",
    ]


def test_prerequisites_are_compared():
    before = flag(prerequisites=[{"flag": "y", "variant": ""}])
    after = flag(prerequisites=[{"flag": "y", "variant": "big"}])
    assert differences(before, after) == ["prerequisite 1: y → y serves big"]


def stages(*pairs):
    return [{"percentage": percentage, "holds": holds} for percentage, holds in pairs]


def test_stages_are_compared():
    before = flag(stages=stages((5, 86400.0), (100, None)))
    after = flag(stages=stages((5, 43200.0), (50, 90.0), (100, None)))
    assert differences(before, after) == [
        "stage 1: 5 % for 1d → 5 % for 12h",
        "stage 2: added, 50 % for 90s",
    ]


def test_the_last_stage_has_no_end():
    before, after = flag(stages=stages((5, 90.0))), flag(stages=stages((5, 90.0), (100, None)))
    assert differences(before, after) == ["stage 2: added, 100 %"]


RUNNING = {"started_at": "2027-01-01T00:00:00+00:00", "paused_at": None}
PAUSED = {**RUNNING, "paused_at": "2027-01-02T00:00:00+00:00"}
LATER = {"started_at": "2027-01-03T00:00:00+00:00", "paused_at": None}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (None, RUNNING, "rollout: started from 2027-01-01 00:00 UTC"),
        (RUNNING, PAUSED, "rollout: paused"),
        (PAUSED, LATER, "rollout: resumed"),
        (RUNNING, LATER, "rollout: moved in time"),
        (RUNNING, None, "rollout: ended"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_became_of_a_rollout_is_said(before, after, words):
    assert differences(flag(rollout=before), flag(rollout=after)) == [words]


@pytest.mark.parametrize(("before", "after"), [(RUNNING, None), (None, RUNNING)])
def test_a_percentage_in_whose_place_a_stage_stands_is_not_said_to_be_served(before, after):
    lines = differences(flag(percentage=0, rollout=before), flag(percentage=100, rollout=after))
    assert lines[0] == "percentage without the rollout: 0 % → 100 %"


def test_a_new_flag_may_have_a_rollout_that_runs():
    assert differences(None, flag(rollout=RUNNING)) == [
        "created",
        "rollout: started from 2027-01-01 00:00 UTC",
    ]


def test_conditions_are_sentences():
    condition = {
        "attribute": "plan",
        "operator": "one_of",
        "values": ["pro"],
        "negate": True,
        "ignore_case": False,
    }
    assert differences(segment(), segment(conditions=[condition])) == [
        'condition 1: added, plan is not one of "pro"'
    ]


def test_members_are_added_and_removed():
    before, after = segment(included=["1", "2"]), segment(included=["2", "3"], excluded=["4"])
    assert differences(before, after) == [
        "included: added 3",
        "included: removed 1",
        "excluded: added 4",
    ]


def test_of_many_members_only_the_first_are_named():
    keys = [f"{number:02}" for number in range(MOST_MEMBERS + 1)]
    (words,) = differences(segment(), segment(included=keys))
    assert words == f"included: added {', '.join(keys[:MOST_MEMBERS])} and 1 more"


def test_as_many_members_as_may_be_named_are_named():
    keys = [f"{number:02}" for number in range(MOST_MEMBERS)]
    (words,) = differences(segment(), segment(included=keys))
    assert words == f"included: added {', '.join(keys)}"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (["1"], {"count": 1001, "last": 1}, "included: 1 → 1,001 members"),
        ({"count": 1001, "last": 1}, ["1"], "included: 1,001 → 1 members"),
    ],
)
def test_members_that_one_of_the_two_only_counts_are_counted(before, after, words):
    assert differences(segment(included=before), segment(included=after)) == [words]


def test_a_new_segment_may_have_members_that_are_only_counted():
    assert differences(None, segment(included={"count": 1001, "last": 1})) == [
        "created",
        "included: 0 → 1,001 members",
    ]


@pytest.mark.django_db
def test_revisions_that_were_recorded_can_be_compared():
    changes.create("y", enabled=True)
    changes.create("x", variants=[("a", 1, 1)], tags=["t"], owner="Ada")
    changes.enable("x", for_keys=["42"])
    with changes.change():
        Segment.objects.get().conditions.create(attribute="plan", operator="exists")
        x, y = Flag.objects.get(key="x"), Flag.objects.get(key="y")
        x.prerequisites.create(required=y)
    said = [differences(each.before, each.after) for each in Revision.objects.order_by("pk")]
    assert said == [
        ["created", "enabled: yes"],
        [
            "created",
            "owner: Ada",
            'tags: ["t"]',
            "variant a: added, 1 with weight 1",
        ],
        ["created", "name: People of x", "included: added 42"],
        ["enabled: no → yes", "percentage: 100 % → 0 %", "rule 1: added, 100 % of x.people"],
        ["condition 1: added, plan exists"],
        ["prerequisite 1: added, y"],
    ]


def test_a_field_is_called_by_its_name_in_the_readers_language():
    with translation.override("de"):
        assert differences(flag(percentage=5), flag(percentage=10))[0].startswith("Anteil: ")


def test_what_is_no_field_any_longer_is_called_by_its_own_name():
    assert differences(flag(old_field=1), flag(old_field=2)) == ["old field: 1 → 2"]
