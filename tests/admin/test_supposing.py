"""If I saved this: who would get the flag. What is typed is asked about, and nothing stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from flaggate import changes, context, recording
from flaggate.admin import estimating
from flaggate.models import Flag, Revision, Segment, State, Usage
from flaggate.models.state import uncommitted
from flaggate.signals import flag_changed
from flaggate.store import store
from flaggate.store.freshness import refreshed
from tests.admin.conftest import pages, user
from tests.admin.pages import Page, Pages
from tests.fixtures import layouts, segment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ASKER = ("view_flag", "change_flag", "evaluate_flag", "view_segment")


@pytest.fixture(autouse=True)
def _time_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "LONGEST", float("inf"))


@pytest.fixture
def asker() -> Pages:
    """Somebody who may change flags, ask for others, and is not shown users by admin."""
    return pages(user("asta", *ASKER))


@pytest.fixture
def flag() -> Flag:
    """Enabled, and for nobody."""
    return changes.create("x", enabled=True, percentage=0, salt="checkout")


def ask(page: Page, value: str = "", **typed: Any) -> Page:
    """Type into the form, and press the button."""
    named = {name.replace("asked_", "asked-"): text for name, text in typed.items()}
    return page.save(_save=None, _ask=value, **named)


def supposed(page: Page) -> Any:
    return page.response.context["supposed"]


def rows(page: Page) -> dict[str, tuple[str, str]]:
    """What somebody gets, now and then."""
    return {what: (now, then) for what, now, then in supposed(page).answer.rows}


def counts(page: Page) -> list[int]:
    """How many of the sample get it now, would, gain it, lose it, get something else."""
    return [count for _words, count, _share in supposed(page).counts]


# --- for somebody -----------------------------------------------------------------------------


def test_it_says_what_would_change_and_asks_for_whom(asker: Pages, flag: Flag) -> None:
    page = ask(asker.open(flag), percentage="100")
    assert "percentage: 0 % → 100 %" in page.words
    assert supposed(page).answer is None
    assert page.fields["asked-targeting_key"] == [""]


def test_it_answers_for_now_and_for_what_is_typed(asker: Pages, flag: Flag) -> None:
    page = ask(asker.open(flag), percentage="50", asked_targeting_key="1")
    assert rows(page) == {
        "gets": ("off", "on"),
        "value": ("false", "true"),
        "reason": (
            "STATIC: the flag has no rules, and nothing had to be hashed",
            "SPLIT: the subject's hash decided",
        ),
    }
    assert "For the targeting key 1" in page.words
    assert "bucket 49,641 of 100,000" in page.words


def test_it_knows_variants_that_are_typed_only(asker: Pages) -> None:
    page = asker.open(layouts("x"))
    page = ask(page, variants_0_value='{"columns": 5}', asked_targeting_key="1")
    assert rows(page)["value"] == tuple(f'{{"columns": {n}}} (variant compact)' for n in (4, 5))


def test_it_knows_rules_that_are_typed_only(asker: Pages, flag: Flag) -> None:
    gold = segment("gold", ("plan", "one_of", ["gold"]))
    asked = {"asked_context": json.dumps({"plan": "gold"})}
    page = ask(asker.open(flag), rules_0_segments=str(gold.pk), **asked)
    assert rows(page)["gets"] == ("off", "on")
    assert 'plan is one of "gold"' in page.words


def test_it_knows_people_who_are_typed_only(ada: Pages, flag: Flag) -> None:
    segment("many", included=["7"])
    page = ask(ada.open(flag), people="42", asked_targeting_key="42")
    assert rows(page)["gets"] == ("off", "on")
    assert rows(ask(page, asked_targeting_key="7"))["gets"] == ("off", "off")
    assert not Segment.objects.filter(key="x.people").exists()


def test_a_flag_that_would_be_mended_would_be_served(asker: Pages, flag: Flag) -> None:
    Flag.objects.filter(pk=flag.pk).update(off_variant="gone", percentage=100)
    page = ask(asker.open(flag), off_variant="", asked_targeting_key="1")
    assert rows(page)["gets"] == ("off", "on")
    assert rows(page)["broken"][1] == ""


def test_a_user_is_asked_for_with_all_attributes(asker: Pages, flag: Flag) -> None:
    User.objects.create_user("olga", is_staff=True)
    staff = segment("staff", ("is_staff", "one_of", [True]))
    page = ask(asker.open(flag), rules_0_segments=str(staff.pk), asked_user="olga")
    assert "For olga" in page.words
    assert rows(page)["gets"] == ("off", "on")


def test_with_nothing_filled_in_it_is_an_anonymous_visitor(asker: Pages, flag: Flag) -> None:
    page = ask(ask(asker.open(flag), percentage="50"))
    assert supposed(page).answer.name == "an anonymous visitor"


def test_a_question_without_an_answer_says_why_beside_it(asker: Pages, flag: Flag) -> None:
    page = ask(asker.open(flag), percentage="50", asked_context="{")
    assert "There is no answer to this question." in page.words
    assert "This is no JSON." in page.words
    assert (supposed(page).answer, page.errors) == (None, {})


# --- for a sample -----------------------------------------------------------------------------


def test_a_sample_says_how_many_would_gain_it(asker: Pages, flag: Flag) -> None:
    User.objects.bulk_create(User(username=f"u{number}") for number in range(30))
    page = ask(asker.open(flag), percentage="100")
    assert counts(page) == [0, 31, 31, 0, 0]
    assert "In all: 31 of 31 users (now 0)." in page.words
    assert len(supposed(page).people) == 20
    assert all(each[1:] == ("off", "on") for each in supposed(page).people)


def test_a_sample_says_how_many_would_lose_it(asker: Pages) -> None:
    flag = changes.create("x", enabled=True)
    assert counts(ask(asker.open(flag), enabled=None)) == [1, 0, 0, 1, 0]


def test_a_sample_says_who_would_get_something_else(asker: Pages) -> None:
    page = ask(asker.open(layouts("x")), variants_0_value='{"columns": 5}')
    assert counts(page) == [1, 1, 0, 0, 1]
    page = ask(page, variants_0_weight="0", variants_1_weight="1")
    assert [each[1:] for each in supposed(page).people] == [("compact", "wide")]


def test_a_sample_of_a_flag_that_has_not_begun_is_not_said_to_get_it_now(asker: Pages) -> None:
    flag = changes.create("x", enabled=True, active_from=datetime(2999, 1, 1, tzinfo=UTC))
    page = ask(asker.open(flag), percentage="0")
    assert counts(page) == [0, 0, 0, 0, 0]
    page = ask(page, percentage="0.001")
    assert "In all: from then on 0 of 1 users (instead of 1)." in page.words
    assert "Would get it unchanged 1 100 %" in page.words
    assert "User Unchanged If it were saved" in page.words
    assert "Get it now" not in page.words


def test_whoever_is_listed_is_asked_for_by_a_button(asker: Pages, flag: Flag) -> None:
    page = ask(asker.open(flag), percentage="100", description="Typed.", asked_targeting_key="1")
    pk = User.objects.get(username="asta").pk
    assert f'name="_ask" value="{pk}" aria-label="Why? asta"' in page.text
    page = ask(page, str(pk))
    assert supposed(page).answer.name == "asta"
    assert page.fields["description"] == ["Typed."]


def test_where_a_sample_can_not_tell_it_says_so(asker: Pages, flag: Flag) -> None:
    page = ask(asker.open(flag), percentage="50", bucket_by="visitor")
    assert supposed(page).estimate is None
    assert "How many users that is can't be told: x is shared out by visitor" in page.words


# --- what is typed stays, and nothing else does -----------------------------------------------


def test_what_was_asked_about_can_be_saved_or_reviewed(asker: Pages, flag: Flag) -> None:
    page = ask(asker.open(flag), percentage="5", comment="Now.", asked_targeting_key="1")
    assert page.fields["percentage"] == ["5"]
    reviewed = page.save(_save=None, _review="Review again")
    assert "percentage: 0 % → 5 %" in reviewed.words
    assert "supposed" not in reviewed.response.context
    page.save()
    assert Flag.objects.get(key="x").percentage == 5
    assert Revision.objects.first().comment == "Now."


def test_it_changes_records_and_publishes_nothing(ada: Pages, flag: Flag) -> None:
    page = ada.open(flag)
    heard: list[object] = []
    listeners = [lambda **_: heard.append(1) for _ in range(2)]
    flag_changed.connect(listeners[0])
    refreshed.connect(listeners[1])
    recording.counts.clear()
    before = State.objects.get().token, Flag.objects.get().version, store.snapshot, store.loads
    ask(page, percentage="100", people="42", asked_targeting_key="42")
    assert (
        State.objects.get().token,
        Flag.objects.get().version,
        store.snapshot,
        store.loads,
    ) == before
    ada.get("/admin/login/")  # whose request would look for a change of this process
    assert (heard, store.snapshot, store.loads) == ([], *before[2:])
    assert not recording.counts
    assert (Revision.objects.count(), Segment.objects.count()) == (1, 0)
    assert not Usage.objects.exists()
    assert not User.objects.get(username="ada").logentry_set.exists()


def test_nothing_is_asked_while_it_holds_the_lock(
    asker: Pages, flag: Flag, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []
    of_subject = context.of_subject

    def seen(*subject: Any) -> Any:
        held.append(bool(uncommitted(connection)))
        return of_subject(*subject)

    monkeypatch.setattr(context, "of_subject", seen)
    ask(asker.open(flag), percentage="50", asked_targeting_key="1")
    assert held
    assert not any(held)


def test_a_form_with_errors_shows_them_and_answers_nothing(asker: Pages, flag: Flag) -> None:
    page = ask(asker.open(flag), percentage="500", off_variant="nope")
    assert list(page.errors) == ["percentage"]
    assert "supposed" not in page.response.context
    page = ask(page, percentage="50")
    assert "is no variant of the flag" in page.errors["off_variant"]


def test_who_was_second_meets_what_the_first_one_did(asker: Pages, ada: Pages, flag: Flag) -> None:
    page = asker.open(flag)
    ada.open(flag).save(percentage="5")
    page = ask(page, description="Mine.")
    assert "ada changed it" in page.words
    assert "supposed" not in page.response.context


def test_what_is_typed_and_whoever_is_listed_is_escaped(asker: Pages, flag: Flag) -> None:
    payload = "<script>alert(1)</script>"
    User.objects.create_user(payload)
    for asked in ("user", "targeting_key", "context"):
        page = ask(asker.open(flag), percentage="100", **{f"asked_{asked}": payload})
        assert payload not in page.text
        assert "&lt;script&gt;" in page.text


# --- who may ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permissions", "offered", "status"),
    [
        (ASKER, True, 200),
        (("change_flag", "evaluate_flag"), True, 200),
        (("view_flag", "change_flag"), False, 403),
        (("view_flag", "evaluate_flag"), False, 403),
    ],
)
def test_it_takes_two_permissions(
    flag: Flag, permissions: tuple[str, ...], offered: bool, status: int
) -> None:
    fields = pages(User.objects.create_superuser("ada")).open(flag).fields
    browser = pages(user("fred", *permissions))
    page = browser.open(flag)
    assert ('name="_ask"' in page.text) is offered
    assert browser.post(page.address, {**fields, "_ask": "", "percentage": "5"}).status == status


def test_it_does_not_stand_beside_what_is_added(ada: Pages) -> None:
    assert 'name="_ask"' not in ada.add(Flag).text


def test_users_are_offered_only_to_those_who_may_see_them(asker: Pages, flag: Flag) -> None:
    seeing = pages(user("sven", *ASKER, "view_user"))
    field = 'data-field-name="actor"'
    assert field in ask(seeing.open(flag)).text
    assert field not in ask(asker.open(flag)).text
