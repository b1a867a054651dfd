"""Every address there is."""

from django.contrib import admin
from django.urls import include, path

from friendpay.health import metrics

urlpatterns = [
    path("", include("orders.urls")),
    path("", include("payments.urls")),
    path("api/v1/", include("friendpay.api")),
    path("sandbox/", include("sandbox.urls")),
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
]

handler400 = "friendpay.pages.bad_request"
handler404 = "payments.views.lost.not_found"
