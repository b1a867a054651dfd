from django.urls import path

from sandbox import views

app_name = "sandbox"
urlpatterns = [
    path("<slug:ref>/", views.wallet, name="wallet"),
]
