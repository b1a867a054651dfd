"""The application: its statuses in the shop's pipeline, and a check of its settings."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.translation import gettext_lazy as _

NEEDED = ("FRIENDPAY_URL", "FRIENDPAY_KEY", "FRIENDPAY_WEBHOOK_SECRET")


class FriendpayConfig(AppConfig):
    name = "friendpay_oscar"
    label = "friendpay_oscar"
    verbose_name = _("Ask a friend to pay")

    def ready(self) -> None:
        from friendpay_oscar import statuses

        statuses.add_to_pipeline()
        checks.register(missing_settings)


def missing_settings(**_options: Any) -> list[checks.CheckMessage]:
    """A shop that starts without them offers nothing, and says so."""
    hint = "`manage.py friendpay_connect <address of the shop>` prints the webhook secret."
    return [
        checks.Warning(f"{name} is not set: nobody is offered to ask a friend.", hint=hint, id="friendpay.W001")
        for name in NEEDED
        if not getattr(settings, name, "")
    ]
