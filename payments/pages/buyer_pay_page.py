"""The wallets, for the buyer herself; and who is paying just now, if somebody is."""

from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from friendpay.kit.languages import speak
from friendpay.kit.money import Money
from friendpay.kit.pages import SeeOther
from friendpay.kit.rendering import draw as draw_page
from orders.models import Order
from payments.models import PaymentRequest
from payments.offers import weighing
from payments.offers.habits import Habits
from payments.offers.rollout import Case
from payments.offers.weighing import Surface
from payments.pages import form_action
from payments.pages.attempts import Held
from payments.pages.buyer_reading import Reading, read
from payments.pages.frame import Live, LivePage, Shop
from payments.pages.refusals import NOTHING, Told
from payments.pages.visitors import habits_of, surface_of, visitor_of
from payments.pages.wallets import Wallets, Way, ways_of
from payments.settlement import chip_in
from payments.wallets.base import Rail


@dataclass(frozen=True, kw_only=True)
class BuyerPayPage(LivePage):
    """The page. `price` is what all of it costs, `missing` what the buyer would pay; `by_code` are the wallets of which
    a phone can show a code for another to scan. `held`: somebody else is paying.
    """

    template: ClassVar[str] = "buyer/pay.html"

    order: str
    reference: str
    price: Money
    missing: Money
    in_parts: bool
    to_shop: str
    may_ask: bool
    wallets: Wallets
    by_code: tuple[Way, ...]
    held: Held | None

    @property
    def must_wait(self) -> bool:
        return self.held is not None and self.held.free_at is not None

    @property
    def keeps_refusal(self) -> bool:
        return self.is_open


def draw(request: HttpRequest, token: str, *, told: Told = NOTHING) -> HttpResponse:
    """The page, with what it has to say of what was sent. Where nothing can be paid any more, to the buyer's page."""
    reading = read(token, visitor_of(request))
    speak(request, reading.order.locale)
    if told is NOTHING and reading.order.status != Order.Status.AWAITING_PAYMENT:
        return SeeOther(reverse("buyer", args=[token]))
    if told is NOTHING and reading.request and reading.request.shares and reading.status == PaymentRequest.Status.OPEN:
        return SeeOther(reverse("friend", args=[reading.request.token]))  # there each says which share it is
    page = build(reading, surface_of(request), habits_of(request), told, url=reverse("buyer_pay", args=[token]))
    response = draw_page(request, page, status=told.status)
    return form_action.lead_to(response, chip_in.taking(reading.order, reading.accounts))


def build(reading: Reading, surface: Surface, habits: Habits, told: Told, *, url: str) -> BuyerPayPage:
    order, now = reading.order, reading.now
    last = reading.request
    request = last if last and last.status == PaymentRequest.Status.OPEN else None
    attempts = reading.attempts if request else None
    case = Case.of(order)
    tried = (*attempts.own, *attempts.others) if attempts else ()
    missing = order.amount - order.amount_paid
    if request and request.split_max_payers:
        missing = request.remaining or request.amount - request.amount_paid
    considered = weighing.weigh_known(case, surface, reading.accounts, now)
    asked = request is not None and request.shared_at is not None
    against = weighing.why_not_friend(case, surface, stopped=reading.stopped, now=now)
    against = against or weighing.no_wallet(case, considered, now)
    return BuyerPayPage(
        url=url,
        accent=order.merchant.accent,
        now=now,
        token=request.token if request else "",
        shop=Shop.of(order.merchant),
        buyer=order.buyer_name,
        live=Live.of(request, tried, now) if request else None,
        watched=request is not None,  # to go on by itself when somebody is paying, or has
        refusal=told.above(),
        order=order.token,
        reference=order.reference,
        price=order.total,
        missing=Money(missing, order.currency),
        in_parts=bool(request and request.split_max_payers),
        to_shop=order.return_url,
        may_ask=asked or against is None,
        wallets=Wallets.of(considered, surface, f"{settings.PUBLIC_URL}{url}", habits),
        by_code=_by_code(case, surface, reading),
        held=attempts.held if attempts else None,
    )


def _by_code(case: Case, surface: Surface, reading: Reading) -> tuple[Way, ...]:
    """On a phone, the wallets of which it can show a code for another phone to scan."""
    if not surface.phone:
        return ()
    shown = weighing.shown(weighing.weigh_known(case, Surface(), reading.accounts, reading.now))
    return ways_of(offer for offer in shown if offer.rail == Rail.NATIVE)
