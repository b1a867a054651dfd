"""What a page says of who paid, and of what the shop sent back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.utils.translation import gettext as _

from friendpay.kit.money import Money
from payments.models import Payment, PaymentRequest, Refund


@dataclass(frozen=True)
class Payer:
    """Who paid how much, and when."""

    name: str
    amount: Money
    at: datetime | None

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """As the buyer reads it: one's own part is "You"."""
        name = _("You") if payment.by_buyer else payment.payer_name or _("A friend")
        return cls(name, Money(payment.amount_applied, payment.currency), payment.succeeded_at)


@dataclass(frozen=True)
class Refunded:
    """One refund: `at` is when the payer had it again, or when it set out; None where the wallet refused it. `to` is
    whose it is, where the page is not the payer's own.
    """

    amount: Money
    is_back: bool
    is_stuck: bool
    at: datetime | None
    reason: str
    to: str = ""

    @classmethod
    def of(cls, refund: Refund, *, to: str = "") -> Self:
        stuck = refund.status == Refund.Status.FAILED
        return cls(
            amount=Money(refund.amount, refund.currency),
            is_back=refund.is_back,
            is_stuck=stuck,
            at=refund.back_at if refund.is_back else None if stuck else refund.created_at,
            reason=_reason(refund),
            to=to,
        )


def _reason(refund: Refund) -> str:
    if refund.reason == Refund.Reason.UNDERFUNDED and refund.payment.request.status == PaymentRequest.Status.CANCELLED:
        return _("the request was cancelled")
    return str(Refund.Reason(refund.reason).label)


def payers(payments: Iterable[Payment]) -> tuple[Payer, ...]:
    return tuple(map(Payer.of, payments))


def by_shop(refunds: Iterable[Refund]) -> tuple[Refunded, ...]:
    """What the shop sent back of what was paid for an order, and to whom."""
    counting = (refund for refund in refunds if refund.payment.amount_applied)
    return tuple(
        Refunded.of(refund, to=refund.payment.payer_name)
        for refund in counting
        if refund.reason == Refund.Reason.MERCHANT
    )
