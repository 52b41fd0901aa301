"""What ``serving.py`` serves: OFREP, and a view of the framework that has nothing to do."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Empty(APIView):
    """Answers with an empty object."""

    permission_classes = [AllowAny]
    renderer_classes = [JSONRenderer]

    def post(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path("empty", Empty.as_view()),
    path("", include("flaggate.api.ofrep.urls")),
]
