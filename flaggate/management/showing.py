"""``flags show``: all that is stored of one flag."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from flaggate.management import keys, tables
from flaggate.management.answers import Answer
from flaggate.models import Revision, documents, state, wording
from flaggate.store import store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaggate.management.answers import Options, Terminal
    from flaggate.models import Flag


def run(options: Options, terminal: Terminal) -> Answer:
    """Show one flag."""
    flag = keys.find(options["key"])
    heading = terminal.style.MIGRATE_HEADING(f"{flag.key}: {wording.state(flag)}")
    return Answer(document(flag), [heading, *_lines(flag)])


def document(flag: Flag) -> dict[str, Any]:
    """Return a flag as JSON; ``broken`` says why its rows can't be served."""
    quarantined = store.current().quarantined.get(flag.key)
    return {
        **documents.of_flag(flag),
        "state": wording.state(flag),
        "broken": quarantined.reason if quarantined else None,
        "version": flag.version,
        "created": flag.created.isoformat(),
        "modified": flag.modified.isoformat(),
    }


def tags(flag: Flag) -> list[Any]:
    """Return a flag's tags; the database would keep any JSON."""
    return flag.tags if isinstance(flag.tags, list) else []


def _lines(flag: Flag) -> Iterator[str]:
    quarantined = store.current().quarantined.get(flag.key)
    yield from tables.pairs(
        [
            ("broken", quarantined.reason if quarantined else ""),
            ("description", flag.description),
            ("kind", f"{flag.kind}, {'permanent' if flag.permanent else 'temporary'}"),
            ("owner", flag.owner),
            ("tags", ", ".join(map(str, tags(flag)))),
            ("notes", _notes(flag)),
            ("expires on", f"{flag.expires_on:%Y-%m-%d}" if flag.expires_on else ""),
            ("once enabled", "" if flag.enabled else wording.audience(flag)),
            ("bucketed by", flag.bucket_by or "targeting key"),
            ("version", f"{flag.version}, modified {wording.moment(flag.modified)}"),
            ("last change", _last_change(flag)),
        ]
    )
    yield from _section("Variants", _variants(flag))
    yield from _section("Rules, the first that matches decides", _rules(flag))
    yield from _section("Stages", _stages(flag))
    yield from _section("Prerequisites", map(wording.requirement, flag.prerequisites.all()))


def _notes(flag: Flag) -> str:
    notes = [("critical", flag.critical), ("browsers may see it", flag.client_visible)]
    return ", ".join(note for note, holds in notes if holds)


def _last_change(flag: Flag) -> str:
    revisions = Revision.objects.using(state.alias())
    last = revisions.filter(subject=Revision.Subject.FLAG, key=flag.key).first()
    if last is None:
        return "not recorded"
    who = f"{last.actor_name} ({last.source})" if last.actor_name else last.source
    said = f"by {who}" + (f": {last.comment}" if last.comment else "")
    if last.version == flag.version:
        return said
    return f"not recorded; before that, revision {last.version} {said}"


def _section(title: str, entries: Iterator[str]) -> Iterator[str]:
    lines = list(entries)
    if lines:
        yield from ("", f"  {title}", *(f"    {tables.line(each)}" for each in lines))


def _variants(flag: Flag) -> Iterator[str]:
    variants = list(flag.variants.all())
    total = sum(variant.weight for variant in variants)
    for variant in variants:
        off = ", for those outside" if variant.key == flag.off_variant else ""
        value = json.dumps(variant.value, ensure_ascii=False)
        yield f"{variant.key} = {value}, weight {variant.weight} of {total}{off}"


def _rules(flag: Flag) -> Iterator[str]:
    rules = list(flag.rules.all())
    for position, rule in enumerate(rules, start=1):
        yield f"{position}. {wording.rule_audience(flag, rule)}"
    if rules:
        share = wording.percentage(flag, timezone.now())
        yield f"{len(rules) + 1}. {wording.percent(share)} of everyone else"


def _stages(flag: Flag) -> Iterator[str]:
    held = wording.stage(flag, timezone.now())
    for place, stage in enumerate(flag.stages.all()):
        time = (
            f"for {wording.duration(stage.holds)}" if stage.holds else "until the rollout is ended"
        )
        now = ", now" if place == held else ""
        yield f"{place + 1}. {wording.percent(stage.percentage)} {time}{now}"
