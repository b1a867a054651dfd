"""One person, as far as she can be told from others: a buyer by her id at a shop, a payer by a payment, or by mail."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from friendpay.kit.keys import among
from orders.models import DeliveryNote, Event, Order
from payments.models import MailAddress, Payment, PaymentRequest, Refund


@dataclass(frozen=True)
class Person:
    """Keys of what is about her. A buyer has orders, with what she paid of them herself; a payer has payments."""

    orders: tuple[int, ...] = ()
    payments: tuple[int, ...] = ()
    addresses: tuple[int, ...] = ()

    @property
    def is_known(self) -> bool:
        return bool(self.orders or self.payments or self.addresses)

    @property
    def said(self) -> str:
        """For the record: how much, and of nobody."""
        return f"{len(self.orders)} orders, {len(self.payments)} payments, {len(self.addresses)} addresses"


def buyer(merchant_id: int, buyer_id: str) -> Person:
    """Whoever has this id at this shop."""
    orders = Order.objects.filter(merchant_id=merchant_id, buyer_id=buyer_id)
    return _of(orders if buyer_id else orders.none(), Payment.objects.none(), MailAddress.objects.none())


def buyer_of(order: Order) -> Person:
    """The buyer of an order, with all her orders at the shop; with this alone, if the shop gave no id."""
    if order.buyer_id:
        return buyer(order.merchant_id, order.buyer_id)
    return _of(Order.objects.filter(pk=order.pk), Payment.objects.none(), MailAddress.objects.none())


def payer_of(payment: Payment) -> Person:
    """The payer of a payment, with all that was paid to this shop in her browser."""
    own = Q(visitor=payment.visitor) if payment.visitor else Q(pk=payment.pk)
    paid = Payment.objects.filter(own, merchant_id=payment.merchant_id)
    return _of(Order.objects.none(), paid, MailAddress.objects.none())


def owner_of(digest: str) -> Person:
    """Whoever gave this mail address, as a buyer, a payer or a friend."""
    rows = MailAddress.objects.filter(digest=digest)
    orders = Order.objects.filter(pk__in=rows.filter(role=MailAddress.Role.BUYER).values("order"))
    return _of(orders, Payment.objects.filter(pk__in=rows.values("payment")), rows)


def _of(orders: QuerySet[Order], payments: QuerySet[Payment], addresses: QuerySet[MailAddress]) -> Person:
    own = Payment.objects.filter(Q(request__order__in=orders, by_buyer=True) | Q(pk__in=payments))
    given = MailAddress.objects.filter(
        Q(order__in=orders, role=MailAddress.Role.BUYER) | Q(payment__in=own) | Q(pk__in=addresses)
    )
    return Person(*(tuple(rows.order_by("pk").values_list("pk", flat=True)) for rows in (orders, own, given)))


def known_of(person: Person) -> dict[str, Any]:
    """All that is known of her, as JSON can hold it."""
    orders = Order.objects.filter(pk__in=among(person.orders))
    requests = PaymentRequest.objects.filter(order__in=orders)
    payments = Payment.objects.filter(pk__in=among(person.payments))
    refunds = Refund.objects.filter(payment__in=payments)
    ours = [*payments.values_list("public_id", flat=True), *refunds.values_list("public_id", flat=True)]
    events = Event.objects.filter(Q(order__in=orders) | Q(object_id__in=ours, request__in=_requests_of(payments)))
    return {
        "orders": [
            _row(order, "public_id reference status currency amount buyer_id buyer_name locale metadata created_at")
            | {"lines": [str(line) for line in order.lines.all()]}
            for order in orders.order_by("pk").prefetch_related("lines")
        ],
        "deliveries": [
            _row(note, "carrier tracking_number delivered_at note told_at")
            for note in DeliveryNote.objects.filter(order__in=orders)
        ],
        "payment_requests": [
            _row(it, "public_id status currency amount message shares metadata created_at expires_at opened_at")
            for it in requests.order_by("pk")
        ],
        "payments": [
            _row(
                it,
                "public_id status method currency amount amount_captured payer_name language created_at succeeded_at",
            )
            for it in payments.order_by("pk")
        ],
        "refunds": [
            _row(it, "public_id status reason currency amount note created_at succeeded_at")
            for it in refunds.order_by("pk")
        ],
        "addresses": [
            _row(it, "role address language created_at ends_at")
            for it in MailAddress.objects.filter(pk__in=among(person.addresses))
        ],
        "events": [_row(it, "public_id type created_at data") for it in events.order_by("pk")],
    }


def _requests_of(payments: QuerySet[Payment]) -> QuerySet[Any]:
    return payments.values("request__public_id")


def _row(thing: Any, names: str) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names.split()}
