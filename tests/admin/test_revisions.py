import pytest

from flaggate import changes
from flaggate.api import keys
from flaggate.models import Revision, Tombstone, Usage
from tests.admin.pages import address


@pytest.fixture
def history(ada, flag):
    """Two changes of a flag, and one of another."""
    changes.create("y")
    ada.open(flag).save(enabled="on", percentage="5", comment="The first 5 %.")


def test_the_list_says_who_changed_what_from_where_and_why(ada, history):
    text = ada.list(Revision).text
    assert 'flag <a href="/admin/flaggate/revision/of/flag/x/">x</a>' in text
    assert "<div>enabled: no → yes</div><div>percentage: 0 % → 5 %</div>" in text
    assert "ada (admin)" in text
    assert "The first 5 %." in text


def test_revisions_of_keys_are_for_who_may_see_keys(ada, viewer):
    prefix = keys.create("deploy", ["manage:toggle"]).key.prefix
    made = Revision.objects.get(key=prefix)
    assert prefix in ada.list(Revision).text
    assert prefix not in viewer.list(Revision).text
    assert viewer.open(made).status == 302
    for kind in ("csv", "json"):
        file = viewer.client.get(f"/admin/flaggate/revision/export/{kind}/")
        assert prefix not in b"".join(file.streaming_content).decode()


def test_a_long_difference_is_cut_short(ada, flag):
    typed = {"description": "a", "owner": "b", "bucket_by": "c", "tags": "d", "kind": "permission"}
    switches = dict.fromkeys(("enabled", "permanent", "critical", "client_visible"), "on")
    ada.open(flag).save(**typed, **switches)
    assert "<div>and 5 more</div>" in ada.list(Revision).text
    assert "client visible: no → yes" in ada.open(Revision.objects.first()).text


def test_a_revision_shows_before_and_after_as_json(ada, history):
    text = ada.open(Revision.objects.first()).text
    assert "&quot;percentage&quot;: 0" in text
    assert "&quot;percentage&quot;: 5" in text


@pytest.mark.parametrize("name", ["ada", "viewer"])
def test_the_history_of_a_flag_is_its_timeline(request, history, flag, name):
    browser = request.getfixturevalue(name)
    page = browser.client.get(address(type(flag), "history", flag.pk), follow=True)
    assert [entry.revision.version for entry in page.context["entries"]] == [2, 1]


def test_the_history_of_a_revision_is_that_of_its_flag(ada, history, flag):
    last = Revision.objects.first()
    page = ada.client.get(address(Revision, "history", last.pk), follow=True)
    assert page.context["history"].key == "x"


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("?subject__exact=segment", []),
        ("?source__exact=admin", ["x"]),
        ("?who=ada", ["x"]),
        ("?who=nobody", []),
        ("?q=first", ["x"]),
        ("?q=y", ["y"]),
    ],
)
def test_the_activity_is_filtered_and_searched(ada, history, query, keys):
    page = ada.list(Revision, query)
    assert [revision.key for revision in page.response.context["cl"].result_list] == keys


def test_the_history_of_what_does_not_exist_is_not_found(ada, flag):
    page = ada.get(address(type(flag), "history", 999))
    assert page.status == 302


def test_the_history_of_a_revision_that_does_not_exist_is_not_found(ada):
    assert ada.get(address(Revision, "history", 999)).status == 302


def test_usage_and_tombstones_are_lists_to_read(ada, flag):
    Usage.objects.create(flag="x", variant="on", hour="2026-01-01T10:00Z", count=7)
    Tombstone.objects.create(key="old")
    assert ">7<" in ada.list(Usage).text
    assert "old" in ada.list(Tombstone).text


MOMENT = '<time class="flaggate-moment" datetime="'


def test_moments_are_shown_in_the_zone_of_who_reads_them(ada, history):
    Usage.objects.create(flag="x", variant="on", hour="2026-01-01T10:00Z", count=7)
    Tombstone.objects.create(key="old")
    last = Revision.objects.first()
    pages = [*map(ada.list, (Revision, Usage, Tombstone)), ada.open(last)]
    for page in pages:
        assert MOMENT in page.text
        assert "flaggate/times.js" in page.text
    assert f"{MOMENT}{last.created.isoformat()}" in pages[0].text
    assert f"{MOMENT}2026-01-01T10:00:00+00:00" in pages[1].text


def test_the_activity_is_sorted_by_when(ada, history):
    page = ada.list(Revision, "?o=0")
    assert [each.version for each in page.response.context["cl"].result_list] == [1, 1, 2]
