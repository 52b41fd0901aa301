from datetime import UTC, datetime, timedelta

import pytest

from flaggate import changes
from flaggate.admin.verbs import VERBS
from flaggate.models import Flag, Revision, Rule, Segment, State, Usage, documents
from tests.admin.conftest import pages, user
from tests.admin.pages import SAVE, address, address_of

ACTIONS = ["turn-on", "turn-off", "archive", "restore", "delete_selected"]


def posts(flag, segment):
    """Every POST that admin knows, by its address."""
    yield address(Flag, "add"), {"key": "new", "percentage": "0", "kind": "release"}
    yield address(Segment, "add"), {"key": "new", "match": "all"}
    for whole in (flag, segment):
        model = type(whole)
        seen = {"seen": whole.version, "percentage": "50", "name": "new", "match": "any"}
        yield address(model, "change", whole.pk), seen
        yield address(model, "change", whole.pk), {**seen, "_saveasnew": "1", "key": "new"}
        yield address(model, "delete", whole.pk), {"post": "yes"}
        for action in ACTIONS:
            data = {"action": action, "_selected_action": [whole.pk], "index": 0, "post": "yes"}
            yield address(model, "changelist"), data
            prefixed = {f"change_form-{name}": value for name, value in data.items()}
            yield address(model, "change", whole.pk), {**data, **prefixed}
    for verb in VERBS:
        yield address_of(verb), {"seen": f"{flag.pk}:{flag.version}", "value": "50"}
    for revision in Revision.objects.all():
        yield address(Revision, "change", revision.pk), {"comment": "new"}
        yield address(Revision, "delete", revision.pk), {"post": "yes"}


def everything():
    return [
        list(model.objects.order_by("pk").values())
        for model in (Flag, Segment, Rule, Revision, State)
    ]


@pytest.fixture
def nobody():
    """The browser of somebody of staff without any permission."""
    return pages(user("nora"))


@pytest.mark.parametrize("name", ["viewer", "nobody"])
def test_who_may_not_write_can_not_write_by_any_post(request, name, flag, segment):
    browser = request.getfixturevalue(name)
    before = everything()
    for where, data in posts(flag, segment):
        browser.post(where, {**data, **SAVE})
    assert everything() == before


PARTIAL = {
    "toggle_flag": {"enabled"},
    "rollout_flag": {"percentage", "stages", "rollout"},
    "archive_flag": {"archived_at"},
    "revert_flag": {"enabled", "percentage"},  # by Undo, back to what they were
}


@pytest.mark.parametrize("permission", PARTIAL)
def test_a_narrow_role_changes_only_what_it_names_by_any_post(flag, segment, permission):
    changes.rollout("x", 5)
    changes.enable("x")
    flag.refresh_from_db()
    view = ("view_flag", "view_segment", "view_revision")
    browser = pages(user("rita", *view, permission))
    before = [documents.of_flag(flag), documents.of_segment(segment)]
    for where, data in posts(flag, segment):
        for button in ("_save", "_review", "_reapply", "_continue"):
            version = Flag.objects.get().version
            sent = {**data, button: version, "people": "42", "description": "new"}
            browser.post(where, {**sent, **rows(segment, flag)})
    after = [documents.of_flag(Flag.objects.get()), documents.of_segment(Segment.objects.get())]
    changed = {name for name in after[0] if after[0][name] != before[0][name]}
    assert changed <= PARTIAL[permission]
    assert after[1] == before[1]
    assert Flag.objects.count() == Segment.objects.count() == 1


def rows(segment, flag):
    """A rule, a variant and a stage, as the form of a flag would send them."""
    sent = {}
    for prefix in ("rules", "variants", "prerequisites", "stages"):
        sent |= {f"{prefix}-TOTAL_FORMS": "1", f"{prefix}-INITIAL_FORMS": "0"}
        sent |= {f"{prefix}-0-percentage": "100", f"{prefix}-0-flag": str(flag.pk)}
    return sent | {
        "rules-0-segments": str(segment.pk),
        "variants-0-key": "a",
        "variants-0-value": "1",
        "variants-0-weight": "1",
    }


