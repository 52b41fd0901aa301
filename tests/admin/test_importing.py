import uuid

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from flaggate import changes
from flaggate.admin import key_lists
from flaggate.models import Revision, SegmentMember
from tests.admin.conftest import pages, user


def where(segment):
    return f"/admin/flaggate/segment/{segment.pk}/members/import/"


@pytest.fixture
def importer():
    """Somebody who may add and remove members, and nothing else."""
    return pages(user("ina", "view_segment", "import_members"))


@pytest.fixture(autouse=True)
def people(segment):
    changes.members.add("beta", ["1", "2"])
    changes.members.add("beta", ["eve"], excluded=True)


def file(text, name="keys.csv"):
    return SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode())


def show(browser, segment, pasted="", **typed):
    """Send the first form, and return what stands on the page that follows."""
    data = {"act": "add", "which": "included", "pasted": pasted, **typed}
    return browser.post(where(segment), data)


def members(*, excluded=False):
    rows = SegmentMember.objects.filter(excluded=excluded).order_by("targeting_key")
    return list(rows.values_list("targeting_key", flat=True))


def errors(page):
    return page.response.context["form"].non_field_errors()


# --- the preview ------------------------------------------------------------------------------


def test_it_says_what_would_change_and_changes_nothing(importer, segment):
    olga = User.objects.create_user("olga", pk=42)
    page = show(importer, segment, f"2\n{olga.pk}\n\n 7 \n7\n7\neve")
    found = page.response.context["preview"]
    assert (found.added, found.unchanged, found.removed, found.duplicates) == (3, 1, 0, 2)
    assert (found.total, found.contradicted) == (6, 1)
    assert found.unknown == ["2", "7", "eve"]
    assert members() == ["1", "2"]


@pytest.mark.parametrize(
    ("act", "numbers"),
    [("add", (1, 1, 0)), ("remove", (0, 1, 1)), ("replace", (1, 1, 1))],
)
def test_it_says_so_for_each_act(importer, segment, act, numbers):
    found = show(importer, segment, "2\n3", act=act).response.context["preview"]
    assert (found.added, found.unchanged, found.removed) == numbers


def test_it_knows_the_excluded_as_a_list_of_their_own(importer, segment):
    found = show(importer, segment, "1\neve\nx", which="excluded").response.context["preview"]
    assert (found.added, found.unchanged, found.contradicted) == (2, 1, 1)


def test_nothing_to_change_is_not_to_be_agreed_to(importer, segment):
    page = show(importer, segment, "1")
    assert "Nothing would change." in page.text
    assert page.fields == {}


# --- what is given ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "keys", "column"),
    [
        ("5\n6\n", ["5", "6"], ""),
        ("5\r\n6", ["5", "6"], ""),
        ("﻿5\n6", ["5", "6"], ""),
        ("name,ID\nAda,5\nBob,6", ["5", "6"], "ID"),
        ("id;name\n5;Ada\n", ["5"], "id"),
        ("5\tAda\n6\tBob", ["5", "6"], ""),
        ('"a,b"\n"c"', ["a,b", "c"], ""),
        ("name,targeting_key,id\nAda,x,5", ["x"], "targeting_key"),
        ("name,id\nAda\nBob,6", ["6"], "id"),
    ],
)
def test_a_file_is_read(text, keys, column):
    found = key_lists.uploaded(file(text))
    assert (found.keys, found.column) == (keys, column)


def test_a_pasted_line_is_one_key_with_all_its_commas():
    assert key_lists.pasted("a,b\n c\td ").keys == ["a,b", "c\td"]


def test_the_page_says_which_column_was_taken(importer, segment):
    page = show(importer, segment, file=file("name,user_id\nAda,5"))
    assert "column “user_id”" in page.text
    assert page.response.context["preview"].added == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "one of the two"),
        ({"pasted": "1", "file": file("2")}, "one of the two"),
        ({"pasted": " \n "}, "one of the two"),
        ({"file": file("\n\n")}, "no targeting keys"),
        ({"file": file("id,name")}, "no targeting keys"),
        ({"file": file(b"\xff\xfe")}, "no UTF-8"),
        ({"pasted": "ok\n" + "x" * 201}, "Line 2: “xxx"),
        ({"file": file("id\nok\n" + "x" * 201)}, "Line 3: “xxx"),
        ({"file": file('"' + "x" * 200_000)}, "no CSV"),
    ],
)
def test_what_can_not_be_read_is_said_with_its_reason(importer, segment, given, words):
    page = show(importer, segment, **given)
    assert any(words in error for error in errors(page)), errors(page)
    assert members() == ["1", "2"]


