"""What pages about one request have in common: its shop, its goods, and what the script needs to keep it up to date."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Self
from urllib.parse import urlsplit

from babel.dates import format_date
from django.conf import settings
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from friendpay.kit import limits, quantities
from friendpay.kit.money import Money
from friendpay.kit.rendering import Page
from friendpay.kit.templatetags.pictures import own_picture
from orders.models import Merchant, Order, OrderLine
from payments.mail import pushing
from payments.models import Payment, PaymentRequest


@dataclass(frozen=True)
class Shop:
    """Who gets the money. `checked` says who looked at a verified shop, and when."""

    name: str
    contact: str
    logo: str
    is_verified: bool
    legal_name: str = ""
    site: str = ""
    checked: str = ""

    @classmethod
    def of(cls, merchant: Merchant) -> Self:
        return cls(
            merchant.name,
            merchant.contact,
            merchant.logo,
            merchant.is_verified,
            merchant.legal_name,
            merchant.site,
            _checked(merchant.verified_on) if merchant.is_verified else "",
        )

    @property
    def site_name(self) -> str:
        """Its address as people read it."""
        return self.site.split("://")[-1].rstrip("/")


def _checked(day: date | None) -> str:
    """The operator is known by where its pages are."""
    operator = {"operator": urlsplit(settings.PUBLIC_URL).hostname}
    if day is None:
        return _("Checked by %(operator)s.") % operator
    written = _written(day, get_language() or settings.LANGUAGE_CODE)
    return _("Checked by %(operator)s on %(day)s.") % {**operator, "day": written}


@lru_cache(maxsize=1000)
def _written(day: date, language: str) -> str:
    return format_date(day, "medium", locale=to_locale(language))


@dataclass(frozen=True)
class Line:
    """One line of an order: `quantity` as it is read, "" for one. `picture` is on this site, or ""."""

    name: str
    quantity: str
    amount: Money
    picture: str

    @classmethod
    def of(cls, name: str, quantity: Decimal, unit: str, amount: Money, picture: str) -> Self:
        together = _UNIT.sub("\\1\u00a0", name)
        return cls(together, quantities.text(quantity, unit, get_language() or "en"), amount, picture)


_UNIT = re.compile(r"(\d) (?=[a-zA-Zµ]{1,3}\b)")  # "100 g" is not broken over two lines


@dataclass(frozen=True)
class Adjusted:
    """What an order's sum has beside its lines."""

    name: str
    amount: Money


@dataclass(frozen=True)
class Basket:
    """What an order is for, as a shop's receipt has it. What is `included` is in the prices, and adds nothing."""

    lines: tuple[Line, ...]
    adjustments: tuple[Adjusted, ...]
    included: tuple[Adjusted, ...]
    total: Money

    @classmethod
    def of(cls, order: Order, lines: Iterable[Line] | None = None) -> Self:
        """Of an order with its lines, unless these are known otherwise."""
        if lines is None:
            lines = (
                Line.of(it.name, it.quantity, it.unit, Money(it.amount, order.currency), _picture_of(it))
                for it in order.lines.all()
            )
        extra = [(it.included, Adjusted(it.name, Money(it.amount, order.currency))) for it in order.adjusted]
        return cls(
            lines=tuple(lines),
            adjustments=tuple(adjusted for included, adjusted in extra if not included),
            included=tuple(adjusted for included, adjusted in extra if included),
            total=order.total,
        )


def _picture_of(line: OrderLine) -> str:
    return own_picture(line.image_url) or (line.picture.path if line.picture else "")


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

    @property
    def counts_from(self) -> datetime:
        """From when the seconds are told that are left; before, the moment of the end is."""
        return self.ends_at - limits.ENDS_SOON

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
    def push_key(self) -> str:
        """What a browser is asked to be told with while the page is closed, "" where none can be."""
        return pushing.public_key() if pushing.offered() else ""

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
