"""What differs in case, in an accent or in a space at its end is another key, everywhere."""

from __future__ import annotations

import pytest

import flaggate
from flaggate import changes
from flaggate.models import Flag, Revision, Segment, Usage
from flaggate.recording import usage
from tests.databases import SharedDatabase
from tests.fixtures import released, segment, targeted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ALIKE = ["anna", "Anna", "ANNA", "änna", "anna ", "anna\t", "\u0430nna"]  # Cyrillic


def test_flags_whose_keys_differ_in_case_are_two_flags() -> None:
    released("checkout")
    changes.create("Checkout")
    assert flaggate.is_active("checkout")
    assert not flaggate.is_active("Checkout")
    changes.disable("checkout")
    changes.enable("Checkout")
    assert Flag.objects.get(key="Checkout").enabled
    assert not Flag.objects.get(key="checkout").enabled


def test_a_deleted_key_buries_no_other_one() -> None:
    released("checkout")
    changes.delete("checkout")
    assert released("Checkout").enabled


def test_segments_whose_keys_differ_in_case_are_two_segments() -> None:
    one, other = segment("beta"), segment("Beta")
    assert Segment.objects.get(key="Beta") == other != one


@pytest.mark.parametrize("member", ALIKE)
def test_a_member_is_in_a_segment_by_its_very_own_text(member: str) -> None:
    flag = targeted("x")
    with changes.change():
        changes.add_members(Segment.objects.get(key="x.audience"), [member])
    assert [each for each in ALIKE if flaggate.is_active(flag.key, each)] == [member]


def test_members_that_look_alike_are_all_kept() -> None:
    audience = segment("beta")
    with changes.change():
        changes.add_members(audience, ALIKE)
    assert sorted(audience.members.values_list("targeting_key", flat=True)) == sorted(ALIKE)
    assert audience.members.get(targeting_key="anna ").targeting_key == "anna "


def test_variants_whose_keys_differ_in_case_are_two_variants() -> None:
    released("layout", variants=[("a", 1, 1), ("A", 2, 0)])
    with changes.change():
        changes.create("on_a", enabled=True)
        Flag.objects.get(key="on_a").prerequisites.create(
            required=Flag.objects.get(key="layout"), variant="a"
        )
    with changes.change():
        Flag.objects.get(key="layout").variants.get(key="A").delete()
    assert flaggate.is_active("on_a", 42)


def test_usage_is_counted_apart(settings) -> None:
    settings.FLAGGATE = {"RECORD_USAGE": True}
    released("checkout")
    released("Checkout")
    usage.forget()
    for key, times in (("checkout", 2), ("Checkout", 3)):
        for _ in range(times):
            flaggate.is_active(key)
        usage.flush()
    assert dict(Usage.objects.values_list("flag", "count")) == {"checkout": 2, "Checkout": 3}


def test_the_history_of_a_key_is_its_own() -> None:
    released("checkout")
    released("Checkout")
    assert Revision.objects.filter(key="Checkout").count() == 1


def test_a_search_finds_a_key_whatever_its_case() -> None:
    released("new_checkout")
    assert Flag.objects.filter(key__icontains="CHECK").exists()


def test_the_migrations_can_be_taken_back_and_applied_again(
    shared_database: SharedDatabase,
) -> None:
    printed = shared_database.run(
        """
        from django.core.management import call_command
        changes.create("checkout")
        call_command("migrate", "flaggate", "0001", verbosity=0)
        call_command("migrate", "flaggate", verbosity=0)
        changes.create("Checkout")
        say(*Flag.objects.values_list("key", flat=True))
        """
    )
    assert printed.split() == ["Checkout", "checkout"]
