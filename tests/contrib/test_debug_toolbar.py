"""The panel of django-debug-toolbar: what a request has asked, as the real toolbar records it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from debug_toolbar.settings import PANELS_DEFAULTS
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import AsyncClient, Client, override_settings
from django.test.utils import CaptureQueriesContext

import flaggate
from flaggate import changes, flags
from flaggate.contrib.debug_toolbar import FlagsPanel
from flaggate.models import Segment
from flaggate.testing import override_flag
from tests.fixtures import layouts, released, targeted

pytestmark = pytest.mark.django_db

PANEL = "flaggate.contrib.debug_toolbar.FlagsPanel"
TOOLBAR = "debug_toolbar.middleware.DebugToolbarMiddleware"


@pytest.fixture(scope="module", autouse=True)
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Install the toolbar with its panels, and those of flaggate, in a site with two templates."""
    pages = tmp_path_factory.mktemp("pages")
    body = "{% if flags.new_checkout %}new{% endif %}</body></html>"
    (pages / "page.html").write_text(f"<html><body>\n{body}")
    (pages / "page.jinja").write_text(f"<html><body>\n\n{body}")
    with override_settings(
        DEBUG=True,
        INTERNAL_IPS=["127.0.0.1"],
        DEBUG_TOOLBAR_PANELS=[*PANELS_DEFAULTS, PANEL],
        INSTALLED_APPS=[*settings.INSTALLED_APPS, "debug_toolbar"],
        MIDDLEWARE=[TOOLBAR, *settings.MIDDLEWARE],
        TEMPLATES=[{**each, "DIRS": [pages]} for each in settings.TEMPLATES],
        ROOT_URLCONF="tests.contrib.toolbar_site",
    ):
        FlagsPanel.ready()  # as the toolbar does, but here before its settings are in effect
        yield
    flags.observers.clear()


def last() -> tuple[str, list[dict[str, Any]]]:
    """Return the last request that the toolbar has stored, and the rows of its panel."""
    from debug_toolbar.store import get_store

    *_, request_id = get_store().request_ids()
    return request_id, get_store().panel(request_id, "FlagsPanel").get("rows", [])


def recorded(url: str, client: Client | None = None) -> list[dict[str, Any]]:
    """Send a request and return the rows of its panel."""
    response = (client or Client()).get(url)
    assert response.status_code == 200, response.content
    return last()[1]


def only(url: str) -> dict[str, Any]:
    (row,) = recorded(url)
    return row


def shown(url: str) -> str:
    """Send a request and return its panel as a browser gets it."""
    recorded(url)
    query = {"request_id": last()[0], "panel_id": "FlagsPanel"}
    content: str = Client().get("/__debug__/render_panel/", query).json()["content"]
    return content


def site() -> Any:
    return import_module("tests.contrib.toolbar_site")  # not before the toolbar is installed


def line_of(view: str, text: str) -> str:
    """Name the line of a view that has a text, as the panel should."""
    lines, first = inspect.getsourcelines(getattr(site(), view))
    number = first + next(index for index, line in enumerate(lines) if text in line)
    return f"tests/contrib/toolbar_site.py:{number}"


# --- What is recorded ---


def test_an_answer_is_recorded_with_why_and_where():
    layouts("new_checkout")
    row = only("/checkout/")
    assert row == {
        "flag": "new_checkout",
        "subject": None,
        "active": True,
        "value": "{'columns': 4}",
        "variant": "compact",
        "reason": "STATIC",
        "rule": None,
        "error": None,
        "message": "",
        "places": {line_of("checkout", "value"): 1},
        "count": 1,
    }


def test_a_flag_is_one_row_however_often_and_wherever_it_is_asked():
    released("new_checkout")
    row = only("/thrice/")
    assert row["count"] == 3
    assert row["places"] == {line_of("thrice", "# twice"): 2, line_of("thrice", "# once"): 1}


def test_the_subject_of_the_request_is_one_also_when_its_targeting_key_is_read_later():
    released("new_checkout")
    released("half", percentage=50)
    before, half = recorded("/before-and-after/")
    assert before["count"] == 2
    assert half["subject"]
    assert before["subject"] == half["subject"]


def test_where_a_hash_decided_the_bucket_stands_against_the_threshold():
    released("half", percentage=50)
    first, second = recorded("/for-others/")
    assert (first["subject"], second["subject"]) == ("1", "2")
    for row in (first, second):
        explained = flaggate.flags_for(row["subject"]).explain("half")
        assert (row["bucket"], row["threshold"]) == (explained.share.bucket, 50_000)
        assert row["active"] is (row["bucket"] < row["threshold"])


def test_the_share_of_the_rule_that_decided_is_told():
    flag = targeted("half", ("targeting_key", "one_of", ["1", "2"]), percentage=100)
    flag.rules.update(percentage=25)
    first, _ = recorded("/for-others/")
    assert (first["rule"], first["threshold"]) == (1, 25_000)


