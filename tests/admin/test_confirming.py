from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User

from flaggate import changes
from flaggate.admin import confirming, estimating
from flaggate.models import Flag, Revision, Rule, State, Usage
from tests.admin.conftest import pages, user
from tests.admin.pages import address, address_of


def stored(key="x"):
    return Flag.objects.get(key=key)


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Flag, Revision, State, Usage)]


# --- asking -----------------------------------------------------------------------------------


def test_the_page_says_what_holds_now_and_what_would_then(ada, segment):
    flag = changes.create("x", percentage=5)
    with changes.change():
        Rule.objects.create(flag=flag).segments.add(segment)
    words = ada.ask("turn-on", flag).words
    assert "Now Off" in words
    assert "Then On for segment beta, then 5 %" in words
    assert "enabled: no → yes" in words


@pytest.mark.parametrize("verb", ["turn-on", "share", "start", "archive", "undo"])
def test_asking_changes_nothing(ada, flag, verb):
    ada.do("share", flag, value="1")
    before = everything()
    ada.ask(verb, flag, value="100")
    ada.get(f"{address_of(verb)}?flag={flag.pk}&seen={flag.pk}:2&comment=x&value=50")
    assert everything() == before


def test_what_would_be_refused_is_said_before_it_is_tried(ada, flag):
    Flag.objects.update(off_variant="nope")
    page = ada.ask("turn-on", flag)
    assert "is no variant of the flag" in page.words
    assert "comment" not in page.fields


def test_what_would_change_nothing_can_not_be_confirmed(ada, flag):
    page = ada.ask("turn-off", flag)
    assert "Nothing would change." in page.words
    assert "comment" not in page.fields


@pytest.mark.parametrize(
    ("verb", "way"), [("turn-on", "No, take me back"), ("turn-off", "Take me back")]
)
def test_the_way_back_says_no_only_where_something_was_asked(ada, flag, verb, way):
    assert ada.ask(verb, flag).words.endswith(way)


@pytest.mark.parametrize("query", ["flag=99", "flag=", "flag=x,%00,-1", "key=nope", "key=%00", ""])
def test_a_flag_that_does_not_exist_leads_back_to_the_list(ada, query):
    page = ada.go(f"{address_of('turn-off')}?{query}")
    assert page.messages == ["There is no such flag."]


def test_a_flag_can_be_named_by_its_key(ada, flag):
    assert "Then On for nobody" in ada.get(f"{address_of('turn-on')}?key=x").words


def test_a_key_that_no_flag_has_leads_to_what_is_like_it(ada, flag):
    changes.create("new_checkout")
    page = ada.go(f"{address_of('turn-off')}?key=checkout")
    assert [flag.key for flag in page.response.context["cl"].result_list] == ["new_checkout"]


@pytest.mark.parametrize(
    ("permissions", "asked"),
    [
        (("view_flag",), False),
        (("view_flag", "toggle_flag"), True),
        (("view_flag", "change_flag"), True),
    ],
)
def test_the_front_page_asks_who_may_to_turn_any_flag_off(flag, permissions, asked):
    text = pages(user("tom", *permissions)).get("/admin/").text
    assert (f'action="{address_of("turn-off")}"' in text) is asked


def test_an_unknown_deed_is_not_found(ada, flag):
    assert ada.ask("explode", flag).status == 404


# --- doing ------------------------------------------------------------------------------------


def test_a_deed_is_one_revision_with_its_reason(ada, flag):
    page = ada.do("turn-on", flag, comment="It is time.")
    assert page.messages == ["Done: x is on for nobody."]
    assert stored().enabled
    last = Revision.objects.first()
    assert (last.actor_name, last.source, last.comment) == ("ada", "admin", "It is time.")


def test_a_share_is_asked_for_and_then_confirmed(ada, flag):
    assert ada.ask("share", flag).fields["value"] == ["0"]
    page = ada.ask("share", flag, value="12.5")
    assert "percentage: 0 % → 12.5 %" in page.words
    page.confirm()
    assert str(stored().percentage) == "12.500"


