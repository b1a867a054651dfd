"""Asking a friend: opens the request, or shares the open one, within its limits."""

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock
from friendpay.kit import counters as ratelimit
from friendpay.kit.errors import Refused
from orders.models import Order
from payments.funnel import steps as friction
from payments.models import PaymentRequest
from payments.offers import weighing as offers
from payments.offers.weighing import Surface
from payments.settlement import lifecycle

WITHIN = timedelta(hours=1)
ASKS_OF_A_BUYER, ASKS_OF_A_NETWORK = 30, 300
"""What one customer of a shop, and one network, may ask for by hand in an hour. A shop's own calls do not count."""


def ask(order: Order, surface: Surface, network: str = "") -> PaymentRequest:
    """Open a request to share, or share the one that is open; asking twice asks once. Refused where asking a friend is
    not offered, and for a buyer who asks without end.
    """
    tapped = clock.now()
    offers.check_friend(order, surface)
    open_already = PaymentRequest.objects.filter(
        order=order, status=PaymentRequest.Status.OPEN, shared_at__isnull=False
    )
    if not open_already.exists():
        _check_often(order, network)
    request = lifecycle.open_request(order.pk, actor="buyer", shared=True)
    friction.record(friction.Kind.HELP_TAPPED, request, surface=surface.place, at=tapped)
    friction.record(friction.Kind.REQUEST_CREATED, request, surface=surface.place)
    return request


def _check_often(order: Order, network: str) -> None:
    recent = PaymentRequest.objects.filter(
        merchant=order.merchant_id, order__buyer_id=order.buyer_id, shared_at__gt=clock.now() - WITHIN
    )
    asked = recent.count() if order.buyer_id and not settings.DEMO else 0  # all visitors of a demo are one customer
    near = ratelimit.count(f"ask:{network}", window=int(WITHIN.total_seconds()))[0][0] if network else 0
    if asked >= ASKS_OF_A_BUYER or near > ASKS_OF_A_NETWORK:
        raise Refused("asked_often", _("You have asked often in the last hour. Please wait a while."), status=429)
