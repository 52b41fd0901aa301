"""Who may what: every caller, at every address, by every method."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.urls import get_resolver
from django.utils import timezone

from flaggate import changes
from flaggate.api import keys
from flaggate.models import ApiKey, Revision
from tests.api.management.callers import allowed, caller_of, holding, nobody, user_with
from tests.fixtures import released, segment

pytestmark = pytest.mark.django_db

SEE_FLAGS = (
    "view_flag add_flag change_flag delete_flag toggle_flag rollout_flag archive_flag revert_flag "
    "manage:toggle manage:write"
)
SEE_SEGMENTS = (
    "view_segment add_segment change_segment delete_segment import_members revert_segment "
    "manage:write"
)
TOGGLE = "toggle_flag change_flag manage:toggle manage:write"
ROLLOUT = "rollout_flag change_flag manage:toggle manage:write"
ARCHIVE = "archive_flag change_flag manage:write"
MEMBERS = "import_members change_segment manage:write"

# Frozen. By address and method: the callers who pass, and a body that changes something.
# A superuser passes everywhere; all others are refused, with 401 where they are nobody, else 403.
# A method that is not listed is not allowed to anybody: 405.
TABLE = {
    "flags/": {
        "get": (SEE_FLAGS, None),
        "post": ("add_flag manage:write", {"key": "newer"}),
    },
    "flags/dark/": {
        "get": (SEE_FLAGS, None),
        "put": ("change_flag manage:write", {"key": "dark", "owner": "shop"}),
        "patch": ("change_flag manage:write", {"owner": "shop"}),
        "delete": ("delete_flag manage:write", None),
    },
    "flags/dark/enable/": {"post": (TOGGLE, None)},
    "flags/lit/disable/": {"post": (TOGGLE, None)},
    "flags/lit/rollout/": {"post": (ROLLOUT, {"percentage": 5})},
    "flags/rolling/pause/": {"post": (ROLLOUT, None)},
    "flags/paused/resume/": {"post": (ROLLOUT, None)},
    "flags/rolling/stop/": {"post": (ROLLOUT, None)},
    "flags/rolling/complete/": {"post": (ROLLOUT, None)},
    "flags/lit/archive/": {"post": (ARCHIVE, None)},
    "flags/retired/restore/": {"post": (ARCHIVE, None)},
    "flags/lit/revert/": {"post": ("revert_flag change_flag manage:write", {"version": 1})},
    "flags/lit/copy/": {"post": ("add_flag manage:write", {"key": "newer"})},
    "flags/lit/explain/": {"post": ("evaluate_flag evaluate:server manage:write", {"key": "42"})},
    "segments/": {
        "get": (SEE_SEGMENTS, None),
        "post": ("add_segment manage:write", {"key": "newer"}),
    },
    "segments/beta/": {
        "get": (SEE_SEGMENTS, None),
        "put": ("change_segment manage:write", {"key": "beta", "name": "Beta"}),
        "patch": ("change_segment manage:write", {"name": "Beta"}),
        "delete": ("delete_segment manage:write", None),
    },
    "segments/beta/revert/": {
        "post": ("revert_segment change_segment manage:write", {"version": 1})
    },
    "segments/beta/members/": {"get": (SEE_SEGMENTS, None)},
    "segments/beta/members:add/": {"post": (MEMBERS, {"keys": ["42"]})},
    "segments/beta/members:remove/": {"post": (MEMBERS, {"keys": ["1"]})},
    "revisions/": {"get": ("view_revision manage:write", None)},
    "revisions/{revision}/": {"get": ("view_revision manage:write", None)},
    "keys/": {
        "get": ("view_apikey change_apikey", None),
        "post": ("add_apikey", {"name": "newer", "scopes": ["evaluate:client"]}),
    },
    "keys/{key}/": {"get": ("view_apikey change_apikey", None)},
    "keys/{key}/rotate/": {"post": ("change_apikey", {"overlap": 60})},
    "keys/{key}/revoke/": {"post": ("change_apikey", None)},
}
METHODS = ("get", "post", "put", "patch", "delete", "options")

PERMISSIONS = (
    *("view_flag", "add_flag", "change_flag", "delete_flag"),
    *("toggle_flag", "rollout_flag", "archive_flag", "revert_flag"),
    *("evaluate_flag", "override_flag"),
    *("view_segment", "add_segment", "change_segment", "delete_segment"),
    *("import_members", "revert_segment"),
    *("view_revision", "add_revision", "change_revision", "delete_revision"),
    *("view_apikey", "add_apikey", "change_apikey", "delete_apikey"),
)
UNKNOWN = ("anonymous", "inactive", "expired", "revoked", "unknown key")
OTHERS = ("user", "staff", "all other permissions", "superuser")


@pytest.fixture
def places():
    """What the addresses of the table name."""
    changes.create("dark")
    released("lit")
    changes.rollout("lit", 50)
    for key in ("rolling", "paused"):
        changes.create(key)
        changes.rollouts.start(key, [(5, timedelta(days=1)), (100, None)])
    changes.rollouts.pause("paused")
    released("retired")
    changes.archive("retired")
    segment("beta", included=["1"])
    changes.members.add("beta", ["2"])
    made = keys.create("for the table", ["evaluate:client"]).key
    return {"revision": Revision.objects.filter(subject="flag").first().pk, "key": made.prefix}


def caller(name):
    """Return a client for a name of the table."""
    if name in PERMISSIONS:
        return allowed(name)
    if name in ApiKey.Scope.values:
        return holding(keys.create("caller", [name]).secret)
    return CALLERS[name]()


def superuser():
    return caller_of(user_with(is_staff=True, is_superuser=True))


def with_all_other_permissions():
    others = Permission.objects.filter(content_type__app_label="flaggate")
    others = others.exclude(codename__in=PERMISSIONS).values_list("codename", flat=True)
    return allowed(*others)


def expired():
    issued = keys.create("caller", ["manage:write"])
    ApiKey.objects.filter(pk=issued.key.pk).update(expires_at=timezone.now())
    return holding(issued.secret)


def revoked():
    issued = keys.create("caller", ["manage:write"])
    keys.revoke(issued.key)
    return holding(issued.secret)


CALLERS = {
    "anonymous": nobody,
    "inactive": lambda: caller_of(user_with(is_superuser=True, is_active=False)),
    "expired": expired,
    "revoked": revoked,
    "unknown key": lambda: holding("fgk_00000000_unknown"),
    "user": lambda: caller_of(user_with()),
    "staff": lambda: caller_of(user_with(is_staff=True)),
    "all other permissions": with_all_other_permissions,
    "superuser": superuser,
}


def expected(name, rights, method):
    if name in UNKNOWN:
        return 401
    if method not in rights:
        return 405
    return 200 if name == "superuser" or name in rights[method][0].split() else 403


@pytest.mark.parametrize("name", [*UNKNOWN, *OTHERS, *PERMISSIONS, *ApiKey.Scope.values])
def test_each_caller_may_what_the_table_says_and_nothing_else(name, places):
    asking = caller(name)
    seen, wanted = {}, {}
    for address, rights in TABLE.items():
        for method in METHODS:
            body = rights[method][1] if method in rights else None
            with transaction.atomic():
                answer = asking.ask(method, address.format(**places), body)
                transaction.set_rollback(True)
            status = answer.status_code
            seen[method, address] = 200 if 200 <= status < 300 else status
            wanted[method, address] = expected(name, rights, method)
    assert seen == wanted


def test_the_table_names_every_address():
    """A new address is closed, and has to be written down here."""
    patterns = get_resolver("flaggate.api.urls").url_patterns[0].url_patterns
    names = {pattern.name for pattern in patterns}
    tabled = {get_resolver("flaggate.api.urls").resolve("/v1/" + path(each)) for each in TABLE}
    assert {match.url_name for match in tabled} == names - {None}  # where there is nothing


def path(address):
    return address.format(revision=1, key="fgk_0")


def test_the_table_names_every_permission_of_flags_segments_revisions_and_keys():
    models = ["flag", "segment", "revision", "apikey"]
    found = Permission.objects.filter(content_type__app_label="flaggate")
    found = found.filter(content_type__model__in=models).values_list("codename", flat=True)
    assert set(found) == set(PERMISSIONS)