@pytest.mark.parametrize("value", ["101", "-1", "half", "", "1.2345", "NaN"])
def test_a_share_that_is_none_is_asked_for_again(ada, flag, value):
    before = everything()
    page = ada.ask("share", flag, value=value)
    assert page.response.context["value_form"].errors
    ada.post(address_of("share"), {"seen": f"{flag.pk}:1", "value": value})
    assert everything() == before


def test_a_rollout_goes_through_its_life(ada, flag):
    said = [
        ada.do(verb, stored(), value=value).messages[0]
        for verb, value in (
            ("start", "5:1d,25:12h,100"),
            ("pause", ""),
            ("resume", ""),
            ("stop", ""),
            ("start", "20:1d,100"),
            ("complete", ""),
            ("archive", ""),
            ("restore", ""),
        )
    ]
    assert said == [
        "Done: x is on for 5 % (stage 1 of 3).",
        "Done: x is on for 5 % (stage 1 of 3, paused).",
        "Done: x is on for 5 % (stage 1 of 3).",
        "Done: x is on for 5 %.",
        "Done: x is on for 20 % (stage 1 of 2).",
        "Done: x is on for everyone.",
        "Done: x is archived.",
        "Done: x is on for everyone.",
    ]


@pytest.mark.parametrize("plan", ["5:1d,4", "5:1y,100", "", "5,100"])
def test_a_plan_that_is_none_starts_nothing(ada, flag, plan):
    before = everything()
    ada.ask("start", flag, value=plan)
    ada.post(address_of("start"), {"seen": f"{flag.pk}:1", "value": plan})
    assert everything() == before


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("50:1d,25:1d,100", "Stage 2, percentage: is below the stage before. Raise it."),
        ("5:1d,25,100", "Stage 2, holds: is empty. Only the last stage may stay."),
        ("5:0d,100", "Stage 1, holds: is below a second. Give it more time."),
        ("5:999999w,100", "A stage holds for 3650d at most."),
        ("5:99999999999999999999w,100", "is no stage. Write them like 5:1d,25:12h,100."),
        ("5:1d,101", "101 is no percentage. Give a number from 0 to 100."),
    ],
)
def test_a_plan_that_is_refused_can_be_mended_where_it_was_typed(ada, flag, plan, words):
    page = ada.ask("start", flag, value=plan)
    assert words in page.words
    assert page.fields["value"] == [plan]
    assert "Now" not in page.words


def test_a_critical_flag_wants_its_key(ada):
    flag = changes.create("x", critical=True, percentage=0)
    page = ada.ask("turn-on", flag).confirm()
    assert page.response.context["form"].errors
    assert not stored().enabled
    page.confirm(**{f"typed_key_{flag.pk}": "x"})
    assert stored().enabled


def test_a_broken_flag_can_be_turned_off(ada):
    flag = changes.create("x", enabled=True)
    Flag.objects.update(off_variant="nope")
    assert ada.do("turn-off", flag).messages[0].startswith("Done: x is off.")


def test_it_leads_back_to_where_the_button_was(ada, flag):
    page = ada.ask("turn-on", flag, next="/admin/flaggate/flag/?state=off").confirm()
    assert page.response.request["PATH_INFO"] == "/admin/flaggate/flag/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_it_leads_to_no_other_site(ada, flag, elsewhere):
    page = ada.ask("turn-on", flag, next=elsewhere).confirm()
    assert page.response.request["PATH_INFO"] == address(Flag, "change", flag.pk)


# --- many flags -------------------------------------------------------------------------------


def test_an_action_of_the_list_asks_first(ada, flag):
    page = ada.act("turn-on", flag)
    assert "Then On for nobody" in page.words
    assert not stored().enabled
    page.confirm()
    assert stored().enabled


def test_the_share_of_many_flags_is_asked_for_once(ada):
    flags = [changes.create(f"x{n}", enabled=True, percentage=n) for n in range(3)]
    page = ada.act("share", *flags)
    assert page.fields["value"] == [""]  # they differ
    ada.do("share", *flags, value="25", comment="All.")
    assert {each.percentage for each in Flag.objects.all()} == {25}


def test_many_flags_are_one_change(ada):
    flags = [changes.create(f"x{n}") for n in range(6)]
    assert ada.do("turn-on", *flags, comment="All.").messages == ["6 flags were changed."]
    assert Flag.objects.filter(enabled=True).count() == 6
    assert Revision.objects.filter(comment="All.").count() == 6


