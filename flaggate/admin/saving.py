"""Saving a form as one change: reviewed before, and met by whom somebody else was faster."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from flaggate.admin.conflicts import Meeting, apply, document, meanwhile, meet, without_gone
from flaggate.admin.fields import SeenField, comment_of
from flaggate.admin.refusals import words
from flaggate.admin.supposing import ASK
from flaggate.changes import change, rehearse
from flaggate.changes.differences import differences
from flaggate.exceptions import ChangeRefused, Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flaggate.changes import Change
    from flaggate.changes.change import Difference
    from flaggate.models.documents import Document
    from flaggate.store import Definitions


REVIEW = "_review"  # the button that shows what saving would do


class Stopped(Exception):
    """Ends the saving of a form on the way, and takes it back; holds what was to be found out."""

    def __init__(self, found: Any) -> None:
        self.found = found


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form makes of a flag or segment, and how to save what it asks for beyond that."""

    document: Document
    save_extras: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Review:
    """What saving a form would do: each difference in words, and what would hold then.

    ``definitions`` are what would be stored, where it was asked who would get the flag.
    """

    lines: list[str]
    then: str
    digest: str  # of what would be stored: what is saved must be what was reviewed
    again: bool = False  # because something else was to be saved than had been reviewed
    definitions: Definitions | None = None


@dataclass
class Saving:
    """How far the form that a request sends is to be saved, and what came of it."""

    stop: str = ""  # "typed" or "review" are found out, and nothing is saved
    review: Review | None = None
    meeting: Meeting | None = None
    refusal: ChangeRefused | IntegrityError | None = None
    saved: bool = False  # what is there already, as Django would say now

    @classmethod
    def of(cls, request: HttpRequest) -> Saving:
        """Return the one of a request."""
        found: Saving = request.__dict__.setdefault("flaggate_saving", cls())
        return found

    @property
    def held(self) -> bool:
        """Whether the form is shown again, and not to be saved now."""
        return self.review is not None or self.meeting is not None


class SavingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The part of the admin that saves forms."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        save = partial(super().changeform_view, request, object_id, form_url, extra_context)
        if request.method != "POST":
            return save()
        whole = self.get_object(request, unquote(object_id)) if object_id else None
        saving = Saving.of(request)
        try:
            stop = "review" if REVIEW in request.POST or ASK in request.POST else ""
            if whole and not stop and "_reapply" in request.POST:
                return self._reapply(request, whole, save)
            with self._change(request, self._expected(request, whole)) as opened:
                response = self._until(stop, request, save)
        except Stopped as stopped:
            saving.review = stopped.found
        except Conflict as conflict:
            typed = self._typed(request, whole, save)
            saving.meeting = self._meet(request, whole, typed)
            saving.refusal = None if saving.meeting else conflict
        except (ChangeRefused, IntegrityError) as refusal:
            saving.refusal = refusal
        else:
            if saving.saved:
                self._tell(request, whole, opened)
            return response
        # Once more, for a form that knows why it is not saved, and shows what was typed.
        return save()

    def _until(self, stop: str, request: HttpRequest, save: Callable[[], Any]) -> Any:
        """Save, or go only so far, to see what it would do; then it raises Stopped."""
        saving = Saving.of(request)
        saving.stop = stop
        try:
            return save()
        finally:
            saving.stop = ""

    def _reapply(self, request: HttpRequest, whole: Any, save: Callable[[], Any]) -> Any:
        """Save what was typed on top of what somebody else has saved meanwhile."""
        shown = _version(request.POST["_reapply"])
        typed = self._typed(request, whole, save)
        meeting = self._meet(request, whole, typed)
        if typed is None or meeting is None or not meeting.known or shown is None:
            raise Conflict(_("What you typed can't be applied on top. Mend it, or begin again."))
        with self._change(request, {(self.subject, whole.key): shown}) as opened:
            self._apply(opened, whole, meeting, typed)
        self._tell(request, whole, opened)
        return HttpResponseRedirect(request.path)

    def _meet(self, request: HttpRequest, whole: Any, typed: Typed | None) -> Meeting | None:
        """Find out what somebody else did, and what was typed, on top of that."""
        for seen in self._expected(request, whole).values():
            if since := meanwhile(self.subject, whole, seen, request.user):
                meeting = meet(self.subject, whole, since, typed.document if typed else None)
                return self._rehearsed(request, whole, meeting, typed) if typed else meeting
        return None

    def _rehearsed(
        self, request: HttpRequest, whole: Any, meeting: Meeting, typed: Typed
    ) -> Meeting:
        """Say what applying the typed on top would do, all that comes with it included."""
        whole = type(whole).objects.get(pk=whole.pk)
        try:
            with rehearse(actor=request.user, source="admin") as opened:
                differing = self._apply(opened, whole, meeting, typed)
                return replace(meeting, yours=list(_lines(differing, whole)))
        except (ChangeRefused, IntegrityError) as refusal:
            return replace(meeting, refusal=words(refusal))

    def _apply(
        self, opened: Change, whole: Any, meeting: Meeting, typed: Typed
    ) -> list[Difference]:
        apply(self.subject, whole, meeting.wanted)
        typed.save_extras()
        return opened.check()

    def _typed(self, request: HttpRequest, whole: Any, save: Callable[[], Any]) -> Typed | None:
        """Find out what saving the form would make; None where that is refused."""
        if whole is None:
            return None
        as_sent = request.POST
        formsets, _inlines = self._create_formsets(request, whole, change=True)  # type: ignore[attr-defined]
        request.POST = without_gone(as_sent, formsets)  # type: ignore[assignment]
        try:
            with self._change(request):
                self._until("typed", request, save)
        except Stopped as stopped:
            found: Typed = stopped.found
            return found
        except (ChangeRefused, IntegrityError):
            pass
        finally:
            request.POST = as_sent
        return None

    def _tell(self, request: HttpRequest, whole: Any, opened: Change) -> None:
        """Tell of what was saved, instead of Django, which says so even where nothing was."""
        if opened.revisions:
            messages.success(request, self.said(request, whole, opened))
        else:
            messages.info(request, _("Nothing was changed."))

    def said(self, request: HttpRequest, whole: Any, opened: Change) -> str:
        """Say what was changed, with a way back."""
        raise NotImplementedError

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        Saving.of(request).saved = True
        return super().response_change(request, obj)

    def message_user(self, request: HttpRequest, *args: Any, **options: Any) -> None:
        if not Saving.of(request).saved:
            super().message_user(request, *args, **options)

    # --- what those views call: checked before they report success -----------------------------

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        stop = Saving.of(request).stop
        if stop == "typed":
            extras = partial(self.save_extras, form, formsets, change)
            raise Stopped(Typed(document(self.subject, form.instance), extras))
        self.save_extras(form, formsets, change)
        differing = self.check_change()
        reviewed = request.POST.get("reviewed") or digest(differing)
        if stop == "review" or reviewed != digest(differing):
            again = stop != "review"
            raise Stopped(replace(self.review(request, form.instance, differing), again=again))

    def review(self, request: HttpRequest, whole: Any, differing: list[Difference]) -> Review:
        """Say what saving would do, as long as it is written."""
        return Review(list(_lines(differing, whole)), self.words(whole), digest(differing))

    def words(self, whole: Any) -> str:
        """Say what holds, as it is stored now."""
        return ""

    def save_extras(self, form: Any, formsets: Any, change: bool) -> None:
        """Save what a form asks for beyond its rows."""

    @staticmethod
    def check_change() -> list[Difference]:
        """Return what differs so far; raise now what would refuse the open change at its end."""
        with change() as opened:
            return opened.check()

    @property
    def subject(self) -> str:
        """What revisions call it: flag or segment."""
        return str(self.opts.model_name)

    def _change(self, request: HttpRequest, expected: Any = None) -> Any:
        return change(
            actor=request.user,
            source="admin",
            comment=comment_of(request),
            expected_versions=expected,
        )

    def _expected(self, request: HttpRequest, whole: Any) -> dict[tuple[str, str], int]:
        """Return the version seen; without a readable one the form itself is invalid."""
        seen = _version(request.POST.get("seen"))
        return {(self.subject, whole.key): seen} if whole and seen is not None else {}


def digest(differing: list[Difference]) -> str:
    """Sum up what would be stored, to be compared with what was reviewed."""
    stored = [
        (subject, after and (after[0], after[2])) for subject, _pk, _before, after in differing
    ]
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()


def _version(sent: str | None) -> int | None:
    """Read a version that a page showed; None where that is none."""
    try:
        version: int = SeenField(required=True).clean(sent)
    except ValidationError:
        return None
    return version


def _lines(differing: list[Difference], whole: Any) -> Iterator[str]:
    """Say each difference in words; of the whole itself without its name."""
    for subject, pk, before, after in differing:
        entry = after or before
        own = subject == whole._meta.model_name and pk == whole.pk
        name = "" if own or entry is None else f"{subject.label} {entry[0]}: "
        lines = differences(before[2] if before else None, after[2] if after else None)
        yield from (name + line for line in lines)
