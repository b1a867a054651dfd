"""The shop's own mail that an order was placed: sent when it is paid, for until then there is nothing to confirm."""

import logging
from typing import Any

from django.contrib.sites.models import Site
from django.urls import reverse
from oscar.core.loading import get_class

logger = logging.getLogger("friendpay.oscar")


def order_placed(order: Any) -> None:
    """A mail that cannot be sent is logged; the order stays confirmed."""
    if order.user:
        path = reverse("customer:order", kwargs={"order_number": order.number})
    else:
        path = reverse("customer:anon-order", kwargs={"order_number": order.number, "hash": order.verification_hash()})
    site = order.site or Site.objects.get_current()
    told = {
        "user": order.user,
        "order": order,
        "lines": order.lines.all(),
        "status_path": path,
        "status_url": f"http://{site.domain}{path}",
    }
    try:
        get_class("order.utils", "OrderDispatcher")(logger=logger).send_order_placed_email_for_user(order, told)
    except Exception:
        logger.exception("order %s: the buyer could not be sent a mail", order.number)
