"""No page of admin shows a text that could not be translated; German is the proof."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models

import flaggate
from flaggate import changes
from flaggate.admin.verbs import VERBS
from flaggate.api import keys
from flaggate.changes import rollouts
from flaggate.models import ApiKey, Flag, Revision, Segment, Tombstone, Usage
from tests.admin import pseudo
from tests.admin.pages import Page, Pages

DATA = {
    *("ada", "beta", "broken", "buried", "checkout", "gamma", "gold", "layout", "people", "plan"),
    *("wide", "narrow", "nobody", "deployment", "true", "false"),
    *("People", "of"),  # the name of a segment that is made for a flag
    *("code", "evaluate", "client", "fgk"),  # sources and scopes, as programs know them
    *("SPLIT", "PREREQUISITE", "FAILED", "targeting", "key"),  # OpenFeature's words
    *("not", "one", "in", "segment"),  # how a condition is called where nobody sees it
    *("UTC", "Search"),  # the latter is an image's name in Django's own template
}


class Rows:
    """Something of everything."""

    def __init__(self) -> None:
        actor = User.objects.get(username="ada")
        with changes.change(actor=actor, comment="gold"):
            self.segment = Segment.objects.create(key="beta")
            self.segment.conditions.create(
                attribute="plan", operator="one_of", values=["gold", 5], negate=True
            )
            self.nested = Segment.objects.create(key="gamma")
            changes.add_members(self.nested, ["42"])
            self.segment.conditions.create(operator="in_segment", values=["gamma"])
            self.running = Flag.objects.create(key="checkout", enabled=True)
            self.flag = Flag.objects.create(key="layout", enabled=True, percentage=Decimal("2.5"))
            for name, value in (("wide", False), ("narrow", {"n": 1})):
                self.flag.variants.create(key=name, value=value)
            self.flag.prerequisites.create(required=self.running)
            self.flag.rules.create(order=1, percentage=50).segments.add(self.segment, self.nested)
            changes.include(self.flag, ["42"])
        self.broken = changes.create("broken", actor=actor, enabled=True)
        Flag.objects.filter(key="broken").update(off_variant="nobody")
        rollouts.start("checkout", [(5, timedelta(days=1)), (100, None)], actor=actor)
        changes.disable("layout", actor=actor)
        changes.enable("layout", actor=actor)
        Usage.objects.create(flag="layout", variant="wide", hour="2026-01-01T10:00Z")
        Tombstone.objects.create(key="buried")
        keys.create("deployment", ["evaluate:client"], actor=actor)


@pytest.fixture
def rows(ada: Pages) -> Rows:
    return Rows()


def of(rows: Rows, rest: str) -> str:
    return f"/admin/flaggate/{rest}".format(rows=rows)


def words(page: Page) -> set[str]:
    found = pseudo.untranslated(page.text)
    prefixes = ApiKey.objects.values_list("prefix", flat=True)
    return {word for word in found if not any(word in prefix for prefix in prefixes)} - DATA


LISTED = (Flag, Segment, Revision, Usage, Tombstone, ApiKey)
PLACES = (
    *("", "flag/add/", "segment/add/", "apikey/add/"),
    "flag/{rows.flag.pk}/change/",
    "flag/{rows.running.pk}/change/",
    "flag/{rows.broken.pk}/change/",
    "flag/{rows.flag.pk}/delete/",
    "segment/{rows.segment.pk}/delete/",
    "flag/{rows.flag.pk}/who/?user=ada&sample=1",
    "flag/{rows.flag.pk}/who/?user=nobody",
    "flag/{rows.running.pk}/who/?targeting_key=42",
    "segment/{rows.nested.pk}/members/",
    "segment/{rows.nested.pk}/members/?list=excluded&q=gold",
    "segment/{rows.nested.pk}/members/import/",
    "segment/{rows.segment.pk}/matching/",
    "revision/of/flag/layout/",
    "revision/of/flag/layout/compare/?from=2&to=now",
    "revision/of/flag/layout/revert/1/",
    "revision/of/segment/gamma/",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_page_has_no_text_that_is_not_translated(ada, rows, monkeypatch, place):
    first = Revision.objects.filter(key="layout").last()
    place = place.replace("from=2", f"from={first.pk}")
    pseudo.speak(monkeypatch)
    page = ada.get(of(rows, place))
    assert (page.status, words(page)) == (200, set())


@pytest.mark.parametrize("model", LISTED, ids=lambda model: model._meta.model_name)
def test_lists_and_pages_of_rows_have_no_such_text(ada, rows, monkeypatch, model: Any):
    row: models.Model = model.objects.first()
    pseudo.speak(monkeypatch)
    assert [words(ada.list(model)), words(ada.open(row))] == [set(), set()]


def test_the_front_page_has_no_such_text(ada, rows, monkeypatch):
    pseudo.speak(monkeypatch)
    assert words(ada.get("/admin/")) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_that_asks_first_has_no_such_text(ada, rows, monkeypatch, verb):
    pseudo.speak(monkeypatch)
    for flag in (rows.flag, rows.running, rows.broken):
        page = ada.go(f"/admin/flaggate/flag/do/{verb}/?flag={flag.pk}&value=5")
        assert words(page) == set()


REFUSED: dict[str, Callable[[Pages, Rows], Page]] = {
    "percentage": lambda ada, rows: ada.open(rows.flag).save(percentage="500"),
    "off variant": lambda ada, rows: ada.open(rows.flag).save(off_variant="nobody"),
    "variant": lambda ada, rows: ada.open(rows.flag).save(rules_0_variant="nobody"),
    "typed value": lambda ada, rows: ada.open(rows.flag).save(variants_0_value="1e999"),
    "values": lambda ada, rows: ada.open(rows.segment).save(conditions_0_values=""),
    "segment": lambda ada, rows: ada.open(rows.segment).save(conditions_1_values="nobody"),
    "stages": lambda ada, rows: ada.go(of(rows, "flag/do/start/?flag={rows.flag.pk}&value=gold")),
    "import": lambda ada, rows: ada.post(of(rows, IMPORT), {"pasted": ""}),
}
IMPORT = "segment/{rows.nested.pk}/members/import/"


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_refusals_have_no_such_text(ada, rows, monkeypatch, refused):
    pseudo.speak(monkeypatch)
    page = refused(ada, rows)
    assert "errornote" in page.text or "errorlist" in page.text
    assert words(page) == set()


def test_a_conflict_has_no_such_text(ada, rows, monkeypatch):
    pseudo.speak(monkeypatch)
    page = ada.open(rows.flag)
    changes.rollout("layout", 60, actor=User.objects.get(username="ada"))
    assert words(page.save(percentage="33")) == set()


# --- German ---------------------------------------------------------------------------------------


@pytest.fixture
def german(settings) -> None:
    settings.LANGUAGE_CODE = "de"


def test_german_says_what_would_change(german, ada, rows):
    page = ada.go(of(rows, "flag/do/share/?flag={rows.flag.pk}&value=7.5"))
    assert "ausgewählte Personen, dann 50 % der Segmente beta oder gamma, dann 7,5 %" in page.words
    assert "wenn checkout aktiv ist" in page.words
    assert "Anteil: 2,5 % → 7,5 %" in page.words


def test_german_says_why_something_is_refused(german, ada, rows):
    page = ada.open(rows.flag).save(off_variant="nobody")
    assert page.errors["off_variant"] == (
        "'nobody' ist keine Variante des Flags. Seine Varianten: 'narrow', 'wide'."
    )


def test_german_says_what_is_broken(german, ada, rows):
    page = ada.open(rows.broken)
    assert "Dieses Flag ist in Quarantäne" in page.words
    assert (
        "off_variant: 'nobody' ist keine Variante des Flags. Seine Varianten: keine." in page.words
    )


def test_german_says_why_somebody_gets_a_flag(german, ada, rows):
    page = ada.get(of(rows, "flag/{rows.flag.pk}/who/?targeting_key=43"))
    assert "checkout muss aktiv sein; tatsächlich:" in page.words


def test_an_exported_history_is_the_same_for_everybody(german, ada, rows):
    answer = ada.client.get("/admin/flaggate/revision/export/csv/?key__exact=layout")
    assert "percentage: 2.5 %" in b"".join(answer.streaming_content).decode()


# --- from right to left ---------------------------------------------------------------------------


def test_styles_name_no_side_that_would_stay_where_it_is():
    styles = (Path(flaggate.__file__).parent / "static/flaggate/admin.css").read_text()
    sides = r"(?:margin|padding|border)-(?:left|right)|[{ ](?:left|right|float):"
    assert re.findall(sides, styles) == []
