"""Flags over HTTP: one document each, and what can be done to it."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flaggate import changes, recording
from flaggate.models import Flag, Revision
from tests.api.management.callers import allowed, errors, machine
from tests.fixtures import layouts, released, segment, targeted

pytestmark = pytest.mark.django_db

NEW = {
    "key": "new_checkout",
    "description": "",
    "kind": "release",
    "enabled": False,
    "percentage": 100,
    "bucket_by": "",
    "off_variant": "",
    "client_visible": False,
    "critical": False,
    "owner": "",
    "tags": [],
    "permanent": False,
    "overridable": True,
    "active_from": None,
    "active_until": None,
    "expires_on": None,
    "variants": [],
    "rules": [],
    "prerequisites": [],
    "stages": [],
    "rollout": None,
    "archived_at": None,
    "version": 1,
    "state": "off",
}
# Each field with another value than a new flag has.
WHOLE = {
    "description": "Buy in one step.",
    "kind": "experiment",
    "enabled": True,
    "percentage": 12.5,
    "bucket_by": "visitor",
    "salt": "pepper",
    "off_variant": "wide",
    "client_visible": True,
    "critical": False,
    "owner": "shop",
    "tags": ["checkout", "q1"],
    "permanent": True,
    "overridable": False,
    "active_from": "2026-01-01T00:00:00+00:00",
    "active_until": "2099-01-01T00:00:00+00:00",
    "expires_on": "2027-01-31",
    "variants": [
        {"key": "compact", "value": {"columns": 4}, "weight": 3},
        {"key": "wide", "value": 2.0, "weight": 1},
    ],
    "rules": [{"segments": ["beta", "staff"], "percentage": 50, "variant": "compact"}],
    "prerequisites": [{"flag": "shop_open", "variant": ""}],
    "stages": [{"percentage": 5, "holds": 86400.0}, {"percentage": 100, "holds": None}],
}


def surroundings():
    """Create what WHOLE names."""
    released("shop_open")
    segment("beta"), segment("staff")


# --- one document ----------------------------------------------------------------------------


def test_a_key_is_enough_for_a_new_flag(admin):
    answer = admin.ask("post", "flags/", {"key": "new_checkout"})
    assert answer.status_code == 201, answer.content
    document = answer.json()
    assert {name: document[name] for name in NEW} == NEW
    assert document.keys() - NEW.keys() == {"salt", "created", "modified"}
    assert answer["Location"] == "http://testserver/api/flags/v1/flags/new_checkout/"


def test_a_new_flag_has_all_that_its_document_says(admin):
    surroundings()
    answer = admin.ask("post", "flags/", {"key": "new_checkout", **WHOLE})
    assert answer.status_code == 201, answer.content
    document = admin.document("flags/new_checkout/")
    assert document == answer.json()
    assert {name: document[name] for name in WHOLE} == WHOLE


def test_creating_makes_one_revision(admin):
    surroundings()
    admin.ask("post", "flags/", {"key": "new_checkout", **WHOLE, "comment": "At last."})
    revision = Revision.objects.get(key="new_checkout")
    assert (revision.version, revision.source, revision.actor_name) == (1, "api", "admin")
    assert revision.comment == "At last."


def test_a_document_can_be_sent_back_as_it_came(admin):
    surroundings()
    admin.ask("post", "flags/", {"key": "new_checkout", **WHOLE})
    document = admin.document("flags/new_checkout/")
    answer = admin.ask("put", "flags/new_checkout/", document)
    assert answer.json() == document
    assert Revision.objects.filter(key="new_checkout").count() == 1


def test_a_running_rollout_can_be_sent_back_as_it_came(admin):
    released("new_checkout")
    changes.rollouts.start("new_checkout", [(5, timedelta(days=1)), (100, None)])
    document = admin.document("flags/new_checkout/")
    assert document["state"] == "on for 5 % (stage 1 of 2)"
    assert admin.ask("put", "flags/new_checkout/", document).json() == document


def test_put_sets_back_what_it_leaves_out(admin):
    surroundings()
    admin.ask("post", "flags/", {"key": "new_checkout", **WHOLE})
    answer = admin.ask("put", "flags/new_checkout/", {"key": "new_checkout"})
    assert {name: answer.json()[name] for name in NEW} == {**NEW, "version": 2}


def test_put_keeps_the_salt(admin):
    """Another salt would draw new buckets, for everybody."""
    salt = released("new_checkout").salt
    assert admin.ask("put", "flags/new_checkout/", {"key": "new_checkout"}).json()["salt"] == salt


def test_patch_keeps_what_it_leaves_out(admin):
    surroundings()
    admin.ask("post", "flags/", {"key": "new_checkout", **WHOLE})
    answer = admin.ask("patch", "flags/new_checkout/", {"owner": "billing"})
    assert {name: answer.json()[name] for name in WHOLE} == {**WHOLE, "owner": "billing"}


def test_patch_replaces_a_list_as_a_whole(admin):
    layouts("price_layout")
    only = [{"key": "compact", "value": True, "weight": 1}]
    answer = admin.ask("patch", "flags/price_layout/", {"variants": only})
    assert answer.json()["variants"] == only


def test_what_changes_nothing_makes_no_revision(admin):
    released("new_checkout")
    assert admin.ask("patch", "flags/new_checkout/", {"enabled": True}).json()["version"] == 1
    assert Revision.objects.count() == 1


@pytest.mark.parametrize("value", [5, 5.0, True, "5", [], {"a": [1, 1.0, None]}, "", 0.1, 2**80])
def test_a_value_keeps_its_type(admin, value):
    body = {"key": "limit", "variants": [{"key": "only", "value": value}]}
    stored = admin.ask("post", "flags/", body).json()["variants"][0]["value"]
    assert repr(stored) == repr(value)


def test_an_unknown_flag_is_not_found(admin):
    answer = admin.ask("get", "flags/nowhere/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no flag 'nowhere'."})
    for method, path in (("put", ""), ("patch", ""), ("delete", ""), ("post", "enable/")):
        body = {"key": "nowhere"} if method == "put" else None
        assert admin.ask(method, f"flags/nowhere/{path}", body).status_code == 404


def test_a_deleted_flag_is_gone(admin):
    released("new_checkout")
    answer = admin.ask("delete", "flags/new_checkout/?comment=Done.")
    assert (answer.status_code, answer.content) == (204, b"")
    assert admin.ask("get", "flags/new_checkout/").status_code == 404
    assert Revision.objects.latest("pk").comment == "Done."


def test_a_buried_key_is_a_conflict(admin):
    released("new_checkout")
    admin.ask("delete", "flags/new_checkout/")
    answer = admin.ask("post", "flags/", {"key": "new_checkout"})
    assert answer.status_code == 409
    assert "Choose another key" in answer.json()["detail"]


def test_a_comment_in_the_body_of_a_delete_is_not_lost_without_a_word(admin):
    released("new_checkout")
    answer = admin.ask("delete", "flags/new_checkout/", {"comment": "Done"})
    assert "?comment=" in errors(answer)[""]
    assert Flag.objects.count() == 1


def test_a_flag_that_others_require_is_not_deleted(admin):
    surroundings()
    admin.ask("post", "flags/", {"key": "new_checkout", **WHOLE})
    answer = admin.ask("delete", "flags/shop_open/")
    assert answer.status_code == 409
    assert "new_checkout" in answer.json()["detail"]


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("enabled", 1),
        ("enabled", "true"),
        ("enabled", None),
        ("percentage", "5"),
        ("percentage", True),
        ("percentage", 100.5),
        ("percentage", 0.0005),
        ("description", 5),
        ("description", None),
        ("kind", "sale"),
        ("kind", 1),
        ("tags", "checkout"),
        ("tags", {"a": 1}),
        ("active_from", "2026-01-01"),
        ("active_from", "2026-01-01T00:00:00"),
        ("active_from", "2026-02-30T00:00:00Z"),
        ("active_from", "0001-01-01T00:00:00+14:00"),
        ("active_from", 5),
        ("expires_on", "tomorrow"),
        ("expires_on", "2026-02-30"),
        ("owner", "x" * 201),
        ("salt", ""),
        ("variants", {}),
        ("off_variant", "nowhere"),
        ("comment", 5),
    ],
)
def test_a_wrong_value_is_refused_at_its_path(admin, field, value):
    released("new_checkout")
    answer = admin.ask("patch", "flags/new_checkout/", {field: value})
    assert list(errors(answer)) == [field]
    assert Flag.objects.get().version == 1


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"rules": [{"segments": []}, {"segments": ["nowhere"]}]}, "rules[1].segments[0]"),
        ({"rules": [{"segments": [5]}]}, "rules[0].segments[0]"),
        ({"rules": [{"segments": ["beta"], "variant": "wide"}]}, "rules[0].variant"),
        ({"rules": [{"segments": ["beta"], "share": 5}]}, "rules[0].share"),
        ({"rules": ["beta"]}, "rules[0]"),
        ({"variants": [{"key": "a", "value": 1, "weight": 1.0}]}, "variants[0].weight"),
        ({"variants": [{"key": "a", "value": 1, "weight": "1"}]}, "variants[0].weight"),
        ({"variants": [{"key": "a", "value": None}]}, "variants[0].value"),
        ({"variants": [{"key": "a b", "value": 1}]}, "variants[0].key"),
        ({"variants": [{"key": "a\n", "value": 1}]}, "variants[0].key"),
        ({"variants": [{"key": "a", "value": 1}] * 2}, "variants[1].key"),
        ({"prerequisites": [{"flag": "nowhere"}]}, "prerequisites[0].flag"),
        ({"prerequisites": [{"flag": "shop_open"}] * 2}, "prerequisites[1].flag"),
        ({"prerequisites": [{"flag": "new_checkout"}]}, "prerequisites"),
        ({"stages": [{"percentage": 5}, {"percentage": 9}]}, "stages[0].holds"),
        ({"stages": [{"percentage": 5, "holds": 1e12}]}, "stages[0].holds"),
        ({"tags": ["a", 5]}, "tags[1]"),
    ],
)
def test_a_problem_names_its_path(admin, document, path):
    surroundings()
    released("new_checkout", percentage=0)
    answer = admin.ask("patch", "flags/new_checkout/", document)
    assert path in errors(answer)


def test_unknown_fields_are_refused(admin):
    answer = admin.ask("post", "flags/", {"key": "new_checkout", "percent": 5})
    assert errors(answer)["percent"].startswith("There is no such field. There are: ")


@pytest.mark.parametrize("key", ["", "a b", "-a", "a\n", "é", "x" * 101, 5, None])
def test_a_key_that_is_none_is_refused(admin, key):
    assert list(errors(admin.ask("post", "flags/", {"key": key}))) == ["key"]


def test_a_taken_key_is_refused(admin):
    released("new_checkout")
    assert list(errors(admin.ask("post", "flags/", {"key": "new_checkout"}))) == ["key"]


def test_a_key_never_changes(admin):
    released("new_checkout")
    for method in ("put", "patch"):
        answer = admin.ask(method, "flags/new_checkout/", {"key": "checkout"})
        assert list(errors(answer)) == ["key"]


@pytest.mark.parametrize("body", [[], "text", 5, None, True])
def test_a_body_that_is_no_object_is_refused(admin, body):
    released("new_checkout")
    answer = admin.put("/api/flags/v1/flags/new_checkout/", body, format="json")
    assert errors(answer)


def test_what_only_actions_change_is_refused_in_a_document(admin):
    released("new_checkout")
    for body in ({"archived_at": "2026-01-01T00:00:00Z"}, {"rollout": {"paused_at": None}}):
        answer = admin.ask("patch", "flags/new_checkout/", body)
        assert "Use the action" in errors(answer)[next(iter(body))]


def test_whoever_writes_rules_states_the_share_of_everyone_else(admin):
    """Without that, the first rule would release the flag to all."""
    surroundings()
    rules = {"rules": [{"segments": ["beta"]}]}
    assert list(errors(admin.ask("post", "flags/", {"key": "a", **rules}))) == ["percentage"]
    assert admin.ask("post", "flags/", {"key": "a"}).status_code == 201
    assert list(errors(admin.ask("put", "flags/a/", {"key": "a", **rules}))) == ["percentage"]
    assert list(errors(admin.ask("patch", "flags/a/", rules))) == ["percentage"]
    answer = admin.ask("patch", "flags/a/", {**rules, "percentage": 100})
    assert answer.json()["percentage"] == 100


# --- actions ---------------------------------------------------------------------------------


def test_enable_and_disable(admin):
    changes.create("new_checkout")
    answer = admin.ask("post", "flags/new_checkout/enable/", {"comment": "Go."})
    assert (answer.status_code, answer.json()["enabled"], answer["ETag"]) == (200, True, '"2"')
    assert admin.ask("post", "flags/new_checkout/disable/").json()["enabled"] is False
    assert list(Revision.objects.values_list("comment", flat=True)) == ["", "Go.", ""]


def test_rollout_sets_the_percentage(admin):
    released("new_checkout")
    answer = admin.ask("post", "flags/new_checkout/rollout/", {"percentage": 5})
    assert (answer.json()["percentage"], answer.json()["state"]) == (5, "on for 5 %")


def test_a_progressive_rollout_runs_pauses_goes_on_and_stops(admin):
    changes.create("new_checkout")
    stages = [{"percentage": 5, "holds": 3600}, {"percentage": 50, "holds": None}]
    answer = admin.ask("post", "flags/new_checkout/rollout/", {"stages": stages})
    assert answer.json()["state"] == "on for 5 % (stage 1 of 2)"
    assert answer.json()["rollout"]["paused_at"] is None
    assert admin.ask("post", "flags/new_checkout/pause/").json()["rollout"]["paused_at"]
    assert not admin.ask("post", "flags/new_checkout/resume/").json()["rollout"]["paused_at"]
    stopped = admin.ask("post", "flags/new_checkout/stop/").json()
    assert (stopped["percentage"], stopped["rollout"], stopped["stages"]) == (5, None, [])


def test_complete_ends_at_the_last_stage(admin):
    changes.create("new_checkout")
    admin.ask("post", "flags/new_checkout/rollout/", {"stages": [{"percentage": 50}]})
    assert admin.ask("post", "flags/new_checkout/complete/").json()["percentage"] == 50


def test_stages_may_start_at_a_moment(admin):
    changes.create("new_checkout")
    stages = {"stages": [{"percentage": 5}], "at": "2030-01-31T10:00:00+01:00"}
    answer = admin.ask("post", "flags/new_checkout/rollout/", stages)
    assert answer.json()["rollout"] == {
        "started_at": "2030-01-31T09:00:00+00:00",
        "paused_at": None,
    }


def test_a_percentage_has_no_moment(admin):
    changes.create("new_checkout")
    body = {"percentage": 5, "at": "2030-01-31T09:00:00Z"}
    assert errors(admin.ask("post", "flags/new_checkout/rollout/", body)).keys() == {"at"}


@pytest.mark.parametrize(
    "body",
    [{}, {"percentage": 5, "stages": [{"percentage": 5}]}, {"stages": []}, {"percentage": "5"}],
)
def test_a_rollout_is_a_percentage_or_stages(admin, body):
    released("new_checkout")
    assert errors(admin.ask("post", "flags/new_checkout/rollout/", body))


def test_what_the_state_of_a_flag_forbids_is_a_conflict(admin):
    released("new_checkout")
    answer = admin.ask("post", "flags/new_checkout/pause/")
    assert answer.status_code == 409
    assert "no rollout is running" in answer.json()["detail"]


def test_archive_and_restore(admin):
    released("new_checkout")
    archived = admin.ask("post", "flags/new_checkout/archive/").json()
    assert datetime.fromisoformat(archived["archived_at"]) <= timezone.now()
    assert admin.ask("post", "flags/new_checkout/enable/").status_code == 409
    assert admin.ask("post", "flags/new_checkout/restore/").json()["archived_at"] is None


def test_revert(admin):
    released("new_checkout", percentage=5)
    changes.rollout("new_checkout", 50)
    answer = admin.ask("post", "flags/new_checkout/revert/", {"version": 1})
    assert (answer.json()["percentage"], answer.json()["version"]) == (5, 3)
    assert admin.ask("post", "flags/new_checkout/revert/", {"version": 9}).status_code == 409
    assert list(errors(admin.ask("post", "flags/new_checkout/revert/", {}))) == ["version"]


def test_copy(admin):
    layouts("price_layout")
    answer = admin.ask("post", "flags/price_layout/copy/", {"key": "cart_layout"})
    assert answer.status_code == 201
    assert answer["Location"].endswith("/flags/cart_layout/")
    document, original = answer.json(), admin.document("flags/price_layout/")
    assert document["variants"] == original["variants"]
    assert (document["enabled"], document["salt"] == original["salt"]) == (False, False)


def test_an_action_takes_no_other_field(admin):
    released("new_checkout")
    answer = admin.ask("post", "flags/new_checkout/disable/", {"enabled": False})
    assert list(errors(answer)) == ["enabled"]


# --- explain ---------------------------------------------------------------------------------


def test_explain_says_why(admin):
    targeted("new_checkout", ("plan", "one_of", ["pro"]))
    context = {"targeting_key": "42", "plan": "pro"}
    answer = admin.ask("post", "flags/new_checkout/explain/", {"context": context}).json()
    assert (answer["active"], answer["reason"], answer["rule"]) == (True, "TARGETING_MATCH", 1)
    assert answer["rules"][0]["segments"][0]["conditions"][0]["value"] == "pro"


def test_explain_takes_a_targeting_key(admin):
    released("new_checkout", percentage=50)
    answer = admin.ask("post", "flags/new_checkout/explain/", {"key": "42"}).json()
    assert (answer["targeting_key"], answer["share"]["unit"]) == ("42", "42")


def test_a_servers_key_may_explain_and_reads_no_member_that_it_does_not_name():
    flag = released("new_checkout", percentage=0)
    with changes.change():
        flag.rules.create(percentage=100).segments.add(segment("beta", included=["42", "secret"]))
    server = machine("evaluate:server")
    answer = server.ask("post", "flags/new_checkout/explain/", {"key": "42"})
    assert answer.json()["active"]
    assert "secret" not in answer.content.decode()


def test_explain_counts_nothing(admin):
    released("new_checkout")
    recording.counts.clear()
    assert admin.ask("post", "flags/new_checkout/explain/").json()["active"]
    assert not recording.counts
    assert Revision.objects.count() == 1


def test_explain_refuses_two_subjects_and_unknown_flags(admin):
    released("new_checkout")
    both = {"key": "42", "context": {}}
    assert list(errors(admin.ask("post", "flags/new_checkout/explain/", both))) == ["context"]
    assert admin.ask("post", "flags/nowhere/explain/").status_code == 404


@pytest.mark.parametrize("context", [{"targetingKey": "42"}, {"targeting_key": [5]}])
def test_explain_takes_no_subject_for_nobody_by_mistake(admin, context):
    released("new_checkout")
    answer = admin.ask("post", "flags/new_checkout/explain/", {"context": context})
    assert "targeting_key" in errors(answer)["context"]


# --- lists -----------------------------------------------------------------------------------


def keys_of(answer):
    assert answer.status_code == 200, answer.content
    return [each["key"] for each in answer.json()["results"]]


@pytest.fixture
def several():
    released("apple", owner="shop", tags=["fruit", "red"], client_visible=True)
    changes.create("banana", kind="operational", permanent=True, tags=["fruit"])
    released("carrot", description="Not a fruit")
    changes.archive("carrot")


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["apple", "banana"]),
        ("?archived=true", ["carrot"]),
        ("?archived=any", ["apple", "banana", "carrot"]),
        ("?enabled=true", ["apple"]),
        ("?enabled=false", ["banana"]),
        ("?client_visible=true", ["apple"]),
        ("?permanent=true", ["banana"]),
        ("?kind=operational", ["banana"]),
        ("?owner=shop", ["apple"]),
        ("?tag=fruit", ["apple", "banana"]),
        ("?tag=red", ["apple"]),
        ("?search=NAN", ["banana"]),
        ("?search=shop", ["apple"]),
        ("?search=fruit&archived=any", ["carrot"]),
        ("?ordering=-key", ["banana", "apple"]),
        ("?ordering=created", ["apple", "banana"]),
        ("?ordering=-modified", ["banana", "apple"]),
    ],
)
def test_flags_are_filtered_and_ordered(admin, several, query, keys):
    assert keys_of(admin.ask("get", f"flags/{query}")) == keys


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("?archived=maybe", "archived"),
        ("?enabled=maybe", "enabled"),
        ("?kind=sale", "kind"),
        ("?ordering=salt", "ordering"),
        ("?search=%00", "search"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(admin, query, name):
    assert list(errors(admin.ask("get", f"flags/{query}"))) == [name]


@pytest.mark.parametrize("where", ["flags/", "segments/", "revisions/", "keys/"])
@pytest.mark.parametrize("query", ["enabledd=true", "limit=1", "page_size=x", "page_size=0"])
def test_a_parameter_that_a_list_does_not_know_is_refused(admin, where, query):
    answer = admin.ask("get", f"{where}?{query}")
    assert list(errors(answer)) == [query.partition("=")[0]]


def test_lists_come_in_pages(admin, several):
    first = admin.ask("get", "flags/?page_size=2&archived=any").json()
    assert [each["key"] for each in first["results"]] == ["apple", "banana"]
    second = admin.get(first["next"]).json()
    assert [each["key"] for each in second["results"]] == ["carrot"]
    assert second["next"] is None


@pytest.mark.parametrize("cursor", ["nonsense", "cD14", "cD0lMDA="])
def test_a_cursor_that_nobody_was_given_is_not_found(admin, several, cursor):
    """Those three are no base64, ``p=x`` and ``p=%00``."""
    answer = admin.ask("get", f"flags/?ordering=created&cursor={cursor}")
    assert answer.status_code == 404


def test_a_long_list_takes_as_many_queries_as_a_short_one(admin, several):
    with CaptureQueriesContext(connection) as short:
        admin.ask("get", "flags/?page_size=1")
    with CaptureQueriesContext(connection) as long:
        admin.ask("get", "flags/")
    assert len(long) <= len(short)


# --- who --------------------------------------------------------------------------------------


def test_the_history_names_the_user_or_the_key():
    released("new_checkout")
    allowed("toggle_flag").ask("post", "flags/new_checkout/disable/")
    machine("manage:toggle").ask("post", "flags/new_checkout/enable/")
    revisions = Revision.objects.filter(subject="flag").order_by("pk")
    names = revisions.values_list("actor_name", "source")
    assert list(names)[1:] == [("ada", "api"), ("key:pipeline", "api")]


def test_whoever_may_only_toggle_may_toggle_by_a_document_too():
    released("new_checkout", percentage=5)
    ada = allowed("toggle_flag")
    assert ada.ask("patch", "flags/new_checkout/", {"enabled": False}).status_code == 200
    answer = ada.ask("patch", "flags/new_checkout/", {"enabled": True, "percentage": 50})
    assert answer.status_code == 403
    assert "flaggate.rollout_flag" in answer.json()["detail"]
    assert Flag.objects.get().enabled is False


def test_starting_stages_of_a_disabled_flag_needs_the_permission_to_turn_it_on():
    changes.create("new_checkout")
    stages = {"stages": [{"percentage": 5}]}
    answer = allowed("rollout_flag").ask("post", "flags/new_checkout/rollout/", stages)
    assert answer.status_code == 403
