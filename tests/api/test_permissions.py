"""Django REST framework's views behind a flag."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ImproperlyConfigured
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

import flaggate
from flaggate import changes, recording
from flaggate.api.permissions import FlagRequired
from tests.fixtures import layouts, released, targeted

pytestmark = pytest.mark.django_db


class Invoices(APIView):
    permission_classes = [FlagRequired]
    required_flag: str = "new_api"

    def get(self, request: Request) -> Response:
        return Response({"invoices": []})


def ask(view: type[APIView], user: Any = None, **fields: Any) -> Response:
    request = APIRequestFactory().get("/")
    request.user = AnonymousUser()
    if user is not None:
        force_authenticate(request, user)
    response: Response = view.as_view(**fields)(request)
    response.render()
    return response


def test_whoever_is_inside_passes():
    released("new_api")
    assert ask(Invoices).data == {"invoices": []}


def test_everybody_else_gets_a_404_that_names_nothing():
    changes.create("new_api")
    response = ask(Invoices)
    assert response.status_code == 404
    assert b"new_api" not in response.content


def test_the_user_that_the_framework_authenticated_counts():
    targeted("new_api", ("username", "one_of", ["ada"]))
    assert ask(Invoices, User(pk=1, username="ada")).status_code == 200
    assert ask(Invoices, User(pk=2, username="grace")).status_code == 404
    assert ask(Invoices).status_code == 404


def test_late_authentication_counts_also_where_flags_were_asked_before():
    class Token(BaseAuthentication):
        def authenticate(self, request: Request) -> tuple[User, None]:
            return User(pk=1, username="ada"), None

    class ForTokens(Invoices):
        authentication_classes = [Token]

    targeted("new_api", ("username", "one_of", ["ada"]))
    request = APIRequestFactory().get("/")
    request.user = AnonymousUser()
    assert not flaggate.is_active("new_api", request)
    assert ForTokens.as_view()(request).status_code == 200
    assert flaggate.is_active("new_api", request)


def test_the_decision_counts_as_a_question():
    released("new_api")
    recording.counts.clear()
    ask(Invoices)
    assert [answer.flag for answer in recording.counts] == ["new_api"]


def test_a_variant_can_be_required():
    class Compact(Invoices):
        required_flag = "price_layout"
        required_variant = "compact"

    class Wide(Compact):
        required_variant = "wide"

    layouts("price_layout")
    assert ask(Compact).status_code == 200
    assert ask(Wide).status_code == 404


def test_an_off_variant_does_not_pass():
    class Compact(Invoices):
        required_flag = "price_layout"
        required_variant = "compact"

    changes.create("price_layout", variants=[("compact", 1, 1)], off_variant="compact")
    assert ask(Compact).status_code == 404


def test_it_stands_beside_other_permissions():
    class ForUsers(Invoices):
        permission_classes = [IsAuthenticated, FlagRequired]

    released("new_api")
    assert ask(ForUsers).status_code == 403
    assert ask(ForUsers, User(pk=1)).status_code == 200
    changes.disable("new_api")
    assert ask(ForUsers, User(pk=1)).status_code == 404


def test_it_gates_viewsets():
    class Orders(ViewSet):
        permission_classes = [FlagRequired]
        required_flag = "new_api"

        def list(self, request: Request) -> Response:
            return Response([])

    view = Orders.as_view({"get": "list"})
    assert view(APIRequestFactory().get("/")).status_code == 404
    released("new_api")
    assert view(APIRequestFactory().get("/")).status_code == 200


@pytest.mark.parametrize("key", ["", None])
def test_a_view_without_a_key_is_refused(key):
    nameless = type("Nameless", (Invoices,), {"required_flag": key})
    with pytest.raises(ImproperlyConfigured, match=r"Nameless.required_flag is missing\. Set it"):
        ask(nameless)


def test_a_view_that_never_heard_of_flags_is_refused():
    class Forgetful(APIView):
        permission_classes = [FlagRequired]

    with pytest.raises(ImproperlyConfigured):
        ask(Forgetful)
