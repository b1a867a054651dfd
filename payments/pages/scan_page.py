"""A wallet's code for the payer to scan, or what the wallet's own browser needs to open its sheet."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlencode

from friendpay.kit.money import Money
from payments.models import Payment
from payments.offers import weighing
from payments.offers.weighing import Surface, label
from payments.pages import attempts
from payments.pages.frame import Live, LivePage, Shop
from payments.pages.receipt_reading import Reading
from payments.pages.return_links import back_url, pay_url
from payments.settlement import turns
from payments.wallets.base import Rail


@dataclass(frozen=True, kw_only=True)
class ScanPage(LivePage):
    """The page. `params` is what the wallet's script takes, "" where there is a code instead; `stand_in` where a
    simulated wallet's phone scans that. Who cannot scan posts `again` to `page_url` ("" where that cannot be), and pays
    on the wallet's own page.
    """

    template: ClassVar[str] = "receipt/scan.html"

    payment: str
    wallet: str
    method: str
    payer: str
    amount: Money
    price: Money
    in_parts: bool
    share: int | None  # of those that are named, counted from 1
    has_code: bool
    params: str
    stand_in: str
    page_url: str
    back_url: str
    ends_at: datetime
    is_over: bool
    aside: bool
    yields_at: datetime | None
    yields: bool
    more_from: datetime | None
    more: str

    @property
    def announced(self) -> str:
        return attempts.announced(self.more)


def build(reading: Reading, surface: Surface, *, url: str) -> ScanPage:
    payment, request, now = reading.payment, reading.payment.request, reading.now
    step, ends_at = payment.next_step, turns.ends_at(payment)
    offered = weighing.for_page(request.order, surface)
    here = next((offer for offer in offered if offer.method == payment.method), None)
    waited_for = request.remaining <= 0 and payment.held_until is not None  # enough for others too: nobody waits
    yields_at = (now if reading.is_contested else turns.yields_at(payment)) if waited_for else None
    more_from = turns.more_from(payment)
    return ScanPage(
        url=url,
        accent=payment.merchant.accent,
        now=now,
        token=request.token,
        shop=Shop.of(payment.merchant),
        buyer=request.order.buyer_name,
        live=Live.of(request, reading.of_request, now),
        watched=True,
        payment=payment.token,
        wallet=label(payment.method, payment.account),
        method=payment.method,
        payer=payment.payer_name,
        amount=Money(payment.amount, payment.currency),
        price=request.total,
        in_parts=bool(request.split_max_payers),
        share=None if payment.share is None else payment.share + 1,
        has_code=bool(step.get("code")),
        params=json.dumps(step["params"]) if step.get("params") else "",
        stand_in=_stand_in(payment),
        page_url=pay_url(payment) if here and {Rail.NATIVE, Rail.REDIRECT} <= {*here.rails} else "",
        back_url=back_url(payment),
        ends_at=ends_at,
        is_over=(ends_at - now).total_seconds() < 1,
        aside=not payment.held_until,
        yields_at=yields_at,
        yields=yields_at is not None and yields_at <= now,
        more_from=more_from,
        more=attempts.more_url(payment) if more_from and more_from <= now else "",
    )


def _stand_in(payment: Payment) -> str:
    """Where a simulated wallet's phone scans the code, "" for a real one's."""
    code = payment.next_step.get("code", "")
    if not code or not payment.account.is_simulated:
        return ""
    return code if code.startswith("http") else f"{payment.account.base_url}/scan?{urlencode({'code': code})}"
