from django.urls import include, path

urlpatterns = [path("", include("flaggate.api.ofrep.urls"))]