@pytest.mark.parametrize(
    ("on", "said"),
    [
        (1, "6 flags were changed. 1 flag was so already."),
        (5, "Done: x5 is on for everyone; x6 is on for everyone. 5 flags were so already."),
    ],
)
def test_the_message_tells_what_was_changed_from_what_was_so_already(ada, on, said):
    flags = [changes.create(f"x{n}", enabled=n < on) for n in range(7)]
    assert ada.do("turn-on", *flags).messages == [said]


def test_what_was_so_already_is_not_said_to_be_done(ada, flag):
    page = ada.post(address_of("turn-off"), {"seen": f"{flag.pk}:1"})
    assert page.messages == ["1 flag was so already."]


@pytest.fixture
def crowded():
    """One flag more than can be changed at once."""
    return Flag.objects.bulk_create(Flag(key=f"x{n}", enabled=True) for n in range(151))


def test_more_flags_than_can_be_changed_at_once_are_refused_whole(ada, crowded):
    data = {"action": "turn-off", "_selected_action": [crowded[0].pk], "select_across": "1"}
    page = ada.post(address(Flag, "changelist") + "?state=on", data)
    assert page.messages[0].startswith("You chose 151 flags, and at most 150 can be changed")
    assert page.response.request["QUERY_STRING"] == "state=on"


def test_so_they_are_at_the_address_and_by_its_form(ada, crowded):
    page = ada.ask("turn-off", *crowded)
    assert page.messages[0].startswith("You chose 151 flags")
    page = ada.post(address_of("turn-off"), {"seen": ",".join(f"{x.pk}:1" for x in crowded)})
    assert page.messages[0].startswith("You chose 151 flags")
    assert Flag.objects.filter(enabled=True).count() == 151


def test_one_that_is_refused_keeps_the_others_from_it(ada, flag):
    other = changes.create("y")
    page = ada.ask("turn-on", other, flag)
    changes.archive("x")
    page.fields["seen"] = [f"{other.pk}:1,{flag.pk}:2"]
    assert "is archived. Restore it first" in page.confirm().words
    assert not Flag.objects.filter(enabled=True).exists()


def test_each_critical_flag_wants_its_own_key(ada):
    flags = [changes.create(key, critical=True) for key in ("x", "y")]
    page = ada.ask("turn-on", *flags)
    page = page.confirm(**{f"typed_key_{flag.pk}": "x" for flag in flags})
    assert list(page.response.context["form"].errors) == [f"typed_key_{flags[1].pk}"]
    assert not Flag.objects.filter(enabled=True).exists()


@pytest.fixture
def critical():
    """A critical flag that is on, x, and one that is off, y."""
    return [changes.create(key, critical=True, enabled=key == "x") for key in "xy"]


def key_of(flag):
    return f"typed_key_{flag.pk}"


def test_of_critical_flags_only_those_that_would_change_ask_for_their_keys(ada, critical):
    on, off = critical
    page = ada.ask("turn-off", on, off)
    assert (key_of(on) in page.fields, key_of(off) in page.fields) == (True, False)
    page.confirm(**{key_of(on): "x"})
    assert not stored("x").enabled


@pytest.mark.parametrize("typed", [{}, {"x": ""}, {"y": "y"}, {"x": "y"}])
def test_a_critical_flag_that_would_change_never_does_without_its_key(ada, critical, typed):
    keys = {key_of(flag): typed[flag.key] for flag in critical if flag.key in typed}
    seen = ",".join(f"{flag.pk}:{flag.version}" for flag in critical)
    for form in ({"comment": ""}, {}):
        ada.post(address_of("turn-off"), {"seen": seen, **form, **keys})
    assert stored("x").enabled


def test_critical_flags_that_would_all_stay_as_they_are_ask_for_nothing(ada, critical):
    page = ada.post(address_of("turn-off"), {"seen": f"{critical[1].pk}:1"})
    assert page.messages == ["1 flag was so already."]


def test_where_all_is_refused_every_critical_flag_keeps_its_key(ada, critical):
    changes.archive("y")
    seen = ",".join(f"{flag.pk}:{stored(flag.key).version}" for flag in critical)
    page = ada.post(address_of("share"), {"seen": seen, "value": "5", "comment": ""})
    assert sorted(page.response.context["form"].errors) == sorted(map(key_of, critical))


