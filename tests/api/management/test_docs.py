"""What the documentation says of the management API is so."""

import importlib.util
import json
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from flaggate import changes
from flaggate.api.management.flags import FlagViewSet
from flaggate.api.management.keys import KeyViewSet
from flaggate.api.management.revisions import RevisionViewSet
from flaggate.api.management.segments import SegmentViewSet
from flaggate.models import Flag, Revision
from tests.api.management.callers import machine
from tests.fixtures import released, segment

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "reference" / "http-api.md").read_text()
VIEWS = {
    "flag": FlagViewSet,
    "segment": SegmentViewSet,
    "revision": RevisionViewSet,
    "key": KeyViewSet,
}
_spec = importlib.util.spec_from_file_location("openapi_page", DOCS / "openapi_page.py")
openapi_page = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(openapi_page)
OPENAPI = yaml.safe_load((DOCS / "reference" / "openapi.yaml").read_text())


def operations():
    return [each for methods in OPENAPI["paths"].values() for each in methods.values()]


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each["operationId"])
def test_the_permissions_of_each_action_are_said(operation):
    kind, action = operation["operationId"].split("_", 1)
    named = re.findall(r"`(\w+)`", operation["description"].rpartition("permission")[2])
    assert tuple(named) == VIEWS[kind].permissions[action]


def test_the_page_of_operations_has_a_section_for_each_and_for_each_document():
    page = openapi_page.markdown(OPENAPI)
    made = re.findall(r"^\((.*)\)=$", page, re.MULTILINE)
    documents = [f"openapi-{name}" for name in OPENAPI["components"]["schemas"]]
    assert sorted(made) == sorted([*(each["operationId"] for each in operations()), *documents])
    assert set(re.findall(r"<(openapi-\w+)>", page)) <= set(documents)


def test_the_page_of_operations_says_what_may_be_sent():
    page = openapi_page.markdown(OPENAPI)
    section = page.partition("(flag_rollout)=")[2].partition("(flag_stop)=")[0]
    assert section.splitlines()[1] == "### `POST v1/flags/{key}/rollout/`"
    assert "- takes: {ref}`Rollout <openapi-Rollout>`" in section
    assert "- 200: {ref}`Flag <openapi-Flag>`" in section
    assert "| `holds` | number from 1 to 315,360,000 or null |" in page


@pytest.mark.django_db
def test_the_documents_of_the_page_are_documents(admin):
    """They are sent as they stand there, and come back so but for what the server writes."""
    flag, shown = [json.loads(each) for each in json_of(PAGE) if "key" in json.loads(each)]
    released("shop_open")
    answer = admin.ask("post", "segments/", {**shown, "members": None})
    assert answer.status_code == 201, answer.content
    assert differing(shown, answer.json()) == {"created", "modified", "members"}
    answer = admin.ask("post", "flags/", flag)
    assert answer.status_code == 201, answer.content
    assert differing(flag, answer.json()) == {"created", "modified", "version", "active_until"}


@pytest.mark.django_db
def test_a_missing_segment_is_told_as_on_the_page(admin):
    [error] = [json.loads(each) for each in json_of(PAGE) if "errors" in json.loads(each)]
    segment("alpha")
    rules = [{"segments": [each]} for each in ("alpha", "beta")]
    answer = admin.ask("post", "flags/", {"key": "new", "percentage": 0, "rules": rules})
    assert answer.json() == error


@pytest.mark.django_db
def test_the_workflow_releases_and_stops_a_flag():
    changes.create("new_checkout")
    caller = machine("manage:toggle", name="github")
    states = [run(caller, command) for command in commands("toggle-from-github-actions")]
    assert states == [
        "on for 5 %",
        "on for 5 % (stage 1 of 3)",
        "off",
    ]
    assert Flag.objects.get().version == Revision.objects.filter(subject="flag").count() == 4
    assert Revision.objects.latest("pk").comment == "The smoke test failed"


def json_of(page):
    return re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def differing(one, other):
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def commands(page):
    """Find the curl commands of a page, each as its words."""
    text = (DOCS / "howto" / f"{page}.md").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("curl ")]


def run(caller, words):
    """Do what curl would do, and return the state of the flag."""
    given = dict(pairwise(words))
    headers = [words[place + 1] for place, word in enumerate(words) if word == "--header"]
    named = dict(each.split(": ", 1) for each in headers)
    assert named.pop("Authorization") == "Bearer $KEY"
    [address] = [word.removeprefix("$API/") for word in words if word.startswith("$API/")]
    answer = caller.ask(given["--request"].lower(), address, json.loads(given["--json"]), **named)
    assert answer.status_code == 200, answer.content
    return answer.json()["state"]
