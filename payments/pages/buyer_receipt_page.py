"""The buyer's own receipt: who paid and what went back, never from or to which account."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from friendpay.kit.money import Money
from payments.pages import paid_parts
from payments.pages.buyer_reading import Reading
from payments.pages.frame import Basket, LivePage, Shop
from payments.pages.paid_parts import Payer, Refunded


@dataclass(frozen=True, kw_only=True)
class BuyerReceiptPage(LivePage):
    """The page of an order that is paid."""

    template: ClassVar[str] = "buyer/receipt.html"

    order: str
    reference: str
    total: Money
    basket: Basket
    to_shop: str
    paid_at: datetime
    payers: tuple[Payer, ...]
    refunds: tuple[Refunded, ...]


def build(reading: Reading, *, url: str) -> BuyerReceiptPage:
    order = reading.order
    assert order.paid_at
    return BuyerReceiptPage(
        url=url,
        accent=order.merchant.accent,
        now=reading.now,
        shop=Shop.of(order.merchant),
        buyer=order.buyer_name,
        order=order.token,
        reference=order.reference,
        total=order.total,
        basket=Basket.of(order),
        to_shop=order.return_url,
        paid_at=order.paid_at,
        payers=paid_parts.payers(reading.given),
        refunds=paid_parts.by_shop(reading.refunds),
    )
