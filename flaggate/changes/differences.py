"""What a change changed, in words: the difference between two documents of a flag or segment."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from django.db.models import DateTimeField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from flaggate.models import (
    ApiKey,
    Condition,
    Flag,
    Prerequisite,
    Rollout,
    Rule,
    Segment,
    Stage,
    Variant,
    conditions,
    wording,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flaggate.models.documents import Document

    Entries = list[Document]
    Comparison = Callable[[str, Any, Any], Iterator[str]]

NOTHING = "–"
LONGEST_TEXT = 60  # characters; a longer one is shortened, its revision has all of it
MOST_MEMBERS = 10

# What a new flag or segment begins with, where that is neither empty nor false.
BEGINNING: Document = {
    "kind": "release",
    "percentage": 100,
    "overridable": True,
    "match": "all",
}
EMPTY: dict[type, Any] = {bool: False, str: "", list: [], dict: {}}
# Never changed, and of no interest in something new.
IDENTITY = ("key", "salt")

FIELDS = {
    field.name: field for model in (ApiKey, Segment, Flag) for field in model._meta.local_fields
}
NAMES = {
    "variants": Variant._meta.verbose_name_plural,
    "rules": Rule._meta.verbose_name_plural,
    "prerequisites": Prerequisite._meta.verbose_name_plural,
    "stages": Stage._meta.verbose_name_plural,
    "rollout": Rollout._meta.verbose_name,
    "conditions": Condition._meta.verbose_name_plural,
    "included": gettext_lazy("included"),
    "excluded": gettext_lazy("excluded"),
}


def differences(before: Document | None, after: Document | None) -> list[str]:
    """Say what differs between two documents, one line each: "percentage: 0 % → 5 %"."""
    if before is None and after is None:
        return []
    if after is None:
        return [_("deleted")]
    if before is None:
        return [_("created"), *_beyond_beginning(after)]
    return list(_differing(before, after))


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same: to Python, 1 and 1.0 and true are."""
    if one is other:
        return True
    if isinstance(one, str) and isinstance(other, str):
        return one == other  # most values are texts, and writing them as JSON takes time
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _beyond_beginning(document: Document) -> Iterator[str]:
    for name in _ordered(document):
        value = document[name]
        ordinary = BEGINNING.get(name, EMPTY.get(type(value)))
        if name in IDENTITY or value == ordinary:
            continue
        if name in PARTS:
            yield from PARTS[name](name, ordinary, value)
        else:
            yield f"{label(name)}: {_shown(name, value)}"


def _differing(before: Document, after: Document) -> Iterator[str]:
    # What only one of them has was not yet, or is no longer, a field when the other was recorded.
    rolls = before.get("rollout") or after.get("rollout")
    for name in _ordered(before.keys() & after.keys()):
        old, new = before[name], after[name]
        compared: Comparison = PARTS.get(name, _plain)
        if name == "percentage" and rolls:
            compared = _percentage_beside
        if not same(old, new):
            yield from compared(name, old, new)


def _ordered(names: Iterable[str]) -> list[str]:
    """Order names: PostgreSQL's jsonb forgets in which order they were written."""
    places = {name: place for place, name in enumerate(PARTS)}
    return sorted(names, key=lambda name: (places.get(name, -1), name))


def _plain(name: str, old: Any, new: Any) -> Iterator[str]:
    yield _turned(label(name), _shown(name, old), _shown(name, new))


def _percentage_beside(name: str, old: Any, new: Any) -> Iterator[str]:
    """Say what else would be served: a stage stands in its place, before or after."""
    yield _turned(_("percentage without the rollout"), _shown(name, old), _shown(name, new))


def _turned(name: str, old: str, new: str) -> str:
    return _("%(name)s: %(old)s → %(new)s") % {"name": name, "old": old, "new": new}


def label(name: str) -> str:
    """Call a part of a document by its name in the reader's language."""
    if name in NAMES:
        return str(NAMES[name])
    return str(FIELDS[name].verbose_name) if name in FIELDS else name.replace("_", " ")


def _shown(name: str, value: Any) -> str:
    if value is None or value in ("", []):
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "percentage":
        return wording.percent(value)
    if isinstance(FIELDS.get(name), DateTimeField):
        return wording.moment(datetime.fromisoformat(value))
    if not isinstance(value, str):
        return _short(json.dumps(value, ensure_ascii=False))
    chosen = dict(FIELDS[name].flatchoices) if name in FIELDS else {}
    return _short(str(chosen.get(value, value)))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}…"


def _variants(_name: str, old: Entries, new: Entries) -> Iterator[str]:
    before = {each["key"]: each for each in old}
    after = {each["key"]: each for each in new}
    for key in {**before, **after}:
        name = _("variant %(key)s") % {"key": key}
        if key not in before:
            yield _("%(name)s: added, %(entry)s") % {"name": name, "entry": _variant(after[key])}
        elif key not in after:
            yield _("%(name)s: removed") % {"name": name}
        elif not same(before[key], after[key]):
            yield _turned(name, _variant(before[key]), _variant(after[key]))
    if [key for key in before if key in after] != [key for key in after if key in before]:
        yield _("variants: now in the order %(keys)s") % {"keys": ", ".join(after)}


