"""The buyer's page: what it shows in each state, worked out from one reading."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, TypeVar

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from friendpay.kit import limits
from friendpay.kit.languages import speak
from friendpay.kit.money import Money
from friendpay.kit.pages import said
from friendpay.kit.rendering import draw as draw_page
from orders.models import Order
from payments.models import PaymentRequest
from payments.offers import weighing
from payments.offers.rollout import Case
from payments.offers.weighing import Surface
from payments.pages import gate, paid_parts, progress, share_card, shares
from payments.pages.attempts import Mine, Was
from payments.pages.buyer_reading import Reading, read
from payments.pages.by_mail import ByMail, by_mail
from payments.pages.fields import Field, empty, field, shown
from payments.pages.forms import AddressForm, MessageForm, PartsForm, SharesForm, ThanksForm
from payments.pages.frame import Basket, Given, Live, LivePage, Shop
from payments.pages.money_back import Back
from payments.pages.paid_parts import Payer, Refunded
from payments.pages.progress import Progress, Stage
from payments.pages.refusals import NOTHING, Told
from payments.pages.shares import ShareRow
from payments.pages.sheet import Sheet
from payments.pages.visitors import surface_of, visitor_of
from payments.settlement import rules
from payments.share import phrases, safety_words
from payments.share.safety_words import SafetyWords


class State(StrEnum):
    """What the buyer can do, or why nothing."""

    CHOOSE = "choose"  # ask a friend, or pay
    WAITING = "waiting"  # for a friend who was asked
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Ways:
    """What can be done about an order nobody is asked to pay. `stopped`: support keeps the buyer from asking."""

    may_ask: bool
    stopped: bool
    may_pay: bool


@dataclass(frozen=True)
class Waiting:
    """What only a request that was sent shows: how far it is, and what may be changed about it. `no`: what was said
    with the last no, "" where it was none but said without a word, None where nobody said no. `begun`: somebody has
    paid or is paying. `by_hand`: on a phone, where a code to scan is of less use than the status. `may_extend`: it
    would be open for an hour longer, at least.
    """

    sheet: Sheet
    safety_words: SafetyWords
    progress: Progress
    no: str | None
    shared_at: datetime
    opened_at: datetime | None
    message: str
    message_field: Field
    friends: int | None
    friends_field: Field
    least: Money | None
    shares: tuple[ShareRow, ...]
    shares_field: Field
    begun: bool
    by_hand: bool
    may_extend: bool
    card: str  # WeChat's script for its own share card
    by_mail: ByMail | None


@dataclass(frozen=True)
class Paid:
    """Who paid, what the shop sent back, and the buyer's thanks: what they were, or the form for them."""

    payers: tuple[Payer, ...]
    refunds: tuple[Refunded, ...]
    thanks: str
    may_thank: bool
    sentences: tuple[tuple[str, str], ...]
    words: Field


@dataclass(frozen=True, kw_only=True)
class BuyerPage(LivePage):
    """The page. `ended` is how the last request did, if it is over; `shared` whether it was sent to anybody."""

    template: ClassVar[str] = "buyer/page.html"

    state: State
    order: str
    reference: str
    total: Money
    basket: Basket
    pay_until: datetime | None
    to_shop: str
    ended: str = ""
    shared: bool = False
    back: Back | None = None
    mine: Mine | None = None
    was: Was | None = None
    given: tuple[Given, ...] = ()
    ways: Ways | None = None
    waiting: Waiting | None = None
    paid: Paid | None = None

    @property
    def safety_words(self) -> SafetyWords | None:
        return self.waiting.safety_words if self.waiting else None

    @property
    def title(self) -> str:
        return f"{self._title} · {self.shop.name}"

    @property
    def _title(self) -> str:
        if self.state is State.PAID:
            return _("Paid")
        return self.heading if self.waiting or self.ended else _("Checkout")

    @property
    def heading(self) -> str:
        if self.waiting:
            return self.waiting.progress.heading
        return {
            "expired": _("This request has expired"),
            "cancelled": _("Your request is cancelled"),
        }.get(self.ended, _("How do you want to pay?"))

    @property
    def icon(self) -> str:
        if self.state is State.PAID:
            return "icon-paid.svg"
        return self.waiting.progress.tab_icon if self.waiting else "icon.svg"

    @property
    def can_act(self) -> bool:
        return self.state in (State.CHOOSE, State.WAITING)

    @property
    def announced(self) -> str:
        if self.state is State.PAID:
            return _("Your order is paid.")
        if self.state is State.EXPIRED:
            return _("This order has expired")
        if self.ended == PaymentRequest.Status.EXPIRED:
            return self.heading
        if self.waiting is None or self.waiting.progress.stage is Stage.OWN:
            return self.mine.announced if self.mine else ""
        return self.waiting.progress.failure or self.heading


AnyPage = TypeVar("AnyPage", bound=BuyerPage)


def draw(request: HttpRequest, token: str, *, told: Told = NOTHING) -> HttpResponse:
    """The page in the state it is in now, in the order's language, with what it has to say of what was sent. Whoever
    comes to it from elsewhere, in a browser that did not ask, is asked first whether it is theirs.
    """
    reading = read(token, visitor_of(request))
    speak(request, reading.order.locale)
    if told is NOTHING and gate.is_needed(request, reading):
        return draw_page(request, gate.GatePage.of(reading))
    page = build(BuyerPage, reading, surface_of(request), told, url=reverse("buyer", args=[token]), said=said(request))
    response = draw_page(request, page, status=told.status)
    return share_card.allow(response, page.waiting.card) if page.waiting and page.waiting.card else response