# --- conflicts --------------------------------------------------------------------------------


def test_the_second_of_two_people_is_told_who_and_what_and_can_go_on(ada, bob, flag):
    page = bob.ask("share", flag, value="50")
    ada.do("share", flag, value="5")
    page = page.confirm(comment="Half.")
    assert "x: ada changed it just now, from version 1 to 2. percentage: 0 % → 5 %" in page.words
    assert "percentage: 5 % → 50 %" in page.words
    assert page.fields["comment"] == ["Half."]
    assert stored().percentage == 5
    page.confirm()
    assert (stored().percentage, Revision.objects.first().comment) == (50, "Half.")


def test_the_second_is_told_why_it_can_not_be_done_any_more(ada, bob, flag):
    page = bob.ask("share", flag, value="50")
    ada.do("archive", flag)
    page = page.confirm()
    assert "ada changed it just now" in page.words
    assert "Nothing of yours was done." in page.words
    assert "is archived. Restore it first" in page.words
    assert "Below" not in page.words


def test_what_was_done_stands_among_the_recent_actions(ada, flag):
    other = changes.create("y", enabled=True)
    ada.do("turn-on", flag, other)
    entry = LogEntry.objects.get()
    assert (entry.get_edited_object(), entry.change_message) == (flag, "Turn on")
    assert entry.user.username == "ada"


def test_a_refusal_is_said_once(ada, flag):
    page = ada.ask("turn-on", flag)
    changes.archive("x")
    page.fields["seen"] = [f"{flag.pk}:2"]
    assert page.confirm().words.count("is archived. Restore it first") == 1


@pytest.mark.parametrize(
    "seen", ["", "x", "1", ":", "1:,", "99:1", "1:-1", "1:9999999999999999999"]
)
def test_a_form_without_the_version_seen_changes_nothing(ada, flag, seen):
    before = everything()
    ada.post(address_of("turn-on"), {"seen": seen.replace("1:", f"{flag.pk}:")})
    assert everything() == before


# --- undo -------------------------------------------------------------------------------------


def test_the_message_takes_it_back_with_one_button(ada, flag):
    page = ada.do("share", flag, value="50").undo()
    assert stored().percentage == 0
    assert page.messages == ["Done: x is off."]


def test_what_was_undone_can_be_done_again(ada, flag):
    ada.do("share", flag, value="50").undo().undo()
    assert stored().percentage == 50


def test_many_flags_are_undone_together(ada):
    flags = [changes.create(key) for key in ("x", "y")]
    ada.do("turn-on", *flags).undo()
    assert not Flag.objects.filter(enabled=True).exists()


def test_nothing_is_undone_that_somebody_has_changed_since(ada, bob, flag):
    page = ada.do("share", flag, value="50")
    bob.do("share", flag, value="60")
    page = page.undo()
    assert "Nothing was undone" in page.words
    assert "x: bob changed it just now, from version 2 to 3." in page.words
    assert f'<a href="{address(Flag, "history", flag.pk)}">History of x</a>' in page.text
    assert "Undo the others" not in page.text
    assert stored().percentage == 60


def test_of_many_the_others_can_still_be_undone(ada, bob):
    x, y = (changes.create(key) for key in ("x", "y"))
    page = ada.do("turn-on", x, y)
    bob.do("share", x, value="60")
    page = page.undo()
    assert "Undo the others" in page.text
    page = page.confirm()
    assert page.messages == ["Done: y is off."]
    assert [flag.enabled for flag in Flag.objects.order_by("key")] == [True, False]


def test_who_may_not_view_the_history_is_not_led_there(bob, flag):
    page = pages(user("rita", "view_flag", "rollout_flag")).do("share", flag, value="50")
    bob.do("share", flag, value="60")
    assert "History of x" not in page.undo().text


def test_a_change_without_a_revision_is_not_undone_either(ada, flag):
    page = ada.do("share", flag, value="50")
    Flag.objects.update(percentage=60)
    assert "x: It was changed, from version 2 to 3." in page.undo().words


