"""All that the buyer's pages show of an order, read at one moment by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404

from friendpay.kit import clock, limits
from friendpay.kit.rows import attach, attach_one, models, rows
from orders.models import Event, Order, OrderLine, Picture
from payments.models import MailAddress, Payment, PaymentRequest, ProviderAccount, Refund, Step, StoppedBuyer
from payments.pages.attempts import Attempts

DECLINED = "payment_request.declined"
THANKED = "payment_request.thanked"
ASKED = ("payment_request.created", "payment_request.shared")


@dataclass(frozen=True)
class Reading:
    """An order with its shop and lines, its last request and what was tried on that, what was paid for it and what went
    back.
    """

    now: datetime
    order: Order
    request: PaymentRequest | None
    attempts: Attempts | None
    payments: Sequence[Payment]  # of all its requests: those that brought money
    refunds: Sequence[Refund]  # of these, those that stand
    accounts: Sequence[ProviderAccount]  # of the shop, in use or not
    outcome: Event | None  # how the last attempt on the request ended, or that somebody said no after it
    declined: dict[str, Any] | None  # what was said with the last no
    thanked: dict[str, Any] | None
    address: MailAddress | None  # where the buyer's news go
    stopped: bool  # whether support has stopped this buyer from asking friends
    asked_here: bool  # whether the request was asked for on the buyer's page itself, not by the shop
    sent: bool  # whether the buyer has tapped a way to send it

    @property
    def status(self) -> str:
        """Of the request, "" where there is none."""
        return self.request.status_at(self.now) if self.request else ""

    @property
    def given(self) -> list[Payment]:
        """What counts towards the order."""
        return [payment for payment in self.payments if payment.amount_applied]

    @property
    def refunds_of_request(self) -> list[Refund]:
        return [refund for refund in self.refunds if self.request and refund.payment.request_id == self.request.pk]

    @property
    def disputed_of_request(self) -> int:
        """What payers asked their banks for, of what came for it."""
        return sum(it.amount_disputed for it in self.payments if self.request and it.request_id == self.request.pk)


def read(token: str, visitor: str) -> Reading:
    """404 where there is no such order."""
    order = _orders(visitor).filter(token=token).first()
    if order is None:
        raise Http404
    found: dict[str, Any] = vars(order)
    now = clock.told(found["now"])
    attach(order, "lines", lines := models(OrderLine, found["line_rows"]))
    attach_one(lines, "picture", models(Picture, found["picture_rows"]))
    request = next(iter(models(PaymentRequest, found["request_rows"])), None)
    if request:
        request.order, request.merchant = order, order.merchant
    accounts = models(ProviderAccount, found["account_rows"])
    payments = _payments(order, request, accounts, found)
    refunds = models(Refund, found["refund_rows"])
    known = {payment.pk: payment for payment in payments}
    for refund in refunds:
        refund.payment = known[refund.payment_id]
    events = (found["outcome_rows"], found["declined_rows"], found["thanked_rows"])
    outcome, declined, thanked = (next(iter(models(Event, row)), None) for row in events)
    return Reading(
        now=now,
        order=order,
        request=request,
        attempts=_attempts(request, payments, found["in_vain_at"], visitor, now) if request else None,
        payments=[payment for payment in payments if payment.amount_captured],
        refunds=refunds,
        accounts=accounts,
        outcome=outcome,
        declined=declined.data if declined else None,
        thanked=thanked.data if thanked else None,
        address=next(iter(models(MailAddress, found["address_rows"])), None),
        stopped=found["is_stopped"] and bool(order.buyer_id),
        asked_here=bool(request and request.shared_at and found["is_asked_here"]),
        sent=found["is_sent"],
    )


def _payments(
    order: Order, request: PaymentRequest | None, accounts: Sequence[ProviderAccount], found: dict[str, Any]
) -> list[Payment]:
    payments = models(Payment, found["payment_rows"])
    by_key = {account.pk: account for account in accounts}
    for payment in payments:
        payment.account, payment.merchant = by_key[payment.account_id], order.merchant
        if request and payment.request_id == request.pk:
            payment.request = request
    return payments


def _attempts(
    request: PaymentRequest, payments: Sequence[Payment], in_vain_at: Sequence[datetime], visitor: str, now: datetime
) -> Attempts:
    tried = [payment for payment in payments if payment.request_id == request.pk]
    return Attempts(
        request,
        own=[payment for payment in tried if visitor and payment.visitor == visitor],
        others=[
            it for it in tried if it.held_until and it.held_until > now and not (visitor and it.visitor == visitor)
        ],
        in_vain=sum(moment > now - limits.FRUITLESS_WITHIN for moment in in_vain_at),
        now=now,
    )


def _orders(visitor: str) -> "QuerySet[Order]":
    """Orders, each with what belongs to it; of what was tried without success, only what may still be of interest."""
    of_order, of_payments = {"order": OuterRef("pk")}, {"request__order": OuterRef("pk")}
    last = PaymentRequest.objects.filter(**of_order).order_by("-id")[:1]
    mattering = Q(amount_captured__gt=0) | Q(held_until__isnull=False)
    if visitor:
        mattering |= Q(visitor=visitor)
    payments = Payment.objects.filter(mattering, **of_payments).order_by("id")
    refunds = Refund.objects.standing().filter(payment__request__order=OuterRef("pk")).order_by("id")
    events = Event.objects.filter(request=OuterRef("last_request")).order_by("-id")
    outcomes = events.filter(Q(type__startswith="payment.") | Q(type=DECLINED))
    in_vain = Payment.objects.filter(request__public_id=OuterRef("last_request"), amount_captured=0, held_until=None)
    addresses = (
        MailAddress.objects.filter(role=MailAddress.Role.BUYER, subscription__isnull=True, **of_order)
        .exclude(address="")
        .order_by("-id")
    )
    steps = Step.objects.filter(request__public_id=OuterRef("last_request"))
    stopped = StoppedBuyer.objects.filter(merchant=OuterRef("merchant"), buyer_id=OuterRef("buyer_id"))
    return Order.objects.select_related("merchant").annotate(
        now=clock.Now(),
        last_request=Subquery(last.values("public_id")),
        request_rows=rows(last),
        line_rows=rows(OrderLine.objects.filter(**of_order).order_by("id")),
        picture_rows=rows(Picture.objects.filter(lines__order=OuterRef("pk"))),
        payment_rows=rows(payments),
        account_rows=rows(ProviderAccount.objects.filter(merchant=OuterRef("merchant")).order_by("id")),
        refund_rows=rows(refunds),
        outcome_rows=rows(outcomes[:1]),
        declined_rows=rows(events.filter(type=DECLINED)[:1]),
        thanked_rows=rows(Event.objects.filter(type=THANKED, **of_order).order_by("-id")[:1]),
        address_rows=rows(addresses[:1]),
        in_vain_at=ArraySubquery(in_vain.order_by("-created_at").values("created_at")[: limits.FRUITLESS_TRIES]),
        is_stopped=Exists(stopped),
        is_asked_here=Exists(events.filter(type__in=ASKED, actor="buyer")),
        is_sent=Exists(steps.filter(kind=Step.Kind.SHARE_INVOKED)),
    )
