"""Bounds of `expires_in`: how long an order or a request may live."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from friendpay.kit import limits
from friendpay.kit.errors import Refused


def check(life: timedelta) -> None:
    """Refused unless it is between the two."""
    if not limits.LIFE_SHORTEST <= life <= limits.LIFE_LONGEST:
        raise Refused(
            "expires_in_out_of_range", _("Choose between one minute and 30 days."), field="expires_in", status=422
        )


def order_expired() -> Refused:
    return Refused("order_expired", _("This order has expired. It can no longer be paid."))