def test_a_change_in_the_very_moment_of_undoing_is_found_as_well(ada, flag, monkeypatch):
    page = ada.do("share", flag, value="50")
    missed = iter([[]])
    late = confirming.since
    monkeypatch.setattr(confirming, "since", lambda *how: next(missed, None) or late(*how))
    changes.rollout("x", 60)
    assert "code changed it just now" in page.undo().words
    assert stored().percentage == 60


def test_a_critical_change_that_was_changed_since_is_not_undone_by_its_key(ada, bob):
    flag = changes.create("x", critical=True, percentage=0)
    key = {f"typed_key_{flag.pk}": "x"}
    page = ada.do("share", flag, value="50", **key)
    bob.do("share", flag, value="60", **key)
    assert "Nothing was undone" in page.undo().words


def test_of_many_flags_those_that_were_broken_are_not_undone(ada):
    flags = [changes.create(key, enabled=True) for key in ("x", "y", "z")]
    Flag.objects.filter(key="y").update(off_variant="nope")
    page = ada.do("turn-off", *flags)
    assert page.messages[0].endswith("be undone: it was broken before.")
    page.undo()
    assert [flag.key for flag in Flag.objects.filter(enabled=True)] == ["x", "z"]


def test_a_broken_flag_alone_has_no_button_to_undo(ada):
    flags = [changes.create(f"x{n}", enabled=True) for n in range(7)]
    Flag.objects.update(off_variant="nope")
    page = ada.do("turn-off", *flags)
    assert "x0, x1, x2, x3, x4, and 2 more can" in page.messages[0]
    assert "they were broken before." in page.messages[0]
    assert "flaggate-undo" not in page.text


def test_what_was_broken_and_off_can_be_brought_back_from_the_archive(ada, flag):
    Flag.objects.update(off_variant="nope")
    ada.do("archive", flag).undo()
    assert not stored().archived


def test_undoing_a_critical_change_wants_the_key(ada):
    flag = changes.create("x", critical=True, percentage=0)
    page = ada.do("turn-on", flag, **{f"typed_key_{flag.pk}": "x"}).undo()
    assert stored().enabled
    page.confirm(**{f"typed_key_{flag.pk}": "x"})
    assert not stored().enabled


def test_the_page_that_asks_for_the_key_says_that_nothing_was_undone_yet(ada):
    flag = changes.create("x", critical=True, percentage=0)
    page = ada.do("turn-on", flag, **{f"typed_key_{flag.pk}": "x"}).undo()
    assert "Nothing was undone yet: confirm it below." in page.words
    assert "This field is required." not in page.words
    page = page.confirm()
    assert "This field is required." in page.words
    assert "yet" not in page.words


def test_a_flag_that_was_only_created_has_nothing_to_be_undone(ada, flag):
    assert "no change that could be undone" in ada.ask("undo", flag).words


# --- about how many users ---------------------------------------------------------------------


@pytest.fixture
def crowd(monkeypatch):
    """99 users beside ada, 30 of them testers, and time to ask them all."""
    monkeypatch.setattr(estimating, "LONGEST", float("inf"))
    testers = Group.objects.create(name="testers")
    users = User.objects.bulk_create(User(username=f"user{n}") for n in range(99))
    testers.user_set.set(users[:30])


def test_it_says_about_how_many_users_get_it(ada, crowd):
    flag = changes.create("x", percentage=0)
    with changes.change():
        segment = flag.rules.create().segments.create(key="beta")
        segment.conditions.create(attribute="groups", operator="one_of", values=["testers"])
    assert "30 of 100 users (now 0)" in ada.ask("turn-on", flag).words
    assert not Usage.objects.exists()


@pytest.mark.parametrize("by", ["visitor", "organisation"])
def test_it_says_why_users_do_not_tell(ada, crowd, by):
    flag = changes.create("x", percentage=50, bucket_by=by)
    words = ada.ask("turn-on", flag).words
    assert f"can't be told: x is shared out by {by}, which not every user has." in words


def test_it_says_how_many_get_a_flag_once_it_has_begun(ada, crowd):
    flag = changes.create("x", enabled=True, active_from=datetime(2999, 1, 1, tzinfo=UTC))
    words = ada.ask("share", flag, value="0.001").words
    assert "for 0.001 %; from then on 0 of 100 users (instead of 100)" in words