def _variant(variant: Document) -> str:
    value = _short(json.dumps(variant["value"], ensure_ascii=False))
    return _("%(value)s with weight %(weight)s") % {"value": value, "weight": variant["weight"]}


def _rule(rule: Document) -> str:
    share = wording.percent(rule["percentage"])
    keys = _(" or ").join(rule["segments"]) or NOTHING
    words = _("%(share)s of %(segments)s") % {"share": share, "segments": keys}
    return f"{words} ({rule['variant']})" if rule["variant"] else words


def _prerequisite(prerequisite: Document) -> str:
    if not prerequisite["variant"]:
        return str(prerequisite["flag"])
    return _("%(flag)s serves %(variant)s") % prerequisite


def _stage(stage: Document) -> str:
    share = wording.percent(stage["percentage"])
    if stage["holds"] is None:
        return share
    time = wording.duration(timedelta(seconds=stage["holds"]))
    return _("%(share)s for %(time)s") % {"share": share, "time": time}


def _rollout(_name: str, old: Document | None, new: Document | None) -> Iterator[str]:
    if new is None:
        yield _("rollout: ended")
    elif not old:  # none, or that of a flag that is new
        start = wording.moment(datetime.fromisoformat(new["started_at"]))
        yield _("rollout: started from %(moment)s") % {"moment": start}
    elif bool(old["paused_at"]) != bool(new["paused_at"]):
        yield _("rollout: paused") if new["paused_at"] else _("rollout: resumed")
    else:
        yield _("rollout: moved in time")


def _condition(condition: Document) -> str:
    return conditions.words(**condition)


def _sequence(word: str, written: Callable[[Document], str], *told_by: str) -> Comparison:
    """Compare entries that have a place and no name: a rule on top leaves those below alone.

    ``told_by`` are the fields by which one is known again after it was changed.
    """

    def compared(_name: str, old: Entries, new: Entries) -> Iterator[str]:
        before, after = [list(map(written, entries)) for entries in (old, new)]
        known = [
            [json.dumps([entry[field] for field in told_by]) for entry in entries]
            for entries in (old, new)
        ]
        steps = SequenceMatcher(None, known[0], known[1], autojunk=False).get_opcodes()
        for _step, start, end, first, last in steps:
            yield from _replaced(_(word), before[start:end], after[first:last], start, first)

    return compared


def _replaced(
    word: str, removed: list[str], added: list[str], start: int, first: int
) -> Iterator[str]:
    common = min(len(removed), len(added))
    for place, (old, new) in enumerate(zip(removed, added, strict=False), first + 1):
        if old != new:
            yield _turned(f"{word} {place}", old, new)
    for place, old in enumerate(removed[common:], start + common + 1):
        yield _("%(name)s: removed, %(entry)s") % {"name": f"{word} {place}", "entry": old}
    for place, new in enumerate(added[common:], first + common + 1):
        yield _("%(name)s: added, %(entry)s") % {"name": f"{word} {place}", "entry": new}


def _members(name: str, old: Any, new: Any) -> Iterator[str]:
    if not isinstance(old, list) or not isinstance(new, list):
        counts = {"name": label(name), "old": _count(old), "new": _count(new)}
        yield _("%(name)s: %(old)s → %(new)s members") % counts
        return
    for word, keys in ((_("added"), set(new) - set(old)), (_("removed"), set(old) - set(new))):
        if keys:
            words = {"name": label(name), "change": word, "keys": _listed(sorted(keys))}
            yield _("%(name)s: %(change)s %(keys)s") % words


def _count(members: Any) -> str:
    count = members.get("count", 0) if isinstance(members, dict) else len(members)
    return wording.figure(count)


def _listed(keys: list[str]) -> str:
    if (more := len(keys) - MOST_MEMBERS) <= 0:
        return ", ".join(keys)
    shown = ", ".join(keys[:MOST_MEMBERS])
    return _("%(keys)s and %(count)s more") % {"keys": shown, "count": wording.figure(more)}


# How a part of a document is compared, where that is more than one value.
PARTS: dict[str, Comparison] = {
    "variants": _variants,
    "rules": _sequence(gettext_noop("rule"), _rule, "segments"),
    "prerequisites": _sequence(gettext_noop("prerequisite"), _prerequisite, "flag"),
    "stages": _sequence(gettext_noop("stage"), _stage, "percentage"),
    "rollout": _rollout,
    "conditions": _sequence(gettext_noop("condition"), _condition, "attribute", "operator"),
    "included": _members,
    "excluded": _members,
}
