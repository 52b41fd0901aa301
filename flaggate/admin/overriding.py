"""See a flag for oneself: a small form for personal overrides, and how one sees the flag now."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from flaggate import conf, views
from flaggate.admin.confirming import next_page
from flaggate.context import overrides
from flaggate.flags import pin
from flaggate.templatetags.flaggate_moments import when

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from flaggate.core import definitions
    from flaggate.models import Flag

NAME = "flaggate_flag_override"


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody may see a flag as, for how many hours at most, and what they see it as now."""

    choices: list[tuple[str, str]]  # what is sent, and the words on its button
    hours: str
    back: str
    current: str = ""
    until: SafeString | str = ""


def urls(model_admin: ModelAdmin[Flag]) -> list[URLPattern]:
    """Return the address of this form, whether or not the project has mounted the view."""

    def view(request: HttpRequest) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied
        return override(request)

    return [path("override/", model_admin.admin_site.admin_view(view), name=NAME)]


def override(request: HttpRequest) -> HttpResponse:
    """Do what ``flaggate.views.override`` does, and say so above the page."""
    response = views.override(request)
    key, choice = request.POST.get("flag", ""), request.POST.get("choice", "")
    if response.status_code == HTTPStatus.BAD_REQUEST:
        messages.error(request, _("You can't see this flag in this way, or not for so long."))
        return HttpResponseRedirect(next_page(request))
    if response.status_code == HTTPStatus.FOUND:
        messages.success(request, _said(key, choice))
    return response


def offer(request: HttpRequest, key: str) -> Offer | None:
    """Find out how somebody may see a flag for themselves; None where they may not."""
    flags = pin(request)
    flag = flags.snapshot.flags.get(key)
    user = overrides.overrider(request.user) if conf.get().OVERRIDES else None
    if user is None or flag is None or not flag.overridable:
        return None
    owner, forced = overrides.read(request, flags.now)
    hours = f"{conf.get().OVERRIDE_AGE / 3600:g}"
    shown = Offer(list(_choices(flag)), hours, request.get_full_path())
    if owner != user or key not in forced:
        return shown
    choice, until = forced[key]
    return Offer(shown.choices, hours, shown.back, _name(choice), when(until))


def _choices(flag: definitions.Flag) -> Iterator[tuple[str, str]]:
    words = _("%s for me")
    keys = [each.key for each in flag.variants if each.key not in views.CHOICES]
    for key in keys or ["on"]:
        yield key, words % (key if keys else _("On"))
    yield "off", words % _("Off")


def _name(choice: Any) -> str:
    return {True: _("on"), False: _("off")}.get(choice) or str(choice)


def _said(key: str, choice: str) -> str:
    if not choice:
        return _("You see %(flag)s as everybody does again.") % {"flag": key}
    shown = {"flag": key, "choice": _name(views.CHOICES.get(choice, choice))}
    return _("You see %(flag)s as %(choice)s, in this browser.") % shown
