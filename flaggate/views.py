"""Class-based views behind a flag, personal overrides, and the health of the flags."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
    JsonResponse,
)
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST, require_safe

from flaggate import conf
from flaggate.context import overrides
from flaggate.decorators import flag_required
from flaggate.flags import pin
from flaggate.store import status

if TYPE_CHECKING:
    from flaggate.flags import Flags
    from flaggate.store import Status


class FlagRequiredMixin:
    """Shows the view only where a flag is active; others get a 404, unless more is set.

    The flag is asked before anything else of the view runs, whatever the order of the mixins.
    """

    #: The key of the flag. ``as_view()`` raises ImproperlyConfigured where it is empty.
    required_flag: str = ""
    #: The key of the variant that the flag must serve; None: being active is enough.
    required_variant: str | None = None
    #: A view for everybody else; it gets the same arguments.
    flag_otherwise: Callable[..., Any] | None = None
    #: Where everybody else is sent: anything that ``redirect()`` takes.
    flag_redirect_to: str | None = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., Any]:
        """Gate the view function, before any other mixin looks at the request."""

        def option(name: str) -> Any:
            return initkwargs.get(name, getattr(cls, name))

        if not option("required_flag"):
            raise ImproperlyConfigured(
                f"{cls.__name__}.required_flag is empty. Set it to the key of a flag."
            )
        gate = flag_required(
            option("required_flag"),
            otherwise=option("flag_otherwise"),
            redirect_to=option("flag_redirect_to"),
            variant=option("required_variant"),
        )
        return gate(super().as_view(**initkwargs))  # type: ignore[misc]


@never_cache
@require_POST
@csrf_protect
def override(request: HttpRequest) -> HttpResponse:
    """Force a flag for the user who posts this: ``flag`` is its key, ``choice`` the answer.

    ``on``, ``off``, the key of a variant, or nothing to no longer force it; ``hours`` is for how
    long, by default and at most ``FLAGGATE["OVERRIDE_AGE"]``. Redirects to ``next``, or answers
    204. 404 unless ``FLAGGATE["OVERRIDES"]`` is set, 403 without the permission
    ``flaggate.override_flag``, 400 where the flag forbids it, has no such outcome, or not so long.
    """
    if not conf.get().OVERRIDES:
        raise Http404
    if overrides.overrider(request.user) is None:
        raise PermissionDenied
    flags, key, word = pin(request), request.POST.get("flag", ""), request.POST.get("choice", "")
    choice = CHOICES.get(word, word)
    response, age = _back(request), _age(request.POST.get("hours", ""))
    if choice is not None and not (age and _possible(flags, key, choice)):
        return HttpResponseBadRequest("This flag can't be overridden in this way.")
    overrides.remember(request, response, key, choice, flags.now, age)
    return response


CHOICES: dict[str, bool | None] = {"": None, "on": True, "off": False}


def _age(hours: str) -> timedelta | None:
    """Read for how long; None where that is no time, or too long."""
    longest = conf.get().OVERRIDE_AGE
    try:
        seconds = float(hours) * 3600 if hours else longest
    except ValueError:
        return None
    return timedelta(seconds=seconds) if 0 < seconds <= longest else None


def _possible(flags: Flags, key: str, choice: object) -> bool:
    return key in flags.snapshot.personal("", {key: (choice, flags.now)}).overrides


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    hosts, https = {request.get_host()}, request.is_secure()
    if not url_has_allowed_host_and_scheme(target, hosts, require_https=https):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return HttpResponseRedirect(target)


@never_cache
@require_safe
def health(request: HttpRequest, limit: float | None = 60) -> JsonResponse:
    """Tell as JSON whether this process knows its flags; names none of them, and needs no login.

    503 without any, or once a look at the database is ``limit`` seconds overdue; None sets no
    limit. The database is looked at as by any other request.
    """
    pin(request)
    now = status()
    return JsonResponse(
        {
            "source": now.source,
            "version": now.version.number if now.version else None,
            "age": None if now.age is None else round(now.age, 1),  # seconds
            "failures": now.failures,
            "quarantined": len(now.quarantined),
        },
        status=HTTPStatus.OK if _healthy(now, limit) else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def _healthy(now: Status, limit: float | None) -> bool:
    interval = conf.get().MAX_STALENESS
    if now.age is None:
        return False
    if limit is None or (interval is None and not now.failures):
        return True  # where nobody polls, no look is overdue
    return now.age <= limit + (interval or 0)
