from django.urls import path

from shop.demo import views

app_name = "demo"

urlpatterns = [
    path("visitor/", views.become_another_visitor, name="visitor"),
    path("log-in/", views.log_in_as, name="log_in"),
    path("log-out/", views.log_out, name="log_out"),
]
