"""A site with django-debug-toolbar, whose views ask for flags in different places."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views import View

import flaggate
from flaggate.decorators import flag_required
from flaggate.urls import flagged_path
from flaggate.views import FlagRequiredMixin

PAGE = "<html><body>{}</body></html>"


def checkout(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.format(request.flags.value("new_checkout")))


def thrice(request: HttpRequest) -> HttpResponse:
    for _ in range(2):
        request.flags.is_active("new_checkout")  # twice
    request.flags.is_active("new_checkout")  # once
    return HttpResponse(PAGE)


def for_others(request: HttpRequest) -> HttpResponse:
    for pk in ("1", "2"):
        flaggate.is_active("half", pk)
    return HttpResponse(PAGE)


def half(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.format(request.flags.is_active("half")))


def before_and_after(request: HttpRequest) -> HttpResponse:
    for key in ("new_checkout", "half", "new_checkout"):
        request.flags.is_active(key)
    return HttpResponse(PAGE)


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


async def patient(request: HttpRequest) -> HttpResponse:
    asked = await flaggate.aflags_for(request)
    return HttpResponse(PAGE.format(asked.is_active("new_checkout")))


def in_template(request: HttpRequest) -> HttpResponse:
    return render(request, "page.html")


def in_jinja(request: HttpRequest) -> HttpResponse:
    return render(request, "page.jinja", using="jinja2")


class Reports(FlagRequiredMixin, View):
    required_flag = "new_checkout"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(PAGE)


urlpatterns = [
    path("checkout/", checkout),
    path("thrice/", thrice),
    path("for-others/", for_others),
    path("half/", half),
    path("before-and-after/", before_and_after),
    path("nothing/", nothing),
    path("patient/", patient),
    path("in-template/", in_template),
    path("in-jinja/", in_jinja),
    path("gated/", flag_required("new_checkout")(nothing)),
    path("reports/", Reports.as_view()),
    flagged_path("routed/", nothing, flag="new_checkout"),
    path("__debug__/", include("debug_toolbar.urls")),
]
