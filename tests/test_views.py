"""Class-based views behind a flag."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.views import View

from flaggate.views import FlagRequiredMixin
from tests.fixtures import a_request, layouts, released, targeted

pytestmark = pytest.mark.django_db


class Reports(FlagRequiredMixin, View):
    required_flag = "beta_reports"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("reports")


class AsyncReports(FlagRequiredMixin, View):
    required_flag = "beta_reports"

    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("reports")


def upgrade(request: HttpRequest) -> HttpResponse:
    return HttpResponse("upgrade")


def body(view: Any, user: Any = None) -> str:
    view = async_to_sync(view) if iscoroutinefunction(view) else view
    response: HttpResponse = view(a_request(user=user))
    return response.content.decode()


both = pytest.mark.parametrize("view", [Reports, AsyncReports])


@both
def test_whoever_is_inside_sees_the_view(view):
    released("beta_reports")
    assert body(view.as_view()) == "reports"


@both
def test_everybody_else_gets_a_404(view):
    with pytest.raises(Http404):
        body(view.as_view())


@both
def test_the_flag_may_stand_in_the_route(view):
    released("other_flag")
    assert body(view.as_view(required_flag="other_flag")) == "reports"


@both
@pytest.mark.parametrize("otherwise", [upgrade, staticmethod(upgrade)], ids=["plain", "static"])
def test_everybody_else_may_get_another_view(view, otherwise):
    upgrading = type("Upgrading", (view,), {"flag_otherwise": otherwise})
    assert body(upgrading.as_view()) == "upgrade"
    assert body(type("Inheriting", (upgrading,), {}).as_view()) == "upgrade"
    assert body(view.as_view(flag_otherwise=upgrade)) == "upgrade"


@both
def test_everybody_else_may_be_sent_elsewhere(view):
    gate = view.as_view(flag_redirect_to="/plans/")
    gate = async_to_sync(gate) if iscoroutinefunction(gate) else gate
    assert gate(a_request())["Location"] == "/plans/"


@both
def test_a_variant_can_be_required(view):
    layouts("price_layout")
    inside = view.as_view(required_flag="price_layout", required_variant="compact")
    outside = view.as_view(required_flag="price_layout", required_variant="wide")
    assert body(inside) == "reports"
    with pytest.raises(Http404):
        body(outside)


def test_an_async_view_stays_async():
    assert iscoroutinefunction(AsyncReports.as_view())
    assert not iscoroutinefunction(Reports.as_view())


def test_an_async_view_has_the_groups_of_the_user_loaded():
    targeted("beta_reports", ("groups", "one_of", ["beta"]))
    ada = User.objects.create_user("ada")
    ada.groups.add(Group.objects.create(name="beta"))
    assert body(AsyncReports.as_view(), ada) == "reports"


def test_the_flag_is_asked_before_other_mixins_wherever_it_stands():
    class ForUsers(LoginRequiredMixin, Reports):
        raise_exception = True

    class ForUsersToo(FlagRequiredMixin, LoginRequiredMixin, View):
        required_flag = "beta_reports"
        raise_exception = True

    for view in (ForUsers, ForUsersToo):
        with pytest.raises(Http404):
            body(view.as_view())


@pytest.mark.parametrize("key", ["", None])
def test_a_view_without_a_key_is_refused_when_it_is_routed(key):
    nameless = type("Nameless", (FlagRequiredMixin, View), {"required_flag": key})
    with pytest.raises(ImproperlyConfigured, match=r"Nameless.required_flag is empty\. Set it"):
        nameless.as_view()


def test_the_view_keeps_its_class():
    assert Reports.as_view().view_class is Reports
