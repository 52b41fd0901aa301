"""``path("", include("flaggate.api.ofrep.urls"))`` gives ``/ofrep/v1/…``, as clients expect it."""

from django.urls import path

from flaggate.api.ofrep.streams import stream
from flaggate.api.ofrep.usage import Usage
from flaggate.api.ofrep.views import AllFlags, OneFlag

app_name = "ofrep"

urlpatterns = [
    path("ofrep/v1/evaluate/flags", AllFlags.as_view(), name="all"),
    path("ofrep/v1/evaluate/flags/<path:key>", OneFlag.as_view(), name="one"),
    path("ofrep/v1/stream", stream, name="stream"),
    path("flaggate/v1/usage", Usage.as_view(), name="usage"),
]
