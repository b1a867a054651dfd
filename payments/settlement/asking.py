"""Asking a friend: opens the request, or shares the open one, within its limits."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, counters, limits, text_filter
from friendpay.kit.errors import Refused
from friendpay.kit.writes import Writes
from orders.models import Order, OrderLine
from payments.funnel import steps
from payments.models import PaymentRequest
from payments.offers import weighing
from payments.offers.rollout import Case
from payments.offers.shop_settings import shop_of_buyer
from payments.offers.weighing import Surface
from payments.settlement import chip_in, lifecycle, rules
from payments.settlement.chip_in import Split
from payments.settlement.locks import new_request


def ask(order: Order, surface: Surface, network: str = "") -> PaymentRequest:
    """Open a request to share, or share the one that is open; asking twice asks once. Refused where asking a friend is
    not offered, and for a buyer who asks without end.
    """
    tapped = clock.now()
    weighing.check_friend(Case.of(order), surface)
    open_already = PaymentRequest.objects.filter(
        order=order, status=PaymentRequest.Status.OPEN, shared_at__isnull=False
    )
    if not open_already.exists():
        _check_often(order, network)
    request = lifecycle.open_request(order.pk, actor="buyer", shared=True)
    steps.record(steps.Kind.HELP_TAPPED, request, surface=surface.place, at=tapped)
    steps.record(steps.Kind.REQUEST_CREATED, request, surface=surface.place, at=request.shared_at)
    return request


def check_offered(order: Order, goods: tuple[tuple[str, str], ...], surface: Surface, now: datetime) -> None:
    """Refused where asking a friend for these goods (name and category) is not offered, as the shop's rules are now."""
    shop, stopped = shop_of_buyer(order.merchant_id, order.buyer_id)
    weighing.check_friend(Case.known(order, goods, shop.rules), surface, stopped=stopped, now=now)


class WithOrder:
    """Asking a friend together with placing the order: `services.place_order(..., also=WithOrder(...))` writes both by
    one statement, or, where either is refused, neither. The fields it refuses are those of `payment_request`.
    """

    def __init__(
        self,
        surface: Surface,
        *,
        message: str,
        expires_in: timedelta | None,
        split: Split | None,
        metadata: dict[str, str],
    ) -> None:
        self._metadata = metadata
        self._surface, self._message, self._expires_in, self._split = surface, message, expires_in, split
        self._request: PaymentRequest | None = None

    def __call__(self, order: Order, lines: list[OrderLine], now: datetime, writes: Writes) -> None:
        """Nobody else knows the order yet, so there is nothing to lock."""
        try:
            message = text_filter.check(self._message)
            rules.check_order_open(order, now)
            check_offered(order, tuple((line.name, line.category) for line in lines), self._surface, now)
            most, least, shares = chip_in.agreed(order, self._split)
            self._request = new_request(
                order,
                now,
                "merchant",
                self._expires_in,
                writes=writes,
                message=message,
                metadata=self._metadata,
                split_max_payers=most,
                split_min_amount=least,
                shares=shares,
                shared_at=now,
            )
            writes.insert(steps.first(steps.Kind.REQUEST_CREATED, self._request, surface=self._surface.place, at=now))
        except Refused as refused:
            refused.field = refused.field and f"payment_request.{refused.field}"
            raise

    def made(self) -> PaymentRequest:
        """The request, once the order is placed."""
        assert self._request
        return self._request


def _check_often(order: Order, network: str) -> None:
    recent = PaymentRequest.objects.filter(
        merchant=order.merchant_id, order__buyer_id=order.buyer_id, shared_at__gt=clock.now() - limits.ASKS_WITHIN
    )
    asked = recent.count() if order.buyer_id and not settings.DEMO else 0  # all visitors of a demo are one customer
    near = counters.count(f"ask:{network}", window=int(limits.ASKS_WITHIN.total_seconds()))[0][0] if network else 0
    if asked >= limits.ASKS_OF_A_BUYER or near > limits.ASKS_OF_A_NETWORK:
        raise Refused("asked_often", _("You have asked often in the last hour. Please wait a while."), status=429)
