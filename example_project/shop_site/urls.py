from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    # Admin's pages have no icon of their own, and browsers ask for one.
    path("favicon.ico", RedirectView.as_view(url=static("shop/margin-mark.svg"))),
    path("admin/", admin.site.urls),
    path("demo/", include("shop.demo.urls")),
    path("api/flags/", include("flaggate.api.urls")),
    path("", include("flaggate.api.ofrep.urls")),
    path("", include("shop.urls")),
]