def test_too_many_are_refused_with_a_remedy(importer, segment, monkeypatch):
    monkeypatch.setattr(key_lists, "MOST_KEYS", 2)
    assert "`manage.py flags members`" in errors(show(importer, segment, "3\n4\n5"))[0]


def test_what_no_form_could_carry_is_refused_with_a_remedy(importer, segment, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 12_000
    keys = "\n".join(str(uuid.uuid4()) for _ in range(300))
    page = show(importer, segment, file=file(keys))
    assert "`manage.py flags members`" in errors(page)[0]


def test_no_limit_of_djangos_is_none(importer, segment, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    assert show(importer, segment, "3").response.context["preview"].added == 1


def test_a_hundred_thousand_random_ids_fit_into_djangos_limit():
    keys = [str(uuid.uuid4()) for _ in range(100_000)]
    assert len(key_lists.pack(keys)) < 2_621_440 - 10_000


# --- agreed to --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "left"),
    [("add", ["1", "2", "3"]), ("remove", ["1"]), ("replace", ["2", "3"])],
)
def test_it_is_one_change_with_who_and_why(importer, segment, act, left):
    before = Revision.objects.count()
    show(importer, segment, "2\n3", act=act).save(comment="CRM export")
    assert members() == left
    last = Revision.objects.first()
    assert (last.actor_name, last.source, last.comment) == ("ina", "admin", "CRM export")
    assert Revision.objects.count() == before + 1


def test_its_numbers_are_grouped(importer, segment):
    changes.members.add("beta", map(str, range(1, 1201)), excluded=True)
    words = show(importer, segment, "\n".join(map(str, range(1, 1301)))).words
    assert "new: are added 1,298 already there 2" in words
    assert "1,200 of them are excluded, too" in words


def test_the_excluded_can_be_replaced_too(importer, segment):
    show(importer, segment, "5", act="replace", which="excluded").save()
    assert (members(), members(excluded=True)) == (["1", "2"], ["5"])


def test_it_leads_to_the_list_and_says_how_many(importer, segment):
    page = show(importer, segment, "2\n3\n4", act="replace").save()
    assert page.messages == ["2 added, 1 removed, 1 left alone."]
    assert page.response.context["which"] == "included"


def test_what_changed_meanwhile_is_told_with_a_new_preview(importer, segment):
    page = show(importer, segment, "2\n3")
    changes.members.add("beta", ["3"], source="command")
    page = page.save(comment="CRM export")
    assert "command changed it just now, from version" in page.words
    assert "Load it again" not in page.text
    assert page.response.context["form"]["comment"].value() == "CRM export"
    assert "Nothing would change." in page.text


def test_it_can_be_agreed_to_on_top_of_that(importer, segment):
    page = show(importer, segment, "3")
    changes.members.add("beta", ["4"])
    page.save(comment="CRM export").save()
    assert (members(), Revision.objects.first().comment) == (["1", "2", "3", "4"], "CRM export")


@pytest.mark.parametrize("packed", ["", "x", "~~~~", "é", "a" * 50, key_lists.pack(["3"])[:-5]])
def test_a_list_that_did_not_arrive_whole_changes_nothing(importer, segment, packed):
    page = show(importer, segment, "3").save(packed=packed)
    assert page.messages
    assert members() == ["1", "2"]


def test_a_list_that_would_fill_the_memory_is_not_unpacked(importer, segment, monkeypatch):
    monkeypatch.setattr(key_lists, "MOST_BYTES", 1000)
    bomb = key_lists.pack([f"{number:0>200}" for number in range(1000)])
    page = show(importer, segment, "3").save(packed=bomb)
    assert page.messages == ["The list did not arrive whole. Begin again."]


def test_members_forged_into_the_second_form_are_checked_again(importer, segment):
    page = show(importer, segment, "3").save(packed=key_lists.pack(["x" * 201]))
    assert "is longer than 200 characters" in page.text
    assert members() == ["1", "2"]


@pytest.mark.parametrize("permissions", [("view_segment",), ("view_segment", "revert_segment")])
def test_only_who_may_import_members_does(segment, permissions):
    browser = pages(user("fred", *permissions))
    forged = {
        "act": "replace",
        "which": "included",
        "packed": key_lists.pack(["3"]),
        "seen": segment.version,
    }
    assert browser.get(where(segment)).status == 403
    assert browser.post(where(segment), forged).status == 403
    assert show(browser, segment, "3").status == 403
    assert members() == ["1", "2"]
