import csv
import io
import json

import pytest

from flaggate import changes
from flaggate.admin.exporting import harmless
from flaggate.models import Revision
from tests.admin.conftest import pages, user

EXPORT = "/admin/flaggate/revision/export/"


@pytest.fixture(autouse=True)
def changed(flag):
    changes.enable("x", comment="=1+1", source="command")
    changes.create("y")


def export(browser, place):
    answer = browser.client.get(EXPORT + place)
    return answer, b"".join(answer.streaming_content).decode()


def rows(browser, query=""):
    _answer, text = export(browser, f"csv/{query}")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_spreadsheet_has_a_line_for_each_revision(viewer):
    found = rows(viewer)
    assert [(row["key"], row["version"], row["source"]) for row in found] == [
        ("y", "1", "code"),
        ("x", "2", "command"),
        ("x", "1", "code"),
    ]
    assert found[1]["differences"] == "enabled: no → yes"


def test_no_cell_is_a_formula(viewer):
    assert rows(viewer)[1]["comment"] == "'=1+1"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "＝1"])  # noqa: RUF001
def test_what_a_spreadsheet_would_run_is_quoted(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "5 %", "–"])
def test_what_it_would_not_run_is_left_alone(text):
    assert harmless(text) == text


def test_half_a_character_does_not_break_the_file():
    assert harmless("\ud800") == "\\ud800"


def test_json_has_before_and_after(viewer):
    _answer, text = export(viewer, "json/")
    newest, enabled, first = json.loads(text)
    assert enabled["before"]["enabled"] is False
    assert enabled["after"]["enabled"] is True
    assert enabled["comment"] == "=1+1"
    assert (newest["key"], first["before"]) == ("y", None)


def test_nothing_is_an_empty_list(viewer):
    assert json.loads(export(viewer, "json/?q=nothing")[1]) == []


def test_the_file_holds_what_the_list_shows(viewer):
    assert [row["key"] for row in rows(viewer, "?source__exact=command")] == ["x"]
    query = "?subject__exact=flag&key__exact=y"
    assert [row["key"] for row in rows(viewer, query)] == ["y"]


def test_it_holds_more_than_a_page(viewer):
    Revision.objects.bulk_create(
        Revision(subject="flag", key="x", version=number, source="code") for number in range(120)
    )
    assert len(rows(viewer)) == 123


@pytest.mark.parametrize(("kind", "content"), [("csv", "text/csv"), ("json", "application/json")])
def test_it_is_a_file_to_keep(viewer, kind, content):
    answer, _text = export(viewer, f"{kind}/")
    assert answer["Content-Type"].startswith(content)
    assert answer["Content-Disposition"] == f'attachment; filename="flaggate-revisions.{kind}"'


def test_another_kind_is_not_found(viewer):
    assert viewer.get(f"{EXPORT}xlsx/").status == 404


def test_who_may_not_see_revisions_may_not_keep_them():
    assert pages(user("fred", "change_flag")).get(f"{EXPORT}csv/").status == 403
