"""The words of the demo bar, for each way in which a flag can be decided."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from flaggate.core.definitions import Flag, Prerequisite, Rule, Segment
from flaggate.core.evaluation import EvaluationContext
from flaggate.core.explanation import explain
from flaggate.core.snapshot import Snapshot
from shop.demo import bar

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
SEGMENTS = {"staff": Segment("staff", included=frozenset({b"42"})), "vips": Segment("vips")}
REQUIRED = Flag("required")


def describe(unit: object = "42", **columns: Any) -> bar.Bar:
    flag = Flag("new_checkout", **{"enabled": True, "salt": "checkout", **columns})
    snapshot = Snapshot({flag.key: flag, REQUIRED.key: REQUIRED}, SEGMENTS)
    return bar.describe("v", explain(snapshot, flag.key, EvaluationContext(unit, now=NOW)))


@pytest.mark.parametrize(
    ("columns", "active", "why"),
    [
        ({}, True, "it is released to 100\xa0% of everyone"),
        ({"percentage": Decimal(0)}, False, "it is released to 0\xa0% of everyone"),
        ({"enabled": False}, False, "its switch is off"),
        ({"archived": True}, False, "it is archived"),
        ({"active_from": NOW + DAY}, False, "its time has not come yet"),
        ({"active_until": NOW - DAY}, False, "its time is over"),
        (
            {"prerequisites": (Prerequisite("required"),)},
            False,
            "a flag that it requires is not active",
        ),
        (
            {"percentage": Decimal("12.50")},
            False,
            "it is released to 12.5\xa0% of everyone, and your bucket 76,518 is not below 12,500",
        ),
        (
            {"percentage": Decimal(80)},
            True,
            "it is released to 80\xa0% of everyone, and your bucket 76,518 is below 80,000",
        ),
        ({"rules": (Rule(("staff",)),)}, True, "it is released to 100\xa0% of staff"),
        (
            {"rules": (Rule(("vips",)),), "percentage": Decimal(0)},
            False,
            "it is released to 0\xa0% of everyone else",
        ),
        (
            {"rules": (Rule(("vips", "staff"), Decimal(0)),)},
            False,
            "it is released to 0\xa0% of vips and staff",
        ),
        (
            {"unit": None, "percentage": Decimal(50)},
            False,
            "the question can't be answered: TARGETING_KEY_MISSING",
        ),
    ],
)
def test_why(columns: dict[str, Any], active: bool, why: str) -> None:
    described = describe(**columns)

    assert (described.active, described.why) == (active, why)


def test_why_an_unknown_flag_is_off() -> None:
    described = bar.describe("v", explain(Snapshot({}), "new_checkout", EvaluationContext("42")))

    assert described.why == "no such flag has been created"
    assert described.steps == ["No flag has this key; unknown flags are off."]


def test_the_steps_in_their_order() -> None:
    described = describe(
        prerequisites=(),
        rules=(Rule(("vips",)), Rule(("vips", "staff"), Decimal(0))),
    )

    assert described.steps == [
        "Switch: on.",
        "Rule 1: you are not in vips.",
        "Rule 2: you are in vips or staff.",
    ]


def test_the_steps_end_with_the_share_when_no_rule_decides() -> None:
    described = describe(rules=(Rule(()),), percentage=Decimal(0))

    assert described.steps == [
        "Switch: on.",
        "Rule 1: names no segment, so it matches nobody.",
        "No rule decided: it is released to 0\xa0% of everyone else.",
    ]


def test_the_steps_name_what_is_required() -> None:
    described = describe(prerequisites=(Prerequisite("required"),))

    assert described.steps == ["Switch: on.", "Requires required: not met."]


def test_the_steps_of_a_flag_without_rules() -> None:
    assert describe().steps == [
        "Switch: on.",
        "No rules: it is released to 100\xa0% of everyone.",
    ]
