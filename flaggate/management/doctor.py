"""``flags doctor``: what this process sees, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from django.db import Error as AnyDatabaseError
from django.db import connections

import flaggate
from flaggate import conf, store
from flaggate.management import findings, patterns, tables
from flaggate.management.answers import Answer
from flaggate.management.findings import SEVERITIES, Finding
from flaggate.models import Usage, state, wording

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Iterator

    from flaggate.core.snapshot import Snapshot
    from flaggate.management.answers import Options, Terminal
    from flaggate.store import Definitions

    Facts = dict[str, str]


def arguments(parser: ArgumentParser) -> None:
    """Declare what counts as a failure."""
    parser.add_argument(
        "--fail-on",
        choices=("warning", "error"),
        default="error",
        help="End with 1 when there is something this bad; by default an error.",
    )


def run(options: Options, terminal: Terminal) -> Answer:
    """Examine the project."""
    facts: Facts = {}
    found = sorted(_examine(facts), key=lambda each: -SEVERITIES.index(each.severity))
    document = {"facts": facts, "findings": [asdict(finding) for finding in found]}
    return Answer(document, _lines(facts, found, terminal), _problem(found, options["fail_on"]))


def _examine(facts: Facts) -> Iterator[Finding]:
    """Look from the outside in; what is missing outside spares the look inside."""
    alias = state.alias()
    facts["flaggate"] = flaggate.__version__
    facts["database"] = _database(alias)
    yield from findings.of_settings()
    yield from findings.of_databases(alias)
    yield from findings.of_timeouts(alias)
    try:
        if missing := list(findings.of_migrations(alias)):
            yield from missing
            return
        yield from _of_stored(alias, facts)
    except AnyDatabaseError as error:
        yield Finding(
            "error",
            f"The database can't be read: {str(error).rstrip('.')}.",
            "Look at DATABASES, and whether the server answers.",
        )


def _of_stored(alias: str, facts: Facts) -> Iterator[Finding]:
    snapshot, found = store.store.current(), store.read(alias)
    facts["migrations"] = "applied"
    facts["state"] = str(state.State.objects.using(alias).first() or "missing")
    facts["snapshot"] = _snapshot(snapshot)
    facts["usage"] = _usage(alias)
    facts["patterns"] = _patterns(found)
    yield from findings.of_state(alias)
    yield from findings.of_rows(snapshot, found)
    yield from findings.of_definitions(snapshot)
    yield from findings.of_patterns(found)
    yield from findings.of_ages(alias)
    yield from findings.of_segments(found)


def _database(alias: str) -> str:
    connection = connections[alias]
    name = f"{alias!r}: {connection.vendor}, {connection.settings_dict['NAME']}"
    others = [repr(other) for other in connections if other != alias]
    return f"{name}; flags are not read from {', '.join(others)}" if others else name


def _snapshot(snapshot: Snapshot) -> str:
    if snapshot.loaded_at is None:
        return "none, so that every flag is off"
    version = f"version {snapshot.version.number}" if snapshot.version else "no version"
    return (
        f"{version}, flags: {len(snapshot.flags)}, segments: {len(snapshot.segments)}, "
        f"loaded {wording.moment(snapshot.loaded_at)}"
    )


def _usage(alias: str) -> str:
    recorded = "recorded" if conf.get().RECORD_USAGE else "not recorded"
    last = Usage.objects.using(alias).order_by("-hour").values_list("hour", flat=True).first()
    return f"{recorded}; last counted in the hour from {wording.moment(last)}" if last else recorded


def _patterns(found: Definitions) -> str:
    version = patterns.installed()
    library = f"google-re2 {version} is installed" if version else "google-re2 is not installed"
    return f"{patterns.used(found)} in use, {library}"


def _lines(facts: Facts, found: list[Finding], terminal: Terminal) -> Iterator[str]:
    yield from tables.pairs(facts.items(), indent="")
    error, warning = terminal.style.ERROR, terminal.style.WARNING
    styles: dict[str, Callable[[str], str]] = {"error": error, "warning": warning, "info": str}
    for finding in found:
        yield ""
        yield f"{styles[finding.severity](finding.severity)}: {tables.line(finding.what)}"
        yield f"  {tables.line(finding.remedy)}"
    yield ""
    yield _summary(found)


def _summary(found: list[Finding]) -> str:
    if not found:
        return "Nothing is wrong."
    counts = Counter(finding.severity for finding in found)
    return f"Errors: {counts['error']}, warnings: {counts['warning']}, infos: {counts['info']}."


def _problem(found: list[Finding], fail_on: findings.Severity) -> str:
    least = SEVERITIES.index(fail_on)
    bad = [each for each in found if SEVERITIES.index(each.severity) >= least]
    return f"The doctor found problems: {len(bad)}." if bad else ""
