"""Segments over HTTP, and their members in bulk."""

import pytest

from flaggate.models import Revision, Segment
from tests.api.management.callers import allowed, errors
from tests.fixtures import segment, targeted

pytestmark = pytest.mark.django_db

WHOLE = {
    "name": "Beta testers",
    "description": "Who asked for it.",
    "match": "any",
    "on_demand": True,
    "conditions": [
        {
            "attribute": "email",
            "operator": "ends_with",
            "values": ["@example.com"],
            "negate": True,
            "ignore_case": True,
        },
        {
            "attribute": "",
            "operator": "in_segment",
            "values": ["staff"],
            "negate": False,
            "ignore_case": False,
        },
    ],
}
EMPTY = {"name": "", "description": "", "match": "all", "on_demand": False, "conditions": []}


def condition(operator, *values):
    return {"attribute": "plan", "operator": operator, "values": list(values)}


@pytest.fixture
def beta(admin):
    segment("staff")
    answer = admin.ask("post", "segments/", {"key": "beta", **WHOLE})
    assert answer.status_code == 201, answer.content
    return answer


def test_a_new_segment_has_all_that_its_document_says(admin, beta):
    document = admin.document("segments/beta/")
    assert document == beta.json()
    assert {name: document[name] for name in WHOLE} == WHOLE
    assert (document["version"], document["members"]) == (1, {"included": 0, "excluded": 0})
    assert (beta["ETag"], beta["Location"].endswith("/segments/beta/")) == ('"1"', True)


def test_a_document_can_be_sent_back_as_it_came(admin, beta):
    assert admin.ask("put", "segments/beta/", beta.json()).json() == beta.json()
    assert Revision.objects.filter(key="beta").count() == 1


def test_put_sets_back_what_it_leaves_out_but_keeps_the_members(admin, beta):
    admin.ask("post", "segments/beta/members:add/", {"keys": ["42"]})
    document = admin.ask("put", "segments/beta/", {"key": "beta"}).json()
    assert {name: document[name] for name in EMPTY} == EMPTY
    assert document["members"]["included"] == 1


def test_patch_keeps_what_it_leaves_out(admin, beta):
    document = admin.ask("patch", "segments/beta/", {"match": "all", "comment": "Both."}).json()
    assert {name: document[name] for name in WHOLE} == {**WHOLE, "match": "all"}
    assert Revision.objects.latest("pk").comment == "Both."


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"match": "none"}, "match"),
        ({"on_demand": 1}, "on_demand"),
        ({"conditions": [{"operator": "is"}]}, "conditions[0].operator"),
        ({"conditions": [{"operator": "exists"}]}, "conditions[0].attribute"),
        ({"conditions": [condition("gt", "x")]}, "conditions[0].values"),
        ({"conditions": [{"attribute": "a", "operator": "one_of"}]}, "conditions[0].values"),
        ({"conditions": [condition("one_of", {})]}, "conditions[0].values"),
        ({"conditions": [{"operator": "in_segment", "values": ["x"]}]}, "conditions[0].values"),
        ({"included": ["42"]}, "included"),
        ({"key": "alpha"}, "key"),
    ],
)
def test_a_problem_names_its_path(admin, beta, document, path):
    assert path in errors(admin.ask("patch", "segments/beta/", document))


def test_a_taken_key_is_refused(admin, beta):
    assert list(errors(admin.ask("post", "segments/", {"key": "beta"}))) == ["key"]


def test_unknown_segments_are_not_found(admin):
    for method in ("get", "put", "patch", "delete"):
        body = {"key": "nowhere"} if method == "put" else None
        answer = admin.ask(method, "segments/nowhere/", body)
        assert (answer.status_code, "nowhere" in answer.json()["detail"]) == (404, True)
    assert admin.ask("get", "segments/nowhere/members/").status_code == 404
    answer = admin.ask("post", "segments/nowhere/members:add/", {"keys": ["42"]})
    assert answer.status_code == 404


def test_a_used_segment_is_not_deleted(admin):
    targeted("new_checkout")
    answer = admin.ask("delete", "segments/new_checkout.audience/")
    assert answer.status_code == 409
    assert "used by flag new_checkout" in answer.json()["detail"]


