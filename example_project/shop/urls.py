from django.urls import path

from flaggate.urls import flagged_path
from shop import views

app_name = "shop"

urlpatterns = [
    path("", views.home, name="home"),
    path("products/<slug:slug>/", views.product, name="product"),
    path("basket/", views.basket, name="basket"),
    path("basket/add/<slug:slug>/", views.add, name="add"),
    path("basket/put/<slug:slug>/", views.put, name="put"),
    path("checkout/", views.checkout, name="checkout"),
    path("checkout/review/", views.review, name="review"),
    flagged_path(
        "checkout/express/",
        views.express_checkout,
        flag="new_checkout",
        otherwise=views.classic_checkout,
        name="express_checkout",
    ),
    path("checkout/thanks/", views.thanks, name="thanks"),
]
