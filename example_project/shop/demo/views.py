"""What the demo bar's buttons do. Never part of a real shop: they work in DEBUG only."""

from django.conf import settings
from django.contrib.auth import get_user_model, login, logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from flaggate import conf
from shop.seeds.people import PEOPLE


def back(request: HttpRequest) -> HttpResponseRedirect:
    """Return to the page that the bar was on."""
    page = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return HttpResponseRedirect(page if safe else "/")


@require_POST
def become_another_visitor(request: HttpRequest) -> HttpResponse:
    """Forget the visitor cookie; the next page gives a new one."""
    response = back(request)
    response.delete_cookie(conf.get().VISITOR_COOKIE)
    return response


@require_POST
def log_in_as(request: HttpRequest) -> HttpResponse:
    """Log a seeded user in without a password."""
    username = request.POST.get("username", "")
    if not settings.DEBUG or username not in PEOPLE:
        raise Http404
    user = get_object_or_404(get_user_model(), username=username)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return back(request)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return back(request)
