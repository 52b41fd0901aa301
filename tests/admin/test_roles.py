"""Who may do what by the pages about history and members: each permission, each way to write."""

import pytest

from flaggate import changes
from flaggate.admin import key_lists
from flaggate.models import Condition, Flag, Revision, Segment, SegmentMember, State
from tests.admin.conftest import pages, user

VIEWER = ("view_flag", "view_segment", "view_revision")
# Way to write → the permissions that allow it, each alone.
WAYS = {
    "revert a flag": {"revert_flag", "change_flag"},
    "revert a segment": {"revert_segment", "change_segment"},
    "remove members": {"import_members", "change_segment"},
    "import members": {"import_members", "change_segment"},
}
PERMISSIONS = [
    "toggle_flag",
    "rollout_flag",
    "archive_flag",
    "revert_flag",
    "evaluate_flag",
    "override_flag",
    "change_flag",
    "import_members",
    "revert_segment",
    "change_segment",
    "add_flag",
    "add_segment",
]


@pytest.fixture(autouse=True)
def history(flag, segment):
    changes.enable("x")
    changes.rollout("x", 25)
    changes.members.add("beta", ["1"])


def write(browser, way):
    """Write in one way, as a forged form would."""
    segment = Segment.objects.get(key="beta")
    history = "/admin/flaggate/revision/of"
    members = f"/admin/flaggate/segment/{segment.pk}/members/"
    packed = {"act": "add", "which": "included", "packed": key_lists.pack(["2"])}
    where, data = {
        "revert a flag": (f"{history}/flag/x/revert/1/", {"seen": 3}),
        "revert a segment": (f"{history}/segment/beta/revert/1/", {"seen": 2}),
        "remove members": (members, {"key": ["1"]}),
        "import members": (f"{members}import/", {**packed, "seen": 2}),
    }[way]
    return browser.post(where, data)


def everything():
    return [
        list(model.objects.order_by("pk").values())
        for model in (Flag, Segment, Condition, SegmentMember, Revision, State)
    ]


@pytest.mark.parametrize("permission", PERMISSIONS)
@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_write_takes_its_permission_and_no_other_gives_it(way, permission):
    before = everything()
    page = write(pages(user("fred", *VIEWER, permission)), way)
    allowed = permission in WAYS[way]
    assert (page.status == 200) is allowed
    assert (everything() != before) is allowed


@pytest.mark.parametrize("way", WAYS)
def test_without_the_permission_to_see_it_nothing_is_written(way):
    before = everything()
    assert write(pages(user("fred", *WAYS[way] - {"change_segment"})), way).status == 403
    assert everything() == before


@pytest.mark.parametrize("way", WAYS)
def test_a_form_from_elsewhere_is_refused(ada, way):
    ada.client.handler.enforce_csrf_checks = True
    before = everything()
    assert write(ada, way).status == 403
    assert everything() == before
