"""Routes behind a flag."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views import View

from flaggate.urls import flagged_path
from tests.fixtures import layouts, released

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Reports(View):
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return HttpResponse(f"reports {kwargs}")


def old_reports(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse(f"old {kwargs}")


urlpatterns = [
    flagged_path("reports/", Reports.as_view(), flag="beta_reports", otherwise=old_reports),
    flagged_path(
        "reports/<int:year>/", Reports.as_view(), {"by": "route"}, "yearly", flag="beta_reports"
    ),
    flagged_path("sent/", Reports.as_view(), flag="beta_reports", redirect_to="/reports/"),
    flagged_path("wide/", Reports.as_view(), flag="price_layout", variant="wide"),
    flagged_path("outside/", Reports.as_view(), flag="beta_reports", active=False),
]


def test_a_route_shows_one_view_or_the_other(client):
    assert client.get("/reports/").content == b"old {}"
    released("beta_reports")
    assert client.get("/reports/").content == b"reports {}"


def test_a_route_is_otherwise_one_of_djangos_own(client):
    released("beta_reports")
    assert reverse("yearly", args=[2026]) == "/reports/2026/"
    assert client.get("/reports/2026/").content == b"reports {'year': 2026, 'by': 'route'}"


def test_a_route_without_another_view_is_not_there(client):
    assert client.get("/reports/2026/").status_code == 404


def test_a_route_can_send_elsewhere(client):
    assert client.get("/sent/")["Location"] == "/reports/"


def test_a_route_can_ask_for_a_variant_or_for_those_outside(client):
    layouts("price_layout")
    assert client.get("/wide/").status_code == 404
    assert client.get("/outside/").status_code == 200
    released("beta_reports")
    assert client.get("/outside/").status_code == 404
