from django.contrib.auth.models import User

from flaggate.models import Flag, Revision, Rule, Segment, State

REVIEW = {"_save": None, "_review": "Review changes"}


def stored(key="x"):
    return Flag.objects.get(key=key)


def review(page, **typed):
    return page.save(**REVIEW, **typed)


def test_what_is_there_already_is_reviewed_before_it_is_saved(ada, flag):
    text = ada.open(flag).text
    assert 'name="_review"' in text
    assert 'name="_save"' not in text
    assert 'name="_save"' in ada.add(Flag).text


def test_a_review_says_what_saving_would_change_and_saves_nothing(ada, flag, segment):
    before = State.objects.get().token
    page = review(ada.open(flag), enabled="on", percentage="5", rules_0_segments=str(segment.pk))
    words = page.words
    assert "enabled: no → yes" in words
    assert "percentage: 0 % → 5 %" in words
    assert "rule 1: added, 100 % of beta" in words
    assert "Then: on for segment beta, then 5 %" in words
    assert (State.objects.get().token, Revision.objects.filter(key="x").count()) == (before, 1)
    assert not stored().enabled


def test_what_was_reviewed_can_be_saved(ada, flag, segment):
    page = review(ada.open(flag), percentage="5", rules_0_segments=str(segment.pk), comment="Now.")
    assert page.fields["rules-0-segments"] == [str(segment.pk)]
    page.save()
    assert (stored().percentage, Rule.objects.count()) == (5, 1)
    assert Revision.objects.first().comment == "Now."


def test_a_review_of_people_names_their_segment(ada, flag):
    words = review(ada.open(flag), people="42").words
    assert "segment x.people: created" in words
    assert not Segment.objects.exists()


def test_where_nothing_would_change_there_is_nothing_to_save(ada, flag):
    page = review(ada.open(flag))
    assert "Saving would change nothing" in page.words
    assert 'name="_save"' not in page.text


def test_what_would_be_refused_stands_at_its_field(ada, flag):
    page = review(ada.open(flag), off_variant="nope")
    assert "is no variant of the flag" in page.errors["off_variant"]
    assert "Saving would change" not in page.words


def test_a_review_leaves_no_entry_in_admins_own_log(ada, flag):
    review(ada.open(flag), percentage="5")
    assert not User.objects.get(username="ada").logentry_set.exists()


def test_a_conflict_shows_in_the_review_already(ada, bob, flag):
    page = bob.open(flag)
    ada.open(flag).save(percentage="5")
    assert "ada changed it" in review(page, description="Bob's").words


def test_saving_offers_to_undo(ada, flag):
    page = ada.open(flag).save(percentage="5", _continue="1", _save=None)
    assert page.messages[-1] == "Done: x is off."
    page.undo()
    assert stored().percentage == 0


def test_saving_without_a_change_offers_nothing_to_undo(ada, flag):
    assert len(ada.open(flag).save().messages) == 1


def test_what_was_only_added_offers_nothing_to_undo(ada):
    assert len(ada.add(Flag).save(key="new").messages) == 1


def test_a_segment_is_reviewed_as_well(ada, segment):
    page = review(ada.open(segment), name="Testers", included="42")
    assert "name: Beta testers → Testers" in page.words
    assert "included: added 42" in page.words
    assert 'name="_ask"' not in page.text
    assert Segment.objects.get(key="beta").name == "Beta testers"
    page.save()
    assert Segment.objects.get(key="beta").name == "Testers"


# --- what is saved is what was reviewed -------------------------------------------------------


def test_what_is_typed_after_a_review_is_reviewed_before_it_is_saved(ada, flag):
    page = review(ada.open(flag), description="New words")
    page = page.save(percentage="99")
    assert "Nothing was saved: what you typed since the review was not in it." in page.words
    assert "percentage: 0 % → 99 %" in page.words
    assert (stored().description, stored().percentage) == ("", 0)
    page.save()
    assert (stored().description, stored().percentage) == ("New words", 99)


def test_a_reason_typed_after_a_review_is_saved_with_it(ada, flag):
    review(ada.open(flag), description="New words").save(comment="Because.")
    assert Revision.objects.first().comment == "Because."


def test_people_typed_before_a_review_are_saved_after_it(ada, flag):
    review(ada.open(flag), people="42").save()
    assert Segment.objects.get(key="x.people").members.count() == 1


# --- what is told afterwards ------------------------------------------------------------------


def test_one_message_says_what_holds_and_takes_it_back(ada, flag):
    page = ada.open(flag).save(percentage="5", enabled="on")
    assert [message.split(" <form")[0] for message in page.messages] == ["Done: x is on for 5 %."]
    page.undo()
    assert (stored().enabled, stored().percentage) == (False, 0)


def test_of_a_segment_it_leads_to_the_page_that_goes_back(ada, segment):
    page = ada.open(segment).save(name="Testers")
    back = "/admin/flaggate/revision/of/segment/beta/revert/1/"
    assert page.messages == [f'The segment beta was changed. <a href="{back}">Undo</a>']
    assert "name: Testers → Beta testers" in ada.get(back).words


def test_a_form_that_changes_nothing_says_so(ada, flag, segment):
    for each in (flag, segment):
        assert ada.open(each).save().messages == ["Nothing was changed."]


def test_people_added_to_a_flag_that_has_some_are_not_undone_as_the_flag(ada, flag):
    ada.open(flag).save(people="42")
    page = ada.open(flag).save(people="43")
    assert page.messages == ["Done: x is off."]