def test_it_says_nothing_about_a_flag_that_stays_off(ada, crowd, flag):
    assert "users" not in ada.ask("share", flag, value="50").words


# --- who may ----------------------------------------------------------------------------------

DEEDS = {
    "turn-on": ("off", ""),
    "turn-off": ("on", ""),
    "share": ("on", "50"),
    "start": ("on", "5:1d,100"),
    "pause": ("rolling", ""),
    "stop": ("rolling", ""),
    "complete": ("rolling", ""),
    "archive": ("on", ""),
    "restore": ("archived", ""),
}
ALLOWS = {
    "toggle_flag": {"turn-on", "turn-off"},
    "rollout_flag": {"share", "start", "pause", "stop", "complete"},
    "archive_flag": {"archive", "restore"},
    "revert_flag": set(),
    "view_flag": set(),
    "change_flag": set(DEEDS),
}


@pytest.fixture
def states():
    """A flag in each state, by its name."""
    made = {name: changes.create(name, enabled=name != "off", percentage=5) for name in NAMES}
    changes.rollouts.start("rolling", changes.rollouts.to_plan("5:1d,100"))
    changes.archive("archived")
    return {key: stored(key) for key in made}


NAMES = ("off", "on", "rolling", "archived")


@pytest.mark.parametrize("permission", ALLOWS)
def test_a_role_does_what_it_is_allowed_and_nothing_else(states, permission):
    browser = pages(user("rita", "view_flag", permission))
    for verb, (state, value) in DEEDS.items():
        flag = states[state]
        flag.refresh_from_db()
        before = everything()
        data = {"seen": f"{flag.pk}:{flag.version}", "value": value}
        page = browser.post(address_of(verb), data)
        assert (everything() != before) == (verb in ALLOWS[permission]), verb
        assert (page.status == 403) == (verb not in ALLOWS[permission]), verb
        if verb in ALLOWS[permission]:
            page.undo()


@pytest.mark.parametrize("permission", ALLOWS)
def test_a_role_is_offered_what_it_is_allowed_and_nothing_else(states, permission):
    browser = pages(user("rita", "view_flag", permission))
    text = browser.list(Flag, "?state=any").text
    text += "".join(browser.open(flag).text for flag in states.values())
    offered = {verb for verb in DEEDS if f"{address_of(verb)}?" in text or f'"{verb}"' in text}
    assert offered == ALLOWS[permission]


def test_who_may_not_see_flags_can_not_toggle_them(flag):
    browser = pages(user("tom", "toggle_flag"))
    assert browser.ask("turn-on", flag).status == 403


def test_starting_a_rollout_of_a_flag_that_is_off_needs_the_switch_as_well(flag):
    browser = pages(user("rita", "view_flag", "rollout_flag"))
    page = browser.ask("start", flag, value="5:1d,100")
    assert "lacks the permission flaggate.toggle_flag" in page.words


@pytest.mark.parametrize(
    ("permissions", "offered"),
    [
        (("rollout_flag",), {"on"}),
        (("toggle_flag",), set()),
        (("rollout_flag", "toggle_flag"), {"on", "off"}),
        (("change_flag",), {"on", "off"}),
    ],
)
def test_starting_a_rollout_is_offered_where_it_would_not_be_refused(states, permissions, offered):
    browser = pages(user("rita", "view_flag", *permissions))
    start = f"{address_of('start')}?"
    assert {name for name in ("on", "off") if start in browser.open(states[name]).text} == offered


def test_undo_needs_what_the_difference_needs(ada, flag):
    ada.do("share", flag, value="5")
    browser = pages(user("tom", "view_flag", "toggle_flag"))
    data = {"seen": f"{flag.pk}:2"}
    assert "lacks the permission" in browser.post(address_of("undo"), data).words
    assert stored().percentage == 5
    pages(user("rita", "view_flag", "rollout_flag")).post(address_of("undo"), data)
    assert stored().percentage == 0


def test_a_form_from_elsewhere_is_refused(ada, flag):
    page = ada.ask("turn-on", flag)
    ada.client.handler.enforce_csrf_checks = True
    assert page.confirm(csrfmiddlewaretoken="forged").status == 403
    assert not stored().enabled
