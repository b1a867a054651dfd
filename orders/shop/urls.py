"""Addresses of the demo shop, and of every shop's colour, logo and pictures."""

from django.urls import path, re_path

from orders.shop import views

urlpatterns = [
    path("", views.shop, name="shop"),
    path("basket/", views.basket, name="basket"),
    path("basket/order/", views.place, name="place_order"),
    re_path(r"^look/(?P<colour>[0-9a-f]{6})\.css$", views.accent, name="accent"),
    path("logo/<slug:name>.png", views.logo, name="logo"),
    path("pictures/<slug:name>.webp", views.picture, name="picture"),
]
