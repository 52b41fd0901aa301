"""All that can be mounted, as in docs/reference."""

from django.urls import include, path

urlpatterns = [
    path("", include("flaggate.api.ofrep.urls")),
    path("api/flags/", include("flaggate.api.urls")),
]
