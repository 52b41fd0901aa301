"""``flags members``."""

import io

import pytest

from flaggate.models import Revision, SegmentMember
from tests.fixtures import segment
from tests.management.shell import document, flags, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def beta():
    return segment("beta", included=["1", "2"])


@pytest.fixture
def listed(tmp_path):
    file = tmp_path / "customers.txt"
    file.write_text("\ufeff2\n\n  3  \n3\n", encoding="utf-8")
    return file


def members():
    return set(SegmentMember.objects.values_list("targeting_key", "excluded"))


def test_members_are_added_from_a_file(listed):
    assert flags("members", "beta", "--add", listed) == "beta: 1 added, 0 removed, 1 unchanged."
    assert members() == {("1", False), ("2", False), ("3", False)}


def test_members_are_removed(listed):
    assert flags("members", "beta", "--remove", listed) == "beta: 0 added, 1 removed, 1 unchanged."
    assert members() == {("1", False)}


def test_members_are_replaced(listed):
    assert flags("members", "beta", "--replace", listed) == "beta: 1 added, 1 removed, 1 unchanged."
    assert members() == {("2", False), ("3", False)}


def test_the_excluded_ones_are_meant_on_wish(listed):
    flags("members", "beta", "--add", listed, "--excluded")
    assert members() == {("1", False), ("2", False), ("2", True), ("3", True)}


def test_standard_input_is_a_file(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("7\n"))
    assert document("members", "beta", "--add", "-") == {
        "segment": "beta",
        "added": 1,
        "removed": 0,
        "unchanged": 0,
    }


def test_who_and_why_are_recorded(listed):
    flags("members", "beta", "--add", listed, "--comment", "October")
    last = Revision.objects.first()
    assert (last.key, last.source, last.comment) == ("beta", "command", "October")


def test_what_can_not_be_done_is_said(tmp_path, listed):
    assert "missing.txt: can't be read" in refusal("members", "beta", "--add", "missing.txt")
    assert "no segment 'gamma'" in refusal("members", "gamma", "--add", listed)
    (tmp_path / "long.txt").write_text("x" * 201)
    assert "members[0]" in refusal("members", "beta", "--add", tmp_path / "long.txt")
