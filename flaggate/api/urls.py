"""The addresses of the management API: ``path("api/flags/", include("flaggate.api.urls"))``."""

from __future__ import annotations

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from flaggate.api.addresses import elsewhere
from flaggate.api.management.flags import FlagViewSet
from flaggate.api.management.keys import KeyViewSet
from flaggate.api.management.revisions import RevisionViewSet
from flaggate.api.management.segments import SegmentViewSet

app_name = "flaggate-api"

router = SimpleRouter()
router.register("flags", FlagViewSet, basename="flag")
router.register("segments", SegmentViewSet, basename="segment")
router.register("revisions", RevisionViewSet, basename="revision")
router.register("keys", KeyViewSet, basename="key")

urlpatterns = [path("v1/", include([*router.urls, re_path("", elsewhere)]))]
