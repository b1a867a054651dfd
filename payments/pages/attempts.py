"""What a page says of attempts to pay: the visitor's own one, what became of it, and others' in its way. It only
reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self

from django.urls import reverse
from django.utils.translation import gettext as _

from friendpay.kit.money import Money
from payments.models import Payment, PaymentRequest
from payments.offers.weighing import is_card, label
from payments.settlement import turns


@dataclass(frozen=True)
class Mine:
    """The visitor's own attempt that can still be paid, and where it goes on. `aside`: another friend holds what it
    held. `yields`: from when on another may take over; None where nobody need, because there is enough for others too.
    `more`: where she has more time; "" while there is none to be had, and before `more_from`.
    """

    method: str
    wallet: str
    by_card: bool
    amount: Money
    ends_at: datetime
    url: str
    receipt: str
    aside: bool
    yields_at: datetime | None
    yields: bool  # another may take over now
    more_from: datetime | None
    more: str

    @property
    def announced(self) -> str:
        return announced(self.more)


@dataclass(frozen=True)
class Was:
    """How the visitor's last attempt stands that nothing goes on with: `late` while its wallet has not decided and
    others may pay already, else another friend took over and nothing was paid.
    """

    late: bool
    receipt: str


@dataclass(frozen=True)
class Held:
    """Others hold all that is left; `free_at` is when the first of them may be taken over, None once she may."""

    free_at: datetime | None
    contested: bool


@dataclass(frozen=True)
class Attempts:
    """What was tried on one request, as one visitor meets it: what is `own`, what `others` hold, and how much was begun
    `in_vain` in the last hour.
    """

    request: PaymentRequest
    own: Sequence[Payment]
    others: Sequence[Payment]
    in_vain: int
    now: datetime

    @classmethod
    def read(cls, request: PaymentRequest, visitor: str, now: datetime) -> Self:
        """By three questions to the database."""
        known = request.payments.select_related("account").order_by("id")
        return cls(
            request,
            own=list(known.filter(visitor=visitor)) if visitor else [],
            others=list(known.filter(held_until__gt=now).exclude(visitor=visitor or "-")),
            in_vain=turns.in_vain(request, now).count(),
            now=now,
        )

    @cached_property
    def mine(self) -> Mine | None:
        can_go_on = [it for it in turns.among(self.own, self.now) if self.now < turns.ends_at(it)]
        if not can_go_on:
            return None
        payment = can_go_on[-1]
        yields_at, more_from = self._yields_at(payment), turns.more_from(payment)
        return Mine(
            method=payment.method,
            wallet=label(payment.method, payment.account),
            by_card=is_card(payment.method, payment.account),
            amount=Money(payment.amount, payment.currency),
            ends_at=turns.ends_at(payment),
            url=next_url(payment),
            receipt=reverse("receipt", args=[payment.token]),
            aside=not payment.held_until,
            yields_at=yields_at,
            yields=yields_at is not None and yields_at <= self.now,
            more_from=more_from,
            more=more_url(payment) if more_from and more_from <= self.now else "",
        )

    @cached_property
    def was(self) -> Was | None:
        if not self.own or self.mine:
            return None
        last = self.own[-1]
        late = is_late(last, self.now)
        return Was(late, reverse("receipt", args=[last.token])) if late or last.was_taken_over else None

    @cached_property
    def held(self) -> Held | None:
        yields_at = min(map(turns.yields_at, self.others), default=None)
        if yields_at is None or (self.request.remaining > 0 and not self.request.shares):
            return None
        waits = yields_at > self.now and not self.contested
        return Held(yields_at if waits else None, self.contested)

    @property
    def contested(self) -> bool:
        return turns.is_enough(self.in_vain)

    def _yields_at(self, payment: Payment) -> datetime | None:
        if (self.request.remaining > 0 and not self.request.shares) or not payment.held_until:
            return None
        return self.now if self.contested else turns.yields_at(payment)


def is_late(payment: Payment, now: datetime) -> bool:
    """Whether its payer was sent to the wallet, her time is over, and the wallet has not decided."""
    over = payment.closing or turns.ends_at(payment) <= now
    return payment.status == Payment.Status.PENDING and payment.held_until is None and over


def announced(more: str) -> str:
    """What a screen reader says of an attempt once more time may be asked for at `more`."""
    return _("Your time to pay is almost up. You can have 5 more minutes.") if more else ""


def more_url(payment: Payment) -> str:
    """Where a payer asks for more time."""
    return reverse("more_time", args=[payment.token])


def next_url(payment: Payment) -> str:
    """Where the payer goes on: the wallet's own address, or our page with the code to scan."""
    return payment.next_step.get("url") or reverse("scan", args=[payment.token])
