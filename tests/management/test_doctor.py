"""``flags doctor``."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from flaggate import changes
from flaggate.management import patterns
from flaggate.models import Flag, Segment, State, Usage
from flaggate.store import store
from tests.management.shell import flags, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def project(settings):
    """The settings of a project, not of its tests."""
    settings.FLAGGATE = {"MAX_STALENESS": 1.0, "RECORD_USAGE": True}


def examine():
    """Return what the doctor says, whether or not it fails."""
    printed = StringIO()
    with suppress(CommandError):
        call_command("flags", "doctor", "--format", "json", stdout=printed)
    return json.loads(printed.getvalue())


def found(severity):
    return [each["what"] for each in examine()["findings"] if each["severity"] == severity]


def the_remedy():
    (finding,) = examine()["findings"]
    return finding["remedy"]


def segment(key, *conditions):
    with changes.change():
        created = Segment.objects.create(key=key)
        for attribute, operator, values in conditions:
            created.conditions.create(attribute=attribute, operator=operator, values=values)
    return created


def use(flag, segment):
    with changes.change() as change:
        change.state_percentage(flag.key)
        flag.rules.create().segments.add(segment)


class Router:
    """Sends one of flaggate's models elsewhere."""

    def db_for_write(self, model, **hints):
        return "other" if model.__name__ == "Usage" else None

    def allow_migrate(self, db, app_label, **hints):
        return False


# --- Well ---


def test_a_healthy_project_has_no_findings():
    changes.create("x", enabled=True, percentage=5)
    assert flags("doctor").endswith("\n\nNothing is wrong.")
    assert examine()["findings"] == []


def test_the_facts_are_told():
    changes.create("x")
    Usage.objects.create(flag="x", variant="on", hour=datetime(2027, 1, 31, 9, tzinfo=UTC))
    facts = examine()["facts"]
    assert f"'default': {connection.vendor}, " in facts["database"]
    assert facts["migrations"] == "applied"
    assert facts["state"] == str(State.objects.get())
    number = State.objects.get().version
    assert facts["snapshot"].startswith(f"version {number}, flags: 1, segments: 0, loaded 20")
    assert facts["usage"] == "recorded; last counted in the hour from 2027-01-31 09:00 UTC"
    assert facts["patterns"].startswith("0 in use, google-re2 ")


def test_that_usage_is_not_recorded_is_told(settings):
    settings.FLAGGATE = {"RECORD_USAGE": False}
    assert examine()["facts"]["usage"] == "not recorded"


def test_databases_that_are_not_asked_are_told(settings, monkeypatch):
    monkeypatch.setitem(connection_settings(), "replica", connection_settings()["default"])
    assert examine()["facts"]["database"].endswith("; flags are not read from 'replica'")


def connection_settings():
    from django.db import connections

    return connections.settings


# --- Exit codes ---


def warned():
    changes.create("x", expires_on=date(2020, 1, 1))


def test_warnings_are_no_failure():
    warned()
    assert flags("doctor").endswith("Errors: 0, warnings: 1, infos: 0.")


def test_warnings_are_a_failure_on_wish():
    warned()
    assert refusal("doctor", "--fail-on", "warning") == "The doctor found problems: 1."


def test_errors_are_a_failure():
    changes.create("x", enabled=True)
    Flag.objects.update(off_variant="gone")
    assert refusal("doctor") == "The doctor found problems: 1."


def test_the_worst_comes_first():
    warned()
    changes.create("y", enabled=True)
    Flag.objects.filter(key="y").update(off_variant="gone")
    segment("unused", ("plan", "exists", []))
    severities = [each["severity"] for each in examine()["findings"]]
    assert severities == ["error", "warning", "info"]


def test_a_finding_is_printed_with_its_remedy():
    warned()
    assert flags("doctor").split("\n\n")[1].splitlines() == [
        "warning: flag x expired on 2020-01-01.",
        "  Remove it from the code, then `manage.py flags archive x`; or set a later day.",
    ]


# --- Around the flags ---


def test_wrong_settings_are_found(settings):
    settings.FLAGGATE = {"MAX_STALENES": 1}
    assert found("error") == ["flaggate.E002: FLAGGATE['MAX_STALENES'] is no setting of flaggate."]


def test_missing_middleware_is_found(settings):
    settings.MIDDLEWARE = []
    (what,) = found("warning")
    assert what.startswith("flaggate.W001: FlagsMiddleware is not in MIDDLEWARE")
    assert the_remedy().startswith("Add 'flaggate.middleware.FlagsMiddleware'")


def test_checks_for_deployment_count_where_it_is_deployed(settings):
    settings.FLAGGATE = {"MAX_STALENESS": 1.0, "STRICT": True}
    settings.DEBUG = True
    assert found("warning") == []
    settings.DEBUG = False
    assert found("warning")[0].startswith("flaggate.W002: FLAGGATE['STRICT'] is on")


def test_processes_that_never_look_are_found(settings):
    settings.FLAGGATE = {"MAX_STALENESS": None}
    assert found("warning")[0].startswith("MAX_STALENESS is None")


