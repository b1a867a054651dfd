"""`path("friendpay/", include("friendpay_oscar.urls"))`."""

from django.urls import path

from friendpay_oscar import views

app_name = "friendpay"
urlpatterns = [
    path("webhook/", views.webhook, name="webhook"),
    path("order/<str:number>/<str:signature>/", views.order, name="order"),
]
