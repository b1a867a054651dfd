"""The plugin as pretix lists it."""

from django.utils.translation import gettext_lazy as _
from pretix.base.plugins import PluginConfig

from pretix_friendpay import __version__


class FriendpayApp(PluginConfig):
    default = True
    name = "pretix_friendpay"
    verbose_name = "friendpay"

    class PretixPluginMeta:
        name = "friendpay"
        author = "friendpay"
        category = "PAYMENT"
        version = __version__
        compatibility = "pretix>=2026.8.0"
        description = _(
            "Buyers ask a friend to pay for their tickets, by a link and the wallet the friend already has."
        )
        settings_links = [
            ((_("Payment"), "friendpay"), "control:event.settings.payment.provider", {"provider": "friendpay"})
        ]

    def ready(self) -> None:
        from pretix_friendpay import signals  # noqa: F401
