import re
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.urls import NoReverseMatch

from flaggate import changes
from flaggate.admin.verbs import VERBS
from flaggate.models import Flag, Revision, Rule, Segment, State, Tombstone, Usage
from tests.admin.pages import address, address_of

PAYLOAD = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
MODELS = (Flag, Segment, Revision, Usage, Tombstone)


@pytest.fixture
def hostile(ada):
    """Every text that can be stored, as somebody hostile would write it."""
    actor = User.objects.create_superuser(f"{PAYLOAD[:20]}")
    with changes.change(actor=actor, source="<i>evil</i>", comment=PAYLOAD):
        flag = Flag.objects.create(
            key="x",
            description=PAYLOAD,
            owner=PAYLOAD,
            tags=[PAYLOAD],
            bucket_by=PAYLOAD,
            critical=True,
        )
        required = Flag.objects.create(key="required")
        flag.prerequisites.create(required=required)
        flag.variants.create(key="a", value={PAYLOAD: PAYLOAD})
        segment = Segment.objects.create(key="beta", name=PAYLOAD, description=PAYLOAD)
        segment.conditions.create(attribute=PAYLOAD, operator="one_of", values=[PAYLOAD, 5])
        changes.add_members(segment, [PAYLOAD])
        changes.add_members(segment, [f"{PAYLOAD}2"], excluded=True)
        Rule.objects.create(flag=flag).segments.add(segment)
    Usage.objects.create(flag=PAYLOAD, variant=PAYLOAD, hour="2026-01-01T10:00Z")
    Tombstone.objects.create(key=PAYLOAD)


def every_page():
    """The address of every page, of every row."""
    for model in MODELS:
        yield address(model, "changelist")
        yield address(model, "changelist") + "?q=script&_facets=True"
        yield address(model, "add")
        for row in model.objects.all():
            for page in ("change", "delete", "history"):
                yield address(model, page, row.pk)
    for segment in Segment.objects.all():
        for page in ("members/?q=script", "members/?list=excluded", "members/import/", "matching/"):
            yield f"/admin/flaggate/segment/{segment.pk}/{page}"
    for flag in Flag.objects.all():
        yield f"/admin/flaggate/flag/{flag.pk}/who/?targeting_key={quote(PAYLOAD)}&sample=1"
    for revision in Revision.objects.all():
        history = f"/admin/flaggate/revision/of/{revision.subject}/{revision.key}/"
        yield history
        yield f"{history}compare/?from={revision.pk}&to=now"
        yield f"{history}revert/{revision.version}/"
    for field, model in (("segments", "rule"), ("required", "prerequisite")):
        query = f"?app_label=flaggate&model_name={model}&field_name={field}&term="
        yield f"/admin/autocomplete/{query}"
    for verb in VERBS:
        for flag in Flag.objects.all():
            yield f"{address_of(verb)}?flag={flag.pk}"
            yield f"{address_of(verb)}?flag={flag.pk}&value=50&next=/"
    yield "/admin/"
    yield "/admin/flaggate/"


def every_text(browser):
    """The HTML of every page."""
    for where in every_page():
        page = browser.client.get(where, follow=True)
        if page["Content-Type"].startswith("text/html"):
            yield where, page.content.decode()


def test_stored_text_is_escaped_on_every_page(ada, hostile):
    for where, text in every_text(ada):
        assert "<script>alert" not in text, where
        assert "<img src=x" not in text, where
        assert "<i>evil" not in text, where


def test_stored_text_is_escaped_in_what_a_write_answers(ada, hostile):
    flag, segment = Flag.objects.get(key="x"), Segment.objects.get()
    answers = [
        ada.open(flag).save(),
        ada.open(flag).save(typed_key=PAYLOAD, off_variant=PAYLOAD, people=PAYLOAD * 9),
        ada.open(flag).save(seen="0", typed_key="x"),
        ada.open(segment).save(included=PAYLOAD + "2"),
        ada.open(segment).save(conditions_0_operator="gt"),
        ada.act("turn-on", flag),
        ada.do("turn-on", flag),
        ada.do("turn-on", flag, **{f"typed_key_{flag.pk}": "x", "comment": PAYLOAD}),
        ada.ask("undo", flag),
        ada.ask("share", flag, value=PAYLOAD, next=PAYLOAD),
        ada.delete(segment),
        ada.open(segment).save(name=PAYLOAD + "2"),
        import_members(ada, segment, PAYLOAD),
        import_members(ada, segment, f"ok\n{PAYLOAD * 9}"),
        import_members(ada, segment, f"{PAYLOAD}3").save(comment=PAYLOAD),
    ]
    for page in answers:
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


def import_members(browser, segment, keys):
    where = f"/admin/flaggate/segment/{segment.pk}/members/import/"
    return browser.post(where, {"act": "add", "which": "included", "pasted": keys})


def test_looking_changes_nothing(ada, hostile):
    models = (Flag, Segment, Revision, State, Usage, Tombstone)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    for where in every_page():
        ada.client.get(where, follow=True)
        ada.client.get(
            f"{where}{'&' if '?' in where else '?'}action=turn-off&seen=1:1&_save=1&post=yes"
        )
    assert [list(model.objects.order_by("pk").values()) for model in models] == before


def test_no_page_has_a_script_or_a_style_of_its_own(ada, hostile):
    for where, text in every_text(ada):
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=[\"']|javascript:", text), where
        assert all("src=" in tag or 'type="application/json"' in tag for tag in scripts(text))


def scripts(text):
    return re.findall(r"<script[^>]*>", text)


def test_the_state_row_is_no_business_of_admins(ada):
    with pytest.raises(NoReverseMatch):
        address(State, "changelist")


def test_a_form_from_elsewhere_is_refused(ada, flag):
    ada.client.handler.enforce_csrf_checks = True
    page = ada.open(flag).save(description="new", csrfmiddlewaretoken="forged")
    assert page.status == 403
    assert Flag.objects.get().description == ""