def build(kind: type[AnyPage], reading: Reading, surface: Surface, told: Told, **more: Any) -> AnyPage:
    """The page of a reading, with what its kind shows besides."""
    order, request, now = reading.order, reading.request, reading.now
    page = partial(
        kind,
        accent=order.merchant.accent,
        now=now,
        token=request.token if request else "",
        shop=Shop.of(order.merchant),
        buyer=order.buyer_name,
        live=_live(reading),
        watched=bool(request) and order.status == Order.Status.AWAITING_PAYMENT,  # to hear of the order's end, too
        refusal=told.above(*_BESIDE.get(type(told.form), ())),
        order=order.token,
        reference=order.reference,
        total=order.total,
        basket=Basket.of(order),
        pay_until=order.expires_at,
        to_shop=order.return_url,
        shared=bool(request and request.shared_at),
        **more,
    )
    if order.status == Order.Status.PAID:
        return page(state=State.PAID, paid=_paid(reading, told))
    if order.status == Order.Status.CANCELLED:
        return page(state=State.CANCELLED)
    if request is None or reading.status != PaymentRequest.Status.OPEN:
        back = Back.of(reading.refunds_of_request, order.currency, reading.disputed_of_request)
        if order.status == Order.Status.EXPIRED or order.is_over(now):
            return page(state=State.EXPIRED, back=back)
        return page(state=State.CHOOSE, ended=reading.status, back=back, ways=_ways(reading, surface))
    attempts = reading.attempts
    page = partial(page, mine=attempts and attempts.mine, was=attempts and attempts.was)
    if not request.shared_at:
        return page(state=State.CHOOSE, ways=_ways(reading, surface))
    waiting = _waiting(reading, request, surface, told)
    return page(state=State.WAITING, given=_given(reading, request), waiting=waiting)


_BESIDE: dict[type, tuple[str, ...]] = {
    MessageForm: ("message",),
    PartsForm: ("friends",),
    SharesForm: ("shares",),
    ThanksForm: ("words",),
    AddressForm: ("address",),
}
"""The fields of each form beside which the page says what is wrong with them."""


def _live(reading: Reading) -> Live | None:
    if reading.request is None or reading.attempts is None:
        return None
    tried = (*reading.attempts.own, *reading.attempts.others)
    return Live.of(reading.request, tried, reading.now, named=progress.names_are_told(reading))


def _ways(reading: Reading, surface: Surface) -> Ways:
    case = Case.of(reading.order)
    considered = weighing.weigh_known(case, surface, reading.accounts, reading.now)
    may_pay = bool(weighing.shown(considered) or weighing.elsewhere(considered))
    against = weighing.why_not_friend(case, surface, stopped=reading.stopped, now=reading.now)
    against = against or weighing.no_wallet(case, considered, reading.now)
    return Ways(may_ask=against is None, stopped=reading.stopped, may_pay=may_pay)


def _given(reading: Reading, request: PaymentRequest) -> tuple[Given, ...]:
    """Who gave what, where several friends pay together."""
    given = [it for it in reading.given if it.request_id == request.pk] if request.split_max_payers else []
    return tuple(Given.of(payment, reading.order.buyer_name) for payment in given)


def _waiting(reading: Reading, request: PaymentRequest, surface: Surface, told: Told) -> Waiting:
    live = _live(reading)
    message, parts = told.form_or(MessageForm()), told.form_or(PartsForm())
    friends = request.split_max_payers
    assert request.shared_at
    return Waiting(
        sheet=Sheet.of(request, in_wechat=surface.place == "wechatpay"),
        safety_words=safety_words.of(request.token),
        progress=progress.of(reading, is_held=bool(live and live.holder)),
        no=phrases.said(reading.declined) if reading.declined is not None else None,
        shared_at=request.shared_at,
        opened_at=request.opened_at,
        message=request.message,
        message_field=field(message, "message")
        if message.is_bound
        else empty(MessageForm, "message").holding(request.message),
        friends=friends,
        friends_field=field(parts, "friends")
        if parts.is_bound
        else empty(PartsForm, "friends").holding(str(friends or 3)),
        least=Money(request.split_min_amount, request.currency) if request.split_min_amount else None,
        shares=shares.rows(request, reading.given),
        shares_field=shown(told.form, SharesForm, "shares"),
        begun=bool(request.amount_paid or request.amount_held),
        by_hand=surface.phone,
        may_extend=rules.ends(reading.order, reading.now, None) - request.expires_at >= limits.ENDS_SOON,
        card=share_card.script_of(reading.accounts, surface),
        by_mail=by_mail(reading.address, told),
    )


def _paid(reading: Reading, told: Told) -> Paid:
    form = told.form_or(ThanksForm())
    thanks = phrases.said(reading.thanked) if reading.thanked is not None else ""
    return Paid(
        payers=paid_parts.payers(reading.given),
        refunds=paid_parts.by_shop(reading.refunds),
        thanks=thanks,
        may_thank=not thanks and any(not payment.by_buyer for payment in reading.given),
        sentences=tuple((key, str(words)) for key, words in phrases.THANKS.items()),
        words=field(form, "words") if form.is_bound else empty(ThanksForm, "words"),
    )
