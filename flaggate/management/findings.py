"""What can be wrong: one function for each kind of trouble, and the remedy with each finding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from django.conf import settings
from django.core import checks
from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from flaggate import conf
from flaggate.core import references, validation
from flaggate.management import patterns
from flaggate.models import Flag, State, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from flaggate.core.definitions import Problem
    from flaggate.core.snapshot import Snapshot
    from flaggate.store import Definitions

Severity = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
# The option that ends the wait for a server's first word.
TIMEOUTS = {"postgresql": "connect_timeout", "mysql": "read_timeout"}
LONG_UNTOUCHED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or might be; and what to do about it."""

    severity: Severity
    what: str
    remedy: str


# --- Around the flags: settings, databases, migrations ---


def of_settings() -> Iterator[Finding]:
    """Run the system checks of flaggate; also those for deployment where that is one."""
    for message in checks.run_checks(
        tags=["flaggate"], include_deployment_checks=not settings.DEBUG
    ):
        severity: Severity = "error" if message.level >= checks.ERROR else "warning"
        yield Finding(severity, f"{message.id}: {message.msg}", message.hint or "")
    if conf.get().MAX_STALENESS is None:
        yield Finding(
            "warning",
            "MAX_STALENESS is None: processes never hear of each other's changes.",
            "Set a number of seconds, except in tests.",
        )


def of_databases(alias: str) -> Iterator[Finding]:
    """Look whether all models live together, where the router lets them migrate."""
    for model in Flag._meta.app_config.get_models():
        if (other := router.db_for_write(model)) != alias:
            yield Finding(
                "error",
                f"The router writes {model.__name__} to {other!r}, and State to {alias!r}.",
                "Send all models of flaggate to one database: a change is one transaction.",
            )
    if not router.allow_migrate_model(alias, State):
        yield Finding(
            "error",
            f"The router sends flags to {alias!r}, and does not let them migrate there.",
            "Make allow_migrate agree with db_for_write.",
        )


def of_timeouts(alias: str) -> Iterator[Finding]:
    """Look whether a server that says nothing would be given up some time."""
    connection = connections[alias]
    option = TIMEOUTS.get(connection.vendor)
    if option and option not in connection.settings_dict["OPTIONS"]:
        yield Finding(
            "info",
            f"The database {alias!r} has no {option}: a server that accepts a connection and says "
            "nothing holds a request for ever.",
            f"Add {option!r} to its OPTIONS, in seconds.",
        )


def of_migrations(alias: str) -> Iterator[Finding]:
    """Look for migrations that were not applied."""
    executor = MigrationExecutor(connections[alias])
    targets = executor.loader.graph.leaf_nodes("flaggate")
    plan = [migration for migration, _backwards in executor.migration_plan(targets)]
    if missing := [each.name for each in plan if each.app_label == "flaggate"]:
        yield Finding(
            "error",
            f"Migrations of flaggate are not applied: {', '.join(missing)}.",
            "Run `manage.py migrate flaggate`.",
        )


def of_state(alias: str) -> Iterator[Finding]:
    """Look for the state row."""
    if state.read(alias) is None:
        yield Finding(
            "warning",
            "The state row is missing, so processes can't notice changes.",
            "Run `manage.py migrate flaggate`; it makes the row.",
        )


# --- The flags themselves ---


def of_rows(snapshot: Snapshot, found: Definitions) -> Iterator[Finding]:
    """Look for rows that can't be served."""
    broken = {**validation.broken_segments(found.segments), **found.unreadable_segments}
    for key, reason in sorted(broken.items()):
        yield Finding(
            "error",
            f"segment {key} is broken: {reason}",
            "Mend it in admin, or take it out of the rules of its flags.",
        )
    for key, quarantined in sorted(snapshot.quarantined.items()):
        yield Finding(
            "error",
            f"flag {key} is broken: {quarantined.reason} Processes that knew it whole serve it "
            "as it was then, others answer off.",
            f"Mend it in admin, or stop it: `manage.py flags disable {key}`.",
        )


def of_definitions(snapshot: Snapshot) -> Iterator[Finding]:
    """Look for what is served, but can't be meant: rules that match nobody, circles."""
    for key, flag in sorted(snapshot.flags.items()):
        problems = validation.flag_problems(
            flag, snapshot.flags, snapshot.segments, unsound=snapshot.unsound
        )
        if not flag.archived and key not in snapshot.quarantined:
            yield from (_tolerated(f"flag {key}", problem) for problem in problems)
    for key, segment in sorted(snapshot.segments.items()):
        problems = validation.segment_problems(segment, snapshot.segments)
        yield from (_tolerated(f"segment {key}", each) for each in problems if each.tolerable)


def _tolerated(name: str, problem: Problem) -> Finding:
    what, _, remedy = problem.message.partition(". ")
    severity: Severity = "error" if problem.path == "prerequisites" else "warning"
    return Finding(severity, f"{name}: {problem.path}: {what}.", remedy)


def of_patterns(found: Definitions) -> Iterator[Finding]:
    """Look whether patterns can be judged."""
    if patterns.used(found) and not patterns.installed():
        yield Finding(
            "error",
            "Conditions use patterns, and google-re2 is not installed; their flags are broken.",
            "Install flaggate[re2], in every process that answers.",
        )


def of_ages(alias: str) -> Iterator[Finding]:
    """Look for flags that are due for removal."""
    today = timezone.localdate()
    kept: QuerySet[Flag] = Flag.objects.using(alias).filter(archived_at=None)
    for key, day in kept.filter(expires_on__lt=today).values_list("key", "expires_on"):
        yield Finding(
            "warning",
            f"flag {key} expired on {day}.",
            f"Remove it from the code, then `manage.py flags archive {key}`; or set a later day.",
        )
    released = kept.filter(
        enabled=True,
        permanent=False,
        percentage=100,
        rules=None,
        prerequisites=None,
        rollout=None,
        active_from=None,
        active_until=None,
        modified__lt=timezone.now() - LONG_UNTOUCHED,
    )
    for key in released.values_list("key", flat=True):
        yield Finding(
            "info",
            f"flag {key} is on for everyone, and untouched for more than "
            f"{LONG_UNTOUCHED.days} days.",
            "Remove it from the code and archive it, or mark it as permanent.",
        )


def of_segments(found: Definitions) -> Iterator[Finding]:
    """Look for segments that nothing uses."""
    used = {key for flag in found.flags.values() for rule in flag.rules for key in rule.segments}
    nested = {key for each in found.segments.values() for key in references.nested(each)}
    if found.unreadable:  # nobody knows what those use
        return
    for key in sorted(found.segments.keys() - used - nested):
        yield Finding("info", f"segment {key} is not used.", "Delete it, if nobody needs it.")
