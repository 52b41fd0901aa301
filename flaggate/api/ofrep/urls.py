"""``path("", include("flaggate.api.ofrep.urls"))`` gives ``/ofrep/v1/…``, as clients expect it."""

from django.urls import path, re_path

from flaggate.api.addresses import elsewhere
from flaggate.api.ofrep.streams import stream
from flaggate.api.ofrep.usage import Usage
from flaggate.api.ofrep.views import AllFlags, OneFlag

app_name = "ofrep"

urlpatterns = [
    path("ofrep/v1/evaluate/flags", AllFlags.as_view(), name="all"),
    # Any key at all, none and one with a line break, too: no such flag is an answer of OFREP's.
    re_path(r"^ofrep/v1/evaluate/flags/(?P<key>[\s\S]*)\Z", OneFlag.as_view(), name="one"),
    path("ofrep/v1/stream", stream, name="stream"),
    re_path("^ofrep/v1/", elsewhere, {"word": "errorDetails"}),
    path("flaggate/v1/usage", Usage.as_view(), name="usage"),
]
