"""The one address that friendpay calls, below each event."""

from django.urls import include, path
from pretix.multidomain import event_path

from pretix_friendpay import views

event_patterns = [
    path("friendpay/", include([event_path("webhook/", views.webhook, name="webhook", require_live=False)])),
]
