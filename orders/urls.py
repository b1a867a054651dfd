from django.urls import path

from orders import views

urlpatterns = [
    path("", views.shop, name="shop"),
    path("basket/", views.basket, name="basket"),
    path("basket/order/", views.place, name="place_order"),
]