def test_the_rows_above_would_be_saved_for_who_may_change_flags(operator, flag, segment):
    data = {"seen": 1, "percentage": "50", "kind": "release", **rows(segment, flag), **SAVE}
    operator.post(address(Flag, "change", flag.pk), data)
    assert flag.rules.count() == flag.variants.count() == flag.stages.count() == 1


def test_a_viewer_sees_the_pages_without_anything_to_write(viewer, flag, segment):
    with changes.change():
        Rule.objects.create(flag=flag).segments.add(segment)
        flag.variants.create(key="a", value={"b": 1})
    for whole in (flag, segment):
        page = viewer.open(whole)
        assert page.status == 200
        assert "_save" not in page.text
        assert "comment" not in page.fields
    assert viewer.list(Flag).status == viewer.list(Revision).status == 200


def test_an_operator_of_flags_changes_a_flag_with_all_its_parts(operator, flag, segment):
    page = operator.open(flag).save(
        rules_0_segments=str(segment.pk), variants_0_key="a", variants_0_value="1"
    )
    assert page.errors_or_none() is None
    assert (flag.rules.count(), flag.variants.count()) == (1, 1)
    assert operator.do("turn-on", flag).messages == ["Done: x is on for segment beta."]


def test_an_operator_of_flags_can_not_add_or_delete_them_or_touch_segments(operator, flag, segment):
    before = everything()
    for where, data in posts(flag, segment):
        adds_or_deletes = "add" in where or "delete" in where or "_saveasnew" in data
        if adds_or_deletes or "/segment/" in where or data.get("action") == "delete_selected":
            operator.post(where, {**data, **SAVE})
    assert everything() == before


def test_an_operator_of_flags_is_not_offered_to_add_people(operator, flag):
    assert "people" not in operator.open(flag).fields


def test_an_operator_of_flags_can_not_add_people_by_a_forged_form(operator, flag):
    page = operator.open(flag).save(people="42", description="new")
    assert "lacks the permission flaggate.add_segment" in page.errors[""]
    assert not Segment.objects.exists()
    assert Flag.objects.get().description == ""


def test_a_viewer_sees_no_heading_of_parts_that_are_not_there(viewer, flag, segment):
    assert "Rules: the first that matches decides" not in viewer.open(flag).words
    with changes.change():
        flag.rules.create(percentage=5).segments.add(segment)
    assert "Rules: the first that matches decides" in viewer.open(flag).words


def test_a_viewer_reads_shares_lists_and_times_as_they_are_said(viewer, segment):
    flag = changes.create("x", percentage=0, tags=["catalogue", "<b>"])
    with changes.change():
        flag.rules.create(percentage="12.5").segments.add(segment)
        flag.stages.create(percentage=100, holds=timedelta(hours=36))
        segment.conditions.create(attribute="groups", operator="one_of", values=["beta", 5, "5"])
    changes.schedule("x", active_from=datetime(2027, 1, 1, tzinfo=UTC))
    words = viewer.open(flag).words
    assert "Percentage: 0 %" in words
    assert "Tags: catalogue, <b>" in words
    assert "&lt;b&gt;" in viewer.open(flag).text
    assert 'datetime="2027-01-01T00:00:00+00:00"' in viewer.open(flag).text
    for said in ("12.5 %", "100 %", "36h"):
        assert said in words
    words = viewer.open(segment).words
    assert "gold" in words
    assert 'beta, 5, "5"' in words
    assert '["beta"' not in words


def test_who_may_only_add_flags_adds_one_with_its_parts(flag):
    adder = pages(user("anna", "add_flag", "view_flag"))
    adder.add(Flag).save(key="y", variants_0_key="a", variants_0_value="1")
    assert Flag.objects.get(key="y").variants.count() == 1
    assert adder.post(address(Flag, "change", flag.pk), SAVE).status == 403


@pytest.mark.parametrize("model", [Revision, Usage])
def test_records_can_be_written_by_nobody(ada, flag, model):
    for where in [
        address(model, "add"),
        *(
            address(model, page, row.pk)
            for row in model.objects.all()
            for page in ("change", "delete")
        ),
    ]:
        assert ada.post(where, {"post": "yes", **SAVE}).status == 403


def test_the_history_of_who_may_not_see_revisions_is_admins_own(operator, flag):
    assert "change history" in operator.get(address(Flag, "history", flag.pk)).text.lower()