def test_a_router_that_tears_models_apart_is_found(settings):
    settings.DATABASE_ROUTERS = [Router()]
    changes.create("x")
    what = found("error")
    assert "The router writes Usage to 'other', and State to 'default'." in what
    assert "The router sends flags to 'default', and does not let them migrate there." in what


def test_a_missing_state_row_is_found():
    State.objects.all().delete()
    assert found("warning") == ["The state row is missing, so processes can't notice changes."]
    assert examine()["facts"]["state"] == "missing"


# --- The flags ---


def test_a_broken_flag_is_found():
    changes.create("x", enabled=True)
    Flag.objects.update(off_variant="gone")
    (what,) = found("error")
    assert what.startswith("flag x is broken: off_variant: 'gone' is no variant of the flag.")
    assert "`manage.py flags disable x`" in the_remedy()


def test_a_broken_segment_is_found_with_its_flags():
    beta = segment("beta", ("plan", "one_of", ["pro"]))
    use(changes.create("x", enabled=True), beta)
    beta.conditions.update(operator="from_a_newer_release")
    segment_, flag = found("error")
    assert segment_.startswith('segment beta is broken: conditions[0].values: "from_a_newer')
    assert flag.startswith("flag x is broken: rules[0].segments[0]: the segment 'beta' is broken: ")
    assert "from_a_newer" in flag


def test_a_row_that_no_model_can_hold_is_found():
    changes.create("x")
    with connection.cursor() as cursor:  # only SQLite stores any text as a number
        cursor.execute("UPDATE flaggate_flag SET percentage = 'half'")
    (what,) = found("error")
    assert what.startswith("flag x is broken: percentage: 'half' is no number.")


def test_a_rule_without_segments_is_found():
    changes.create("x", enabled=True).rules.create()
    assert found("warning") == ["flag x: rules[0].segments: is empty, so the rule matches nobody."]
    assert the_remedy() == "Add a segment, or remove the rule."


def test_prerequisites_in_a_circle_are_found():
    first, second = changes.create("x"), changes.create("y")
    first.prerequisites.create(required=second)
    second.prerequisites.create(required=first)
    assert [what[:34] for what in found("error")] == [
        "flag x: prerequisites: run in a ci",
        "flag y: prerequisites: run in a ci",
    ]


def test_an_archived_flag_is_left_in_peace():
    flag = changes.create("x", enabled=True, expires_on=date(2020, 1, 1))
    flag.rules.create()
    changes.archive("x")
    assert examine()["findings"] == []


def test_a_network_that_is_none_is_found():
    segment("office", ("ip", "in_cidr", ["10.0.0.0/8"]))
    Segment.objects.get().conditions.update(values=["10.0.0.0/8", "office"])
    (what,) = found("warning")
    assert what.startswith('segment office: conditions[0].values: "office" is no network')


def test_patterns_without_their_library_are_found(monkeypatch):
    use(changes.create("x"), segment("beta", ("email", "matches", ["^a"])))
    monkeypatch.setattr(patterns.util, "find_spec", lambda _name: None)
    assert examine()["facts"]["patterns"] == "1 in use, google-re2 is not installed"
    assert "google-re2 is not installed" in found("error")[0]


def test_a_missing_library_that_nothing_needs_is_no_finding(monkeypatch):
    monkeypatch.setattr(patterns.util, "find_spec", lambda _name: None)
    assert examine()["findings"] == []


def test_a_flag_past_its_day_is_found(time_machine):
    changes.create("x", expires_on=date(2027, 1, 31))
    time_machine.move_to("2027-01-31T12:00:00Z")
    assert found("warning") == []
    time_machine.move_to("2027-02-01T12:00:00Z")
    assert found("warning") == ["flag x expired on 2027-01-31."]


OLD = timedelta(days=31)


def untouched(key, age=OLD, **fields):
    flag = changes.create(key, enabled=True, **fields)
    Flag.objects.filter(key=key).update(modified=timezone.now() - age)
    return flag


def test_a_flag_that_everybody_has_had_for_long_is_found():
    untouched("x")
    assert found("info") == ["flag x is on for everyone, and untouched for more than 30 days."]


@pytest.mark.parametrize(
    "fields",
    [
        {"permanent": True},
        {"percentage": 99},
        {"active_until": datetime(2100, 1, 1, tzinfo=UTC)},
        {"age": timedelta(days=29)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_flag_that_may_still_be_needed_is_not(fields):
    untouched("x", **fields)
    assert found("info") == []


def test_a_flag_with_rules_may_still_be_needed():
    use(untouched("x"), segment("beta", ("plan", "exists", [])))
    Flag.objects.update(modified=timezone.now() - OLD)
    assert found("info") == []


def test_a_segment_that_nothing_uses_is_found():
    inner = segment("inner", ("plan", "exists", []))
    use(changes.create("x"), segment("outer", ("", "in_segment", [inner.key])))
    segment("unused", ("plan", "exists", []))
    assert found("info") == ["segment unused is not used."]


def test_a_process_that_can_not_load_is_found_out(monkeypatch):
    from flaggate.core.snapshot import EMPTY

    monkeypatch.setattr(store, "current", lambda: EMPTY)
    assert examine()["facts"]["snapshot"] == "none, so that every flag is off"
