"""All that the friend's page shows, read at one moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404

from friendpay.kit import clock
from orders.models import Event
from payments.mail import outbox
from payments.models import Mail, Payment, PaymentRequest, ProviderAccount, Refund
from payments.offers.rollout import Case
from payments.pages.attempts import Attempts


@dataclass(frozen=True)
class Reading:
    """A request with its order, shop and lines; who gave what; and what this visitor did."""

    now: datetime
    request: PaymentRequest
    attempts: Attempts
    given: list[Payment]
    begun: int  # how many are paying
    refunds: list[Refund]  # those that stand, of what this visitor paid
    thanked: dict[str, Any] | None
    reminder: datetime | None
    accounts: list[ProviderAccount]  # of the shop, in use or not

    @property
    def case(self) -> Case:
        return Case.of(self.request.order)


def read(token: str, visitor: str) -> Reading:
    """404 where there is no such request."""
    now = clock.now()
    request = get_object_or_404(PaymentRequest.objects.select_related("order", "merchant"), token=token)
    order = request.order
    order.merchant = request.merchant
    attempts = Attempts.read(request, visitor, now)
    paid = [payment for payment in attempts.own if payment.status == Payment.Status.SUCCEEDED]
    refunds = Refund.objects.standing().filter(payment__in=paid[-1:]).select_related("payment__request")
    reminders = Mail.objects.filter(
        kind=Mail.Kind.REMINDER, sent_at=None, to__request=request, to__visitor=visitor or "-"
    )
    said = Event.objects.filter(order=order, type="payment_request.thanked").values_list("data", flat=True)
    reminder = reminders.first() if outbox.offered() else None
    return Reading(
        now=now,
        request=request,
        attempts=attempts,
        given=list(request.payments.filter(amount_applied__gt=0)),
        begun=request.payments.filter(held_until__isnull=False).count(),
        refunds=list(refunds),
        thanked=said.last(),
        reminder=reminder.next_attempt_at if reminder else None,
        accounts=list(ProviderAccount.objects.filter(merchant=request.merchant).order_by("id")),
    )
