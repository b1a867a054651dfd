"""The desk's search: people paste a link, a share code, a whole message, an order number, or a wallet's reference."""

import re
from dataclasses import dataclass

from django.db.models import Q

from friendpay.kit import limits
from orders.models import Order
from payments.models import Payment, PaymentRequest, Refund
from payments.share import codes, receipt_numbers

_LINK = re.compile(r"/(?:p|checkout|r)/([0-9A-Za-z]{20,40})")


@dataclass(frozen=True)
class Found:
    """The rows named, by id; whatever belongs to them is found through them."""

    orders: list[int]
    requests: list[int]
    payments: list[int]
    refunds: list[int]

    def as_orders(self) -> Q:
        return Q(pk__in=self.orders) | Q(pk__in=PaymentRequest.objects.filter(self._below_request()).values("order"))

    def as_requests(self) -> Q:
        return Q(order__in=self.orders) | self._below_request()

    def as_payments(self) -> Q:
        above = Q(request__in=self.requests) | Q(request__order__in=self.orders)
        return above | Q(pk__in=self.payments) | Q(pk__in=Refund.objects.filter(pk__in=self.refunds).values("payment"))

    def as_refunds(self) -> Q:
        above = Q(payment__request__in=self.requests) | Q(payment__request__order__in=self.orders)
        return above | Q(payment__in=self.payments) | Q(pk__in=self.refunds)

    def _below_request(self) -> Q:
        payments = Payment.objects.filter(Q(pk__in=self.payments) | Q(refunds__in=self.refunds))
        return Q(pk__in=self.requests) | Q(pk__in=payments.values("request"))


def find(text: str) -> Found:
    """Every order, request, payment and refund that the text names. Each is looked up by an index of its own."""
    tokens = [*_LINK.findall(text), text]
    named = Q(public_id=text) | Q(token__in=tokens)
    ours = Q(public_id=text) | Q(reference=text) | Q(provider_ref=text)
    return Found(
        orders=_ids(Order, named | Q(reference=text)),
        requests=_ids(PaymentRequest, named | Q(code__in=codes.inside(text))),
        payments=_ids(Payment, ours | Q(token__in=tokens) | Q(pk=receipt_numbers.meant(text))),
        refunds=_ids(Refund, ours),
    )


def _ids(model: type[Order | PaymentRequest | Payment | Refund], condition: Q) -> list[int]:
    return list(model._default_manager.filter(condition).values_list("pk", flat=True)[: limits.SEARCH_ROWS])
