"""What pages about one request have in common: its shop, its goods, and what the script needs to keep it up to date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from friendpay.kit import limits
from friendpay.kit.money import Money
from friendpay.kit.rendering import Page
from friendpay.kit.templatetags.pictures import own_picture
from orders.models import Merchant, Order
from payments.models import Payment, PaymentRequest


@dataclass(frozen=True)
class Shop:
    """Who gets the money."""

    name: str
    contact: str
    logo: str
    is_verified: bool

    @classmethod
    def of(cls, merchant: Merchant) -> Self:
        return cls(merchant.name, merchant.contact, merchant.logo, merchant.is_verified)


@dataclass(frozen=True)
class Line:
    """One line of an order. `picture` is on this site, or ""."""

    name: str
    quantity: int
    amount: Money
    picture: str


def lines_of(order: Order) -> tuple[Line, ...]:
    return tuple(
        Line(line.name, line.quantity, Money(line.amount, order.currency), own_picture(line.image_url))
        for line in order.lines.all()
    )


@dataclass(frozen=True)
class Given:
    """A part that somebody paid, by `name`, "" for a friend who did not say it."""

    name: str
    amount: Money

    @classmethod
    def of(cls, payment: Payment, buyer: str) -> Self:
        name = buyer if payment.by_buyer else payment.payer_name
        return cls(name, Money(payment.amount_applied, payment.currency))


@dataclass(frozen=True)
class Holder:
    """Who is paying just now."""

    name: str
    until: datetime


@dataclass(frozen=True)
class Live:
    """Where a request stands, as the sockets tell it too (`payments.live.snapshot`)."""

    seq: int
    status: str
    ends_at: datetime
    ends_soon: bool
    amount: Money
    paid: Money
    holder: Holder | None

    @classmethod
    def of(cls, request: PaymentRequest, payments: Iterable[Payment], now: datetime, *, named: bool = True) -> Self:
        """Of a request and the payments that may be holding some of it. Unless `named`, who holds it is somebody."""
        holds = [it for it in payments if it.held_until and it.held_until > now]
        first = min(holds, key=lambda it: it.pk, default=None)
        return cls(
            seq=request.seq,
            status=request.status_at(now),
            ends_at=request.expires_at,
            ends_soon=request.expires_at - now < limits.ENDS_SOON,
            amount=Money(request.amount, request.currency),
            paid=Money(request.amount_paid, request.currency),
            holder=Holder(first.payer_name if named else "", first.held_until) if first and first.held_until else None,
        )


@dataclass(frozen=True, kw_only=True)
class LivePage(Page):
    """A page that keeps itself up to date while it is `watched`. `said`: what the visitor has just done."""

    token: str = ""  # of the request; "" where there is none yet
    shop: Shop
    buyer: str
    live: Live | None = None
    watched: bool = False
    refusal: str = ""
    said: str = ""

    @property
    def is_open(self) -> bool:
        return self.live is not None and self.live.status == "open"

    @property
    def keeps_refusal(self) -> bool:
        """Whether a refusal still makes sense when the page is drawn anew."""
        return self.is_open

    @property
    def announced(self) -> str:
        """What a screen reader says when the page has changed."""
        return ""
