"""The payer's receipt: what it shows in each state, worked out from one reading."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from friendpay.kit.money import Money
from friendpay.kit.rendering import draw as draw_page
from payments.models import Payment, PaymentRequest
from payments.offers.weighing import label
from payments.pages import attempts
from payments.pages.by_mail import ByMail, by_mail
from payments.pages.frame import Basket, Given, Live, LivePage, Shop
from payments.pages.money_back import Back, Where
from payments.pages.paid_parts import Refunded
from payments.pages.receipt_reading import Reading, read
from payments.pages.refusals import NOTHING, Told
from payments.pages.return_links import back_url
from payments.share import phrases, receipt_numbers


class State(StrEnum):
    """What became of the payment."""

    WAITING = "waiting"  # the wallet has not decided
    PAID = "paid"
    RETURNED = "returned"  # all of it goes back
    UNPAID = "unpaid"


@dataclass(frozen=True, kw_only=True)
class ReceiptPage(LivePage):
    """The page. `late`: the payer's time is over, and the wallet has not decided. `aside`: another holds what this
    payment held. `taken`: somebody else has paid, or is paying. `back_url` is where it was begun.
    """

    template: ClassVar[str] = "receipt/page.html"

    state: State
    payment: str
    number: str  # ours, as it can be said
    wallets_number: str
    wallet: str
    by_card: bool
    by_buyer: bool
    order: str  # its token, where the payer is the buyer
    amount: Money
    basket: Basket
    paid_at: datetime | None
    disputed: Money | None
    refunds: tuple[Refunded, ...]
    back: Back | None
    back_url: str
    to_shop: str
    late: bool
    aside: bool
    taken: bool
    in_parts: bool
    given: tuple[Given, ...]
    thanks: str
    by_mail: ByMail | None

    @property
    def title(self) -> str:
        title = f"{_('Receipt')} · {self.shop.name}"
        return f"{_('Paid')} · {title}" if self.state is State.PAID else title

    @property
    def is_docked(self) -> bool:
        """Whether there is a button to go on with."""
        return bool(self.to_shop) or self.state is not State.PAID

    @property
    def came(self) -> bool:
        """Whether there was money."""
        return self.state in (State.PAID, State.RETURNED)

    @property
    def request_is_paid(self) -> bool:
        return self.live is not None and self.live.status == PaymentRequest.Status.PAID

    @property
    def announced(self) -> str:
        if self.state is State.RETURNED:
            return {
                Where.STUCK: _("Your refund has not gone through yet."),
                Where.THERE: _("Your money has been returned."),
                Where.BANK: _("Your bank is handling this"),
            }.get(self.back.where if self.back else Where.ON_ITS_WAY, _("Your money is being returned."))
        return {
            State.PAID: _("Your payment arrived."),
            State.UNPAID: _("Nothing was paid."),
            State.WAITING: _("Checking your payment."),
        }[self.state]


def draw(request: HttpRequest, token: str, *, told: Told = NOTHING) -> HttpResponse:
    """The payment, wherever it stands now, with what the page has to say of what was sent."""
    page = build(read(token), told, url=reverse("receipt", args=[token]))
    return draw_page(request, page, status=told.status)


def build(reading: Reading, told: Told, *, url: str) -> ReceiptPage:
    payment, request, now = reading.payment, reading.payment.request, reading.now
    order, currency = request.order, payment.currency
    state = _state(reading)
    live = Live.of(request, reading.of_request, now)
    given = [it for it in reading.of_request if it.amount_applied] if request.split_max_payers else []
    return ReceiptPage(
        url=url,
        accent=payment.merchant.accent,
        now=now,
        token=request.token,
        shop=Shop.of(payment.merchant),
        buyer=order.buyer_name,
        live=live,
        # news of money, or the buyer's thanks
        watched=state is not State.PAID or bool(reading.refunds) or not payment.by_buyer,
        state=state,
        payment=payment.token,
        number=receipt_numbers.number(payment.pk),
        wallets_number=payment.provider_ref,
        wallet=label(payment.method, payment.account),
        by_card=payment.method == "card",
        by_buyer=payment.by_buyer,
        order=order.token if payment.by_buyer else "",
        amount=Money(payment.amount_captured or payment.amount, currency),
        basket=Basket.of(order),
        paid_at=payment.succeeded_at,
        disputed=Money(payment.amount_disputed, currency) if payment.amount_disputed else None,
        refunds=tuple(Refunded.of(refund) for refund in reading.refunds),
        back=Back.of(reading.refunds, currency, payment.amount_disputed),
        back_url=back_url(payment),
        to_shop=order.return_url if payment.by_buyer and state in (State.PAID, State.RETURNED) else "",
        late=attempts.is_late(payment, now),
        aside=not payment.held_until and not payment.closing,
        taken=request.status == PaymentRequest.Status.PAID or live.holder is not None,
        in_parts=bool(request.split_max_payers),
        given=tuple(Given.of(part, order.buyer_name) for part in given),
        thanks=phrases.said(reading.thanked) if reading.thanked is not None else "",
        by_mail=by_mail(reading.address, told),
    )


def _state(reading: Reading) -> State:
    payment = reading.payment
    if payment.status == Payment.Status.SUCCEEDED:
        back = sum(refund.amount for refund in reading.refunds)
        gone = back + (0 if payment.amount_applied else payment.amount_disputed)
        return State.RETURNED if gone == payment.amount_captured else State.PAID
    if payment.status in (Payment.Status.FAILED, Payment.Status.CANCELLED):
        return State.UNPAID
    return State.WAITING
