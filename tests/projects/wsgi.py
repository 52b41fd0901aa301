"""A server's entry: each page says which process answers, and what it knows."""

import os

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

import flaggate


def page(request: HttpRequest) -> JsonResponse:
    active, status = request.flags.is_active("x"), flaggate.status()
    return JsonResponse(
        {
            "process": os.getpid(),
            "active": active,
            "loads": status.loads,
            "failures": status.failures,
        }
    )


urlpatterns = [path("", page)]

application = get_wsgi_application()
if os.environ.get("ASK_BEFORE_FORK"):
    flaggate.is_active("x")
