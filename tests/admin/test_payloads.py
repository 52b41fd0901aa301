"""Whatever text is stored or sent, every page shows it as text, and none breaks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from django.db import models

from flaggate import changes
from flaggate.api import keys
from flaggate.models import (
    ApiKey,
    Condition,
    Flag,
    Prerequisite,
    Revision,
    Rule,
    Segment,
    SegmentMember,
    Tombstone,
    Usage,
    Variant,
)
from tests.admin.pages import SAVE, Page, Pages, address
from tests.payloads import PAYLOADS, escapes

payloads = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())

STORED = (
    *(Flag, Variant, Rule, Prerequisite, Segment, Condition, SegmentMember),
    *(Revision, Usage, Tombstone, ApiKey),
)
IN_ADMIN = (Flag, Segment, Revision, Usage, Tombstone, ApiKey)
QUERIES = {
    Flag: ("q", "state", "owner", "tag", "kind__exact", "o", "_popup"),
    Segment: ("q", "match__exact"),
    Revision: ("q", "subject__exact", "source__exact", "who"),
    Usage: ("q", "hour__gte"),
}


@pytest.fixture
def rows(ada: Pages) -> None:
    """One row at least in every table that has a text."""
    actor = User.objects.get(username="ada")
    with changes.change(actor=actor, comment="all of them"):
        flag = Flag.objects.create(key="x", percentage=0)
        flag.variants.create(key="a", value={"n": 1}, weight=1)
        flag.prerequisites.create(required=Flag.objects.create(key="required"))
        segment = Segment.objects.create(key="beta")
        segment.conditions.create(attribute="plan", operator="one_of", values=["gold"])
        changes.add_members(segment, ["42"])
        flag.rules.create(percentage=50).segments.add(segment)
    Usage.objects.create(flag="x", variant="a", hour="2026-01-01T10:00Z")
    Tombstone.objects.create(key="buried")
    keys.create("deployment", ["evaluate:client"])


def texts_of(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """The fields of a model that hold a text, also within JSON; a new one is found by itself."""
    kinds = (models.CharField, models.TextField, models.JSONField)
    return [field for field in model._meta.concrete_fields if isinstance(field, kinds)]


def store(model: type[models.Model], field: models.Field[Any, Any], payload: str) -> None:
    """Write a payload as no form and no validation would let it."""
    value: Any = payload[: field.max_length]
    if isinstance(field, models.JSONField):
        value = [payload, {payload: payload}] if field.default is list else {payload: [payload]}
    row = model._base_manager.order_by("pk").first()
    models.QuerySet(model).filter(pk=row.pk).update(**{field.name: value})


def every_address() -> list[str]:
    pages = ["/admin/", "/admin/flaggate/"]
    for model in IN_ADMIN:
        pages += [address(model, "changelist"), address(model, "changelist") + "?_facets=True"]
        for row in model._base_manager.all():
            pages += [address(model, page, row.pk) for page in ("change", "delete", "history")]
    for pk in Flag.objects.values_list("pk", flat=True):
        pages.append(f"/admin/flaggate/flag/{pk}/who/?targeting_key=1&sample=1")
    for pk in Segment.objects.values_list("pk", flat=True):
        people = f"/admin/flaggate/segment/{pk}"
        pages += [f"{people}/{page}/" for page in ("members", "members/import", "matching")]
    for revision in Revision.objects.all():
        history = f"/admin/flaggate/revision/of/{quote(revision.subject)}/{quote(revision.key)}"
        pages.append(f"{history}/revert/{revision.version}/")
        pages.append(f"{history}/compare/?from={revision.pk}&to=now")
    for field, name in (("segments", "rule"), ("required", "prerequisite")):
        query = f"?app_label=flaggate&model_name={name}&field_name={field}&term="
        pages.append(f"/admin/autocomplete/{query}")
    return pages


def unharmed(page: Page, where: str = "") -> None:
    assert page.status < 500, where
    if page.response["Content-Type"].startswith("text/html"):
        assert escapes(page.text) == [], where


def test_every_model_with_a_text_is_among_them() -> None:
    stored = {model._meta.model_name for model in STORED}
    found = {each._meta.model_name for each in Flag._meta.app_config.get_models() if texts_of(each)}
    assert found - {"idempotencykey"} == stored  # which no page shows


@payloads
def test_what_is_stored_is_shown_as_text(ada: Pages, rows: None, payload: str) -> None:
    for model in STORED:
        for field in texts_of(model):
            store(model, field, payload)
    for where in every_address():
        unharmed(ada.get(where), where)


@pytest.mark.database
@payloads
def test_what_is_sent_in_a_form_is_answered_as_text(ada: Pages, rows: None, payload: str) -> None:
    for row in (Flag.objects.get(key="x"), Segment.objects.get()):
        for page in (ada.open(row), ada.add(type(row))):
            unharmed(send(page, *names_of(page), payload=payload))
        unharmed(ada.act("delete_selected", row))
        unharmed(ada.act(payload, row))


@pytest.mark.parametrize("model", [Flag, Segment])
def test_each_field_of_a_form_is_answered_as_text(
    ada: Pages, rows: None, model: type[models.Model]
) -> None:
    page = ada.open(model._base_manager.order_by("pk").first())
    for name in names_of(page):
        unharmed(send(page, name, payload=PAYLOADS["attribute"]), name)


@pytest.mark.database
@payloads
def test_what_is_sent_in_an_address_is_answered_as_text(
    ada: Pages, rows: None, payload: str
) -> None:
    for model, names in QUERIES.items():
        where = address(model, "changelist")
        for name in names:
            unharmed(ada.get(f"{where}?{urlencode({name: payload})}"), f"{where} {name}")
        unharmed(ada.get(f"{where}{quote(payload)}/change/"), where)


@pytest.mark.parametrize("model", [Flag, Revision])
def test_a_filter_that_no_database_can_read_is_answered_as_any_other_bad_one(
    ada: Pages, model: type[models.Model]
) -> None:
    where = address(model, "changelist")
    for query in ("source__exact=a%00b", "pk__exact=a"):
        assert ada.get(f"{where}?{query}").response["Location"] == f"{where}?e=1"
    assert ada.get("/admin/flaggate/revision/export/csv/?source__exact=a%00b").status == 404


@pytest.mark.database
@pytest.mark.parametrize("asks", [("rule", "segments"), ("prerequisite", "required")])
def test_what_is_typed_to_choose_a_row_may_hold_anything(
    ada: Pages, rows: None, asks: tuple[str, str]
) -> None:
    model, field = asks
    asked = {"app_label": "flaggate", "model_name": model, "field_name": field, "term": "\0"}
    answer = ada.get(f"/admin/autocomplete/?{urlencode(asked)}")
    assert answer.status == 200


def names_of(page: Page) -> list[str]:
    return [name for name in page.fields if name != "csrfmiddlewaretoken"]


def send(page: Page, *names: str, payload: str) -> Page:
    """Send a form as it was opened, but for the payload in some fields."""
    return page.pages.post(page.address, {**page.fields, **dict.fromkeys(names, payload), **SAVE})
