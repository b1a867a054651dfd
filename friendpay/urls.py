"""Every address there is."""

from django.contrib import admin
from django.urls import include, path

from friendpay.metrics import metrics

admin.autodiscover()  # the modules named `admin` of all apps

urlpatterns = [
    path("api/v1/", include("friendpay.api.app")),
    path("sandbox/", include("sandbox.urls")),
    path("", include("payments.urls")),
    path("", include("orders.shop.urls")),
    path("admin/pairings/", include("orders.admin.pairing")),
    path("admin/find/", include("payments.admin.finding")),
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
]

handler400 = "friendpay.kit.pages.bad_request"
handler404 = "payments.pages.not_found.not_found"
handler500 = "friendpay.kit.pages.server_error"
