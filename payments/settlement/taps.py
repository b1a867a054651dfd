"""A tap on "Pay": all that is to be known before anybody begins, read by one statement."""

from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, reads
from friendpay.kit.errors import Refused
from orders.models import Order
from payments.models import Payment, PaymentRequest, ProviderAccount
from payments.offers import weighing
from payments.offers.rollout import Case
from payments.offers.shop_settings import REVISION, ShopSettings, settings_of
from payments.offers.weighing import Offer, Surface
from payments.settlement import chip_in, turns

_WIDTH = len(PaymentRequest._meta.concrete_fields)

_READ = f"""
    SELECT clock_timestamp(), {REVISION},
        (SELECT json_agg(json_build_array(line.name, line.category) ORDER BY line.id)
            FROM orders_orderline line WHERE line.order_id = o.id),
        CASE WHEN %(visitor)s <> '' THEN (SELECT json_agg(payment ORDER BY payment.id)
            FROM payments_payment payment WHERE payment.request_id = r.id AND payment.visitor = %(visitor)s
                AND payment.status IN ('created', 'pending')) END,
        {reads.columns(PaymentRequest, "r")}, {reads.columns(Order, "o")}
    FROM payments_paymentrequest r
    JOIN orders_order o ON o.id = r.order_id
    JOIN orders_merchant m ON m.id = r.merchant_id
    WHERE r.token = %(token)s
"""


@dataclass(frozen=True)
class Tap:
    """A request with its order, what the payer sees of it, and her own attempts that may still be paid."""

    now: datetime
    request: PaymentRequest
    visitor: str
    own: list[Payment]
    shop: ShopSettings
    goods: tuple[tuple[str, str], ...]

    @cached_property
    def accounts(self) -> list[ProviderAccount]:
        """Those that may take the order's money."""
        return chip_in.taking(self.request.order, self.shop.accounts)

    def offer(self, method: str, surface: Surface) -> Offer:
        """The chosen way to pay. Refused when it is not offered here: this alone decides whether she may."""
        case = Case.known(self.request.order, self.goods, self.shop.rules)
        for offer in weighing.shown(weighing.weigh_known(case, surface, self.shop.accounts, self.now)):
            if offer.method == method:  # a copy, for calls note on the account what they find, and settings are shared
                return replace(offer, account=copy(offer.account))
        raise Refused(
            "method_not_offered", _("Please choose one of the ways to pay on this page."), field="method", status=422
        )


def read(token: str, visitor: str) -> Tap:
    """What whoever taps on the request of this link finds; `visitor` is "" for one who is not known. Raises
    PaymentRequest.DoesNotExist where there is no such link.
    """
    row = reads.one(_READ, {"token": token, "visitor": visitor})
    if row is None:
        raise PaymentRequest.DoesNotExist
    moment, revision, goods, own, *columns = row
    now = clock.told(moment)
    request = reads.made(PaymentRequest, tuple(columns[:_WIDTH]))
    request.order = reads.made(Order, tuple(columns[_WIDTH:]))
    shop = settings_of(request.merchant_id, revision)
    request.merchant = request.order.merchant = shop.merchant
    return Tap(
        now=now,
        request=request,
        visitor=visitor,
        own=turns.among(_payments(request, shop, own or []), now),
        shop=shop,
        goods=tuple((name, category) for name, category in goods or []),
    )


def _payments(request: PaymentRequest, shop: ShopSettings, rows: list[dict[str, object]]) -> list[Payment]:
    accounts = {account.pk: account for account in shop.accounts}
    payments = [reads.told(Payment, row) for row in rows]
    for payment in payments:
        payment.request, payment.account = request, accounts[payment.account_id]
    return payments