def test_an_unused_segment_is_deleted(admin, beta):
    assert admin.ask("delete", "segments/beta/?comment=Over.").status_code == 204
    assert not Segment.objects.filter(key="beta").exists()
    assert Revision.objects.latest("pk").comment == "Over."


def test_revert(admin, beta):
    admin.ask("put", "segments/beta/", {"key": "beta"})
    document = admin.ask("post", "segments/beta/revert/", {"version": 1}).json()
    assert {name: document[name] for name in WHOLE} == WHOLE


def test_lists_are_searched_and_ordered(admin, beta):
    def keys(query):
        return [each["key"] for each in admin.document(f"segments/{query}")["results"]]

    assert keys("") == ["beta", "staff"]
    assert keys("?ordering=-key") == ["staff", "beta"]
    assert keys("?search=testers") == ["beta"]
    assert keys("?search=ASKED") == ["beta"]


# --- members ---------------------------------------------------------------------------------


def test_members_are_added_and_removed_in_bulk(admin):
    segment("beta", included=["1"])
    added = admin.ask("post", "segments/beta/members:add/", {"keys": ["1", "2", "3"]})
    assert {name: added.json()[name] for name in ("added", "removed", "unchanged")} == {
        "added": 2,
        "removed": 0,
        "unchanged": 1,
    }
    assert added.json()["segment"]["members"] == {"included": 3, "excluded": 0}
    assert added["ETag"] == '"2"'
    removed = admin.ask("post", "segments/beta/members:remove/", {"keys": ["2", "9"]}).json()
    assert (removed["removed"], removed["unchanged"]) == (1, 1)
    assert Revision.objects.filter(key="beta").count() == 3


def test_members_may_be_excluded(admin):
    segment("beta", included=["1"])
    admin.ask("post", "segments/beta/members:add/", {"keys": ["1"], "excluded": True})
    assert admin.document("segments/beta/")["members"] == {"included": 1, "excluded": 1}
    admin.ask("post", "segments/beta/members:remove/", {"keys": ["1"], "excluded": True})
    assert admin.document("segments/beta/")["members"] == {"included": 1, "excluded": 0}


def test_thousands_of_members_are_one_change(admin):
    segment("beta")
    keys = [f"user-{number}" for number in range(5000)]
    answer = admin.ask("post", "segments/beta/members:add/", {"keys": keys})
    assert (answer.json()["added"], answer.json()["segment"]["version"]) == (5000, 2)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "keys"),
        ({"keys": []}, "keys"),
        ({"keys": "42"}, "keys"),
        ({"keys": ["1", 42]}, "keys[1]"),
        ({"keys": ["1", ""]}, "keys[1]"),
        ({"keys": ["x" * 201]}, "keys[0]"),
        ({"keys": ["1"], "excluded": 1}, "excluded"),
    ],
)
def test_what_is_no_member_is_refused(admin, body, path):
    segment("beta")
    assert list(errors(admin.ask("post", "segments/beta/members:add/", body))) == [path]


def test_members_are_listed_in_pages(admin):
    segment("beta", included=["ada", "bob", "abe"])
    admin.ask("post", "segments/beta/members:add/", {"keys": ["eve"], "excluded": True})
    first = admin.document("segments/beta/members/?page_size=3")
    assert [each["targeting_key"] for each in first["results"]] == ["ada", "bob", "abe"]
    second = admin.get(first["next"]).json()
    assert second["results"] == [{"targeting_key": "eve", "excluded": True}]


def test_members_are_filtered(admin):
    segment("beta", included=["ada", "bob", "abe"])
    admin.ask("post", "segments/beta/members:add/", {"keys": ["eve"], "excluded": True})
    for query, keys in (("?search=a", ["ada", "abe"]), ("?excluded=true", ["eve"])):
        listed = admin.document(f"segments/beta/members/{query}")["results"]
        assert [each["targeting_key"] for each in listed] == keys


def test_whoever_may_only_import_members_changes_nothing_else():
    segment("beta")
    ada = allowed("import_members")
    assert ada.ask("post", "segments/beta/members:add/", {"keys": ["42"]}).status_code == 200
    assert ada.ask("patch", "segments/beta/", {"name": "Beta"}).status_code == 403
