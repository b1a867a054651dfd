"""All that a payment's own pages show, read at one moment by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.http import Http404

from friendpay.kit import clock, limits
from friendpay.kit.rows import attach, attach_one, models, rows
from orders.models import Event, OrderLine, Picture
from payments.models import MailAddress, Payment, Refund
from payments.settlement import turns


@dataclass(frozen=True)
class Reading:
    """A payment with its account, request, order, shop and lines; what went back of it, and how its request stands."""

    now: datetime
    payment: Payment
    refunds: Sequence[Refund]  # that stand
    of_request: Sequence[Payment]  # what holds some of the request, or counts towards it
    is_contested: bool
    thanked: dict[str, Any] | None
    address: MailAddress | None  # where the payer's news go


def read(token: str) -> Reading:
    """404 where there is no such payment."""
    payment = _payments().filter(token=token).first()
    if payment is None:
        raise Http404
    found: dict[str, Any] = vars(payment)
    request = payment.request
    request.merchant = request.order.merchant = payment.merchant
    attach(request.order, "lines", lines := models(OrderLine, found["line_rows"]))
    attach_one(lines, "picture", models(Picture, found["picture_rows"]))
    refunds = models(Refund, found["refund_rows"])
    for refund in refunds:
        refund.payment = payment
    now = clock.told(found["now"])
    in_vain = sum(moment > now - limits.FRUITLESS_WITHIN for moment in found["in_vain_at"])
    thanked = next(iter(models(Event, found["thanked_rows"])), None)
    return Reading(
        now=now,
        payment=payment,
        refunds=refunds,
        of_request=models(Payment, found["payment_rows"]),
        is_contested=turns.is_enough(in_vain),
        thanked=thanked.data if thanked else None,
        address=next(iter(models(MailAddress, found["address_rows"])), None),
    )


def _payments() -> "QuerySet[Payment]":
    """Payments, each with what belongs to it."""
    beside = Payment.objects.filter(request=OuterRef("request"))
    in_vain = beside.filter(amount_captured=0, held_until=None).order_by("-created_at")
    thanked = Event.objects.filter(order=OuterRef("request__order"), type="payment_request.thanked")
    addresses = MailAddress.objects.filter(payment=OuterRef("pk")).exclude(address="")
    return Payment.objects.select_related("account", "merchant", "request__order").annotate(
        now=clock.Now(),
        line_rows=rows(OrderLine.objects.filter(order=OuterRef("request__order")).order_by("id")),
        picture_rows=rows(Picture.objects.filter(lines__order=OuterRef("request__order"))),
        refund_rows=rows(Refund.objects.standing().filter(payment=OuterRef("pk")).order_by("id")),
        payment_rows=rows(beside.filter(Q(held_until__isnull=False) | Q(amount_applied__gt=0)).order_by("id")),
        in_vain_at=ArraySubquery(in_vain.values("created_at")[: limits.FRUITLESS_TRIES]),
        thanked_rows=rows(thanked.order_by("-id")[:1]),
        address_rows=rows(addresses.order_by("-id")[:1]),
    )
