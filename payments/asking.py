"""A buyer asks a friend."""

from friendpay import clock
from orders.models import Order
from payments import friction, lifecycle, offers
from payments.models import PaymentRequest
from payments.offers import Surface


def ask(order: Order, surface: Surface) -> PaymentRequest:
    """Open a request to share, or share the one that is open; asking twice asks once. Refused where asking a friend is
    not offered.
    """
    tapped = clock.now()
    offers.check_friend(order, surface)
    request = lifecycle.open_request(order.pk, actor="buyer", shared=True)
    friction.record(friction.Kind.HELP_TAPPED, request, surface=surface.place, at=tapped)
    friction.record(friction.Kind.REQUEST_CREATED, request, surface=surface.place)
    return request
