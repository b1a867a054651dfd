"""Rollout rules (percentage, allow-list, exclusions): which buyers and goods get a method, and why not."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders import services
from orders.models import Adjustment, Merchant, Order
from orders.services import LineDraft
from payments.models import RolloutRule

FRIEND = "friend"
"""Asking a friend is a method like the wallets are."""


@dataclass(frozen=True)
class Case:
    """What is known of an order when its page is drawn, and its shop's rules. `goods` are names and categories."""

    merchant_id: int
    live: bool
    buyer: str
    currency: str
    amount: int
    left: int  # what of it is still to be paid
    goods: tuple[tuple[str, str], ...]
    rules: tuple[RolloutRule, ...]

    @classmethod
    def of(cls, order: Order, buyer: str = "") -> Self:
        """Of an order; as if it were another buyer's, if one is given."""
        prefetch_related_objects([order], "lines", "merchant__rollout_rules")
        goods = tuple((line.name, line.category) for line in order.lines.all())
        return cls.known(order, goods, tuple(order.merchant.rollout_rules.all()), buyer)

    @classmethod
    def known(
        cls, order: Order, goods: tuple[tuple[str, str], ...], rules: tuple[RolloutRule, ...], buyer: str = ""
    ) -> Self:
        """The same where goods and rules are known already."""
        return cls(
            merchant_id=order.merchant_id,
            live=order.live,
            buyer=buyer or order.buyer_id,
            currency=order.currency,
            amount=order.amount,
            left=(order.amount - order.amount_paid) or order.amount,
            goods=goods,
            rules=rules,
        )

    @classmethod
    def imagined(
        cls,
        shop: Merchant,
        *,
        live: bool,
        buyer: str,
        currency: str,
        amount: int | None,
        lines: list[LineDraft],
        adjustments: list[Adjustment],
    ) -> Self:
        """Of an order that there may never be; its amount is what its lines and adjustments add up to, unless given."""
        services.check_currency(currency)
        if amount is None:
            if not lines:
                message = _("Send the amount, or the lines to add up.")
                raise Refused("amount_missing", message, field="amount", status=422)
            amount = services.total(lines, adjustments)
        return cls(
            merchant_id=shop.pk,
            live=live,
            buyer=buyer,
            currency=currency,
            amount=amount,
            left=amount,
            goods=tuple((line.name, line.category) for line in lines),
            rules=tuple(shop.rollout_rules.all()),
        )

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)


@dataclass(frozen=True)
class Objection:
    """Why a method is withheld: `code` for programs, `text` for the merchant and support. Never shown to the public."""

    code: str
    text: str = ""


def objection(case: Case, method: str, screen: str, now: datetime) -> Objection | None:
    """The first thing that the shop's rules have against this method here; None when nothing."""
    found = (why for rule in case.rules if rule.method == method for why in _objections(rule, case, screen, now))
    return next(found, None)


def no_wallet() -> Objection:
    """What speaks against asking a friend for what nobody could pay."""
    return Objection("no_wallet", _("None of the shop's wallets takes this order."))


def place(merchant_id: int, method: str, buyer: str) -> int:
    """Where a buyer stands among 10,000, the same for ever and another for each method.

    A share takes those who stand in front, so that a greater one only adds buyers.
    """
    digest = hashlib.sha256(f"{merchant_id}\n{method}\n{buyer}".encode()).digest()
    return int.from_bytes(digest[:8]) % RolloutRule.WHOLE


def _objections(rule: RolloutRule, case: Case, screen: str, now: datetime) -> Iterator[Objection]:
    if rule.starts_at and now < rule.starts_at:
        yield Objection("not_yet", _("It begins at %(time)s.") % {"time": rule.starts_at.isoformat()})
    if rule.ends_at and now >= rule.ends_at:
        yield Objection("over", _("It ended at %(time)s.") % {"time": rule.ends_at.isoformat()})
    if rule.screens and screen not in rule.screens:
        yield Objection("screen_excluded", _("It is not for this screen: %(screen)s.") % {"screen": screen})
    yield from _against_order(rule, case)
    yield from _against_buyer(rule, case)


def _against_order(rule: RolloutRule, case: Case) -> Iterator[Objection]:
    if rule.currencies and case.currency not in rule.currencies:
        yield Objection("currency_excluded", _("It is not for orders in %(currency)s.") % {"currency": case.currency})
    if case.currency == rule.amount_currency:
        if rule.amount_min is not None and case.amount < rule.amount_min:
            least = Money(rule.amount_min, case.currency)
            yield Objection("amount_below_minimum", _("It is for orders from %(amount)s.") % {"amount": least})
        if rule.amount_max is not None and case.amount > rule.amount_max:
            most = Money(rule.amount_max, case.currency)
            yield Objection("amount_above_maximum", _("It is for orders up to %(amount)s.") % {"amount": most})
    excluded = {category.strip().casefold() for category in rule.excluded_categories}
    lines = [
        _("line %(number)s, “%(name)s” (%(category)s)") % {"number": number, "name": name, "category": category}
        for number, (name, category) in enumerate(case.goods, 1)
        if category.strip().casefold() in excluded
    ]
    if lines:
        yield Objection("goods_excluded", _("It is not for these goods: %(lines)s.") % {"lines": "; ".join(lines)})


def _against_buyer(rule: RolloutRule, case: Case) -> Iterator[Objection]:
    if case.buyer in rule.denied_buyers:
        yield Objection("buyer_denied", _("This buyer never gets it."))
    elif rule.share < RolloutRule.WHOLE and case.buyer not in rule.allowed_buyers:
        if not case.buyer:
            yield Objection("buyer_unknown", _("The order does not say who the buyer is."))
        elif (stands := place(case.merchant_id, rule.method, case.buyer)) >= rule.share:
            text = _("This buyer gets it from a share of %(from)s on; it is %(share)s now.")
            yield Objection("buyer_outside_share", text % {"from": percent(stands + 1), "share": percent(rule.share)})


def percent(share: int) -> str:
    """10.25% for 1025."""
    return f"{share // 100}.{share % 100:02}%"
