"""What all views of the management API have in common."""

import json
from html import unescape

import pytest
from django.core.cache import cache
from django.test import override_settings
from rest_framework.authentication import BasicAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from flaggate.api.management.views import ManagementView
from tests.api.management.callers import allowed, caller_of, machine, nobody, user_with
from tests.fixtures import released, segment, targeted

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["flags/", "segments/", "revisions/", "keys/"])
def test_it_is_closed_although_the_projects_default_is_open(path):
    assert APIView.permission_classes == [AllowAny]
    answer = nobody().ask("get", path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="flaggate"'


def test_the_projects_own_authentication_counts(monkeypatch):
    monkeypatch.setattr(ManagementView, "authentication_classes", [BasicAuthentication])
    user_with("view_flag", password="secret")
    caller = nobody()
    caller.credentials(HTTP_AUTHORIZATION="Basic YWRhOnNlY3JldA==")  # ada:secret
    assert caller.ask("get", "flags/").status_code == 200
    assert allowed("view_flag", username="bob").ask("get", "flags/").status_code == 401


def test_a_session_needs_its_csrf_token():
    released("new_checkout")
    user = user_with("toggle_flag")
    caller = caller_of(user)
    caller.handler.enforce_csrf_checks = True
    answer = caller.ask("post", "flags/new_checkout/disable/")
    assert (answer.status_code, "CSRF" in answer.json()["detail"]) == (403, True)
    caller.cookies["csrftoken"] = "a" * 32
    answer = caller.ask("post", "flags/new_checkout/disable/", X_CSRFToken="a" * 32)
    assert answer.status_code == 200


def test_a_key_needs_no_csrf_token():
    released("new_checkout")
    caller = machine("manage:toggle")
    caller.handler.enforce_csrf_checks = True
    assert caller.ask("post", "flags/new_checkout/disable/").status_code == 200


def test_answers_are_not_stored(admin):
    released("new_checkout")
    for path in ("flags/", "flags/new_checkout/", "flags/nowhere/"):
        assert admin.ask("get", path)["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_a_method_that_an_address_has_not_is_not_allowed(admin, method):
    assert admin.ask(method, "flags/").status_code == 405


def test_reading_by_head_works(admin):
    assert admin.ask("head", "flags/").status_code == 200


def test_nothing_changes_by_get(admin):
    released("new_checkout")
    for action in ("disable", "archive", "copy", "explain"):
        assert admin.ask("get", f"flags/new_checkout/{action}/").status_code == 405


def test_what_the_client_accepts_must_be_json(admin):
    assert admin.ask("get", "flags/", Accept="text/csv").status_code == 406


# --- throttling ------------------------------------------------------------------------------


@pytest.fixture
def rate():
    cache.clear()
    with override_settings(REST_FRAMEWORK={"DEFAULT_THROTTLE_RATES": {"flaggate": "2/minute"}}):
        yield
    cache.clear()


def test_the_rate_of_the_scope_counts_for_each_caller(rate):
    ada, bob = allowed("view_flag"), allowed("view_flag", username="bob")
    pipeline, other = machine("manage:write"), machine("manage:write", name="other")
    for caller in (ada, bob, pipeline, other):
        statuses = [caller.ask("get", "flags/").status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


def test_the_projects_own_throttles_count_too(admin, monkeypatch):
    monkeypatch.setattr(ManagementView, "throttle_classes", [Never])
    assert admin.ask("get", "flags/").status_code == 429


def test_keys_are_nobody_whom_the_projects_throttles_count(monkeypatch):
    class Twice(AnonRateThrottle):
        rate = "2/minute"

    cache.clear()
    monkeypatch.setattr(ManagementView, "throttle_classes", [Twice])
    pipeline = machine("manage:write")
    assert [pipeline.ask("get", "flags/").status_code for _ in range(3)] == [200] * 3


class Never:
    """A throttle of a project that is overloaded."""

    def allow_request(self, request, view):
        return False

    def wait(self):
        return 60


# --- the browsable API -----------------------------------------------------------------------


@pytest.fixture
def page(admin):
    released("new_checkout")
    segment("beta", included=["42"])

    def read(path):
        answer = admin.ask("get", path, Accept="text/html")
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
        return answer.content.decode()

    return read


@pytest.mark.parametrize(
    "path",
    [
        *("flags/", "flags/new_checkout/", "segments/", "segments/beta/"),
        *("segments/beta/members/", "revisions/", "keys/"),
    ],
)
def test_every_page_renders(page, path):
    assert "Django REST framework" in page(path)


def test_a_flag_can_be_edited_where_it_is_read(page):
    """The form of PUT holds the present document."""
    html = page("flags/new_checkout/")
    assert 'name="_content_type"' in html
    assert "&quot;enabled&quot;: true" in html.split("<textarea", 1)[1]


@pytest.mark.parametrize("where", ["flags/", "segments/"])
def test_the_form_that_makes_one_is_good_as_it_stands_but_for_its_key(admin, page, where):
    begun = unescape(page(where).partition("<textarea")[2].partition(">")[2])
    document = json.loads(begun.partition("</textarea>")[0])
    assert document["key"] == ""
    answer = admin.ask("post", where, {**document, "key": "new"})
    assert answer.status_code == 201, answer.content
    bare = admin.ask("post", where, {"key": "bare"}).json()
    made = answer.json()
    assert {name for name in made if made[name] != bare[name]} <= {
        "key",
        "salt",
        "created",
        "modified",
    }


def test_whoever_may_not_write_sees_no_form():
    released("new_checkout")
    answer = allowed("view_flag").ask("get", "flags/new_checkout/", Accept="text/html")
    assert answer.status_code == 200
    assert b"_content_type" not in answer.content


def test_a_project_without_browsable_pages_has_none_here(admin, monkeypatch):
    monkeypatch.setattr(ManagementView, "renderer_classes", [JSONRenderer])
    answer = admin.ask("get", "flags/", Accept="text/html,*/*;q=0.1")
    assert answer["Content-Type"] == "application/json"


def test_a_project_that_has_not_installed_the_framework_has_no_pages(admin, settings):
    settings.INSTALLED_APPS = [each for each in settings.INSTALLED_APPS if each != "rest_framework"]
    answer = admin.ask("get", "flags/", Accept="text/html,*/*;q=0.1")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_it_says_the_same_in_every_language(admin, settings):
    settings.LANGUAGE_CODE = "de"
    released("new_checkout", percentage="2.5")
    assert admin.document("flags/new_checkout/")["state"] == "on for 2.5 %"
    refused = admin.ask("patch", "flags/new_checkout/", {"off_variant": "x"}, if_match="*")
    problem = "'x' is no variant of the flag. Its variants: none."
    assert refused.json()["errors"] == [{"path": "off_variant", "message": problem}]


def test_an_explanation_sees_the_language_of_the_project(admin, settings):
    settings.LANGUAGE_CODE = "de"
    targeted("greeting", ("language", "one_of", ["de"]))
    asked = admin.ask("post", "flags/greeting/explain/", {"key": "42"})
    assert asked.json()["active"] is True
