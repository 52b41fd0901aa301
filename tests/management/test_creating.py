"""``flags create``."""

import pytest
from django.core.management import CommandError

from flaggate import changes
from flaggate.management.creating import variant
from flaggate.models import Flag, Revision
from tests.management.shell import document, flags, refusal

pytestmark = pytest.mark.django_db


def test_a_new_flag_is_off_and_an_ordinary_one():
    assert flags("create", "x") == "x: created, off. Revision 1."
    created, ordinary = Flag.objects.get(), Flag()
    for name in ("kind", "percentage", "enabled", "bucket_by", "tags", "client_visible"):
        assert getattr(created, name) == getattr(ordinary, name)


def test_every_field_can_be_given():
    options = (
        "--description Story --kind experiment --owner Ada --tag a --tag b --percentage 12.5% "
        "--bucket-by company --variant small=1 --variant big=2:3 --off-variant small "
        "--client-visible --permanent --expires-on 2027-01-31 --enable"
    )
    flag = document("create", "x", *options.split())
    assert (
        flag
        | {
            "description": "Story",
            "kind": "experiment",
            "owner": "Ada",
            "tags": ["a", "b"],
            "percentage": 12.5,
            "bucket_by": "company",
            "variants": [
                {"key": "small", "value": 1, "weight": 1},
                {"key": "big", "value": 2, "weight": 3},
            ],
            "off_variant": "small",
            "client_visible": True,
            "permanent": True,
            "expires_on": "2027-01-31",
            "enabled": True,
        }
        == flag
    )


def test_a_share_of_nothing_is_a_share():
    assert document("create", "x", "--percentage", "0")["percentage"] == 0


def test_creation_is_recorded_with_its_comment():
    flags("create", "x", "--comment", "Try it")
    revision = Revision.objects.get()
    assert (revision.source, revision.comment, revision.actor) == ("command", "Try it", None)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a=1", ("a", 1, 1)),
        ("a=1.0", ("a", 1.0, 1)),
        ("a=1:3", ("a", 1, 3)),
        ('a="x"', ("a", "x", 1)),
        ('a="x:5"', ("a", "x:5", 1)),
        ('a="x":5', ("a", "x", 5)),
        ('a={"b": 1}', ("a", {"b": 1}, 1)),
        ('a={"b": 1}:0', ("a", {"b": 1}, 0)),
        ("a=true:2", ("a", True, 2)),
        ('a="x=y"', ("a", "x=y", 1)),
    ],
)
def test_a_variant_has_a_key_a_value_and_perhaps_a_weight(text, read):
    found = variant(text)
    assert found == read
    assert type(found[1]) is type(read[1])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--variant=big", "has no value. Write KEY=JSON"),
        ("--variant=big=large", "A text stands in quotes: 'big=\"large\"'"),
        ("--variant=big=1:x", "is no JSON value"),
        ("--expires-on=tomorrow", "'tomorrow' is no date. Write it like 2027-01-31."),
        ("--kind=feature", "invalid choice: 'feature'"),
    ],
)
def test_an_option_that_can_not_be_read_is_a_usage_error(option, said):
    with pytest.raises(CommandError, match=r"^Error: argument --") as refused:
        flags("create", "x", option)
    assert said in str(refused.value)
    assert not Flag.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a b"], "flag a b: key: Use letters, digits"),
        (["x", "--percentage", "half"], "flag x: percentage: 'half' is no number. Give 0 to 100."),
        (["x", "--off-variant", "b"], "flag x: off_variant: 'b' is no variant of the flag."),
    ],
)
def test_an_invalid_flag_is_refused_and_nothing_is_written(arguments, said):
    assert refusal("create", *arguments).startswith(said)
    assert not Flag.objects.exists()


def test_a_key_is_used_once():
    changes.create("x")
    assert "already exists" in refusal("create", "x")


def test_the_key_of_a_deleted_flag_is_refused():
    changes.create("x", enabled=True)
    changes.delete("x")
    assert "Choose another key" in refusal("create", "x")