def test_an_unknown_flag_is_recorded_with_its_error():
    row = only("/checkout/")
    assert (row["active"], row["value"], row["error"]) == (False, "", "FLAG_NOT_FOUND")
    assert row["message"] == "There is no flag 'new_checkout'."


def test_a_forced_answer_is_recorded():
    with override_flag("new_checkout", value="forced"):
        assert only("/checkout/")["value"] == "'forced'"


def test_a_long_value_is_cut():
    released("new_checkout", variants=[("long", "x" * 1000, 1)])
    assert len(only("/checkout/")["value"]) == 200


def test_a_request_that_asks_nothing_has_no_rows():
    assert recorded("/nothing/") == []


# --- Where ---


def test_a_question_in_a_template_names_its_line():
    released("new_checkout")
    assert only("/in-template/")["places"] == {"page.html:2": 1}


def test_a_question_in_a_jinja2_template_names_its_line():
    released("new_checkout")
    assert only("/in-jinja/")["places"] == {"page.jinja:3": 1}


@pytest.mark.parametrize(
    ("url", "view"), [("/gated/", "nothing"), ("/routed/", "nothing"), ("/reports/", "Reports")]
)
def test_a_gate_names_its_view(url, view):
    released("new_checkout")
    assert only(url)["places"] == {f"gate of tests.contrib.toolbar_site.{view}": 1}


def test_an_async_view_is_recorded_too():
    released("new_checkout")
    async_to_sync(AsyncClient().get)("/patient/")
    (row,) = last()[1]
    assert row["places"] == {line_of("patient", "is_active"): 1}


# --- Only a look ---


def test_recording_makes_no_visitor_of_a_browser():
    released("new_checkout")
    response = Client().get("/checkout/")
    assert "flaggate_visitor" not in response.cookies


def test_recording_reads_nothing_that_the_answer_did_not_need():
    # One condition met is enough; the long answer would go on, and read the groups.
    flag = targeted(
        "half", ("username", "one_of", ["ada"]), ("groups", "one_of", ["beta"]), percentage=100
    )
    with changes.change():
        flag.rules.update(percentage=50)
        Segment.objects.update(match="any")
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    with CaptureQueriesContext(connection) as captured:
        (row,) = recorded("/half/", client)
    assert (row["rule"], row["threshold"]) == (1, 50_000)
    assert not [query for query in captured if "auth_group" in query["sql"]]


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whatever reaches a panel."""
    reached: list[Any] = []
    monkeypatch.setattr(FlagsPanel, "record", lambda panel, *answer: reached.append(answer))
    return reached


def test_a_panel_that_is_switched_off_records_nothing(records):
    released("new_checkout")
    client = Client()
    client.get("/checkout/")
    assert len(records) == 1
    client.cookies["djdtFlagsPanel"] = "off"
    client.get("/checkout/")
    assert len(records) == 1


def test_without_the_toolbar_nothing_is_recorded(records, settings):
    released("new_checkout")
    settings.DEBUG = False
    assert Client().get("/checkout/").status_code == 200
    assert not records


def test_questions_after_the_request_are_none_of_its():
    released("new_checkout")
    before = only("/checkout/")
    flaggate.is_active("new_checkout")
    assert only("/checkout/")["count"] == before["count"]


@pytest.mark.parametrize("place", [0, -1])
def test_the_toolbar_may_stand_before_or_after_the_flags(settings, place):
    released("new_checkout")
    others = [each for each in settings.MIDDLEWARE if each != TOOLBAR]
    settings.MIDDLEWARE = [TOOLBAR, *others] if place == 0 else [*others, TOOLBAR]
    assert only("/checkout/")["flag"] == "new_checkout"


def test_the_observer_is_there_once_however_often_apps_are_made_ready():
    FlagsPanel.ready()
    assert flags.observers == [FlagsPanel.observe]


# --- What is shown ---


def test_the_panel_shows_the_rows():
    released("half", percentage=50)
    html = shown("/for-others/")
    for text in ("<code>half</code>", "SPLIT", "50000", line_of("for_others", "is_active")):
        assert text in html


def test_the_panel_says_when_there_is_nothing_to_show():
    assert "asked for no flag" in shown("/nothing/")


def test_what_is_shown_is_escaped():
    released("new_checkout", variants=[("one", "<script>", 1)])
    assert "<script>" not in shown("/checkout/")
    assert "&lt;script&gt;" in shown("/checkout/")


@pytest.mark.parametrize(("url", "said"), [("/nothing/", "none"), ("/thrice/", "1 asked, 3 times")])
def test_the_side_bar_says_how_many(url, said):
    released("new_checkout")
    assert said in Client().get(url).content.decode()


def test_without_the_toolbar_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "debug_toolbar.panels", None)
    monkeypatch.delitem(sys.modules, "flaggate.contrib.debug_toolbar", raising=False)
    with pytest.raises(ImproperlyConfigured, match=r"pip install 'flaggate\[debug-toolbar\]'"):
        import flaggate.contrib.debug_toolbar  # noqa: F401
