"""The friend's page: what it shows in each state, worked out from one reading."""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from friendpay.kit.money import Money
from friendpay.kit.pages import SeeOther, said
from friendpay.kit.rendering import draw as draw_page
from payments.mail import outbox, reminders
from payments.models import Payment, PaymentRequest, ProviderAccount
from payments.offers import weighing
from payments.offers.habits import Habits
from payments.offers.surfaces import DESKTOP, PHONE
from payments.offers.weighing import Surface
from payments.pages import ahead, form_action, shares
from payments.pages.attempts import Was
from payments.pages.fields import shown
from payments.pages.forms import AddressForm, DeclineForm, PayForm, RemindForm
from payments.pages.frame import Basket, Given, Live, LivePage, Shop
from payments.pages.friend_asking import Asking, Time
from payments.pages.friend_reading import Reading
from payments.pages.money_back import Back
from payments.pages.part import Part
from payments.pages.refusals import NOTHING, Told
from payments.pages.shares import ShareRow
from payments.pages.visitors import habits_of, surface_of
from payments.pages.wallets import Wallets
from payments.settlement import chip_in
from payments.share import phrases, safety_words, text
from payments.share.safety_words import SafetyWords


class State(StrEnum):
    """What a friend can do, or why nothing."""

    OPEN = "open"  # pay
    HELD = "held"  # wait until somebody else has paid or may be taken over
    MINE = "mine"  # go on with what this visitor began
    THANKS = "thanks"  # this visitor paid, and it counts
    RETURNED = "returned"  # this visitor paid, and it goes back
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    PAUSED = "paused"  # the shop is frozen


CAN_PAY = (State.OPEN, State.HELD, State.MINE)


@dataclass(frozen=True, kw_only=True)
class FriendPage(LivePage):
    """The page. `paid` and `receipt` are of the visitor's own payment, `over` says that the order's time is over too,
    `unopened` that nobody is known to have looked yet.
    """

    template: ClassVar[str] = "friend/page.html"

    live: Live
    state: State
    message: str
    basket: Basket
    safety_words: SafetyWords
    amount: Money
    missing: Money
    in_parts: bool
    shares: tuple[ShareRow, ...]  # where they are named, and `share` the one this page is for
    share: ShareRow | None
    given: tuple[Given, ...]
    over: bool
    replaced: bool  # support gave out another link
    unopened: bool
    hint: str  # what was unusual when it was asked for
    asking: Asking | None = None
    was: Was | None = None
    paid: Money | None = None
    receipt: str = ""
    back: Back | None = None
    thanks: str = ""

    @property
    def title(self) -> str:
        title = _("A friend is asking you to pay")
        return f"{_('Paid')} · {title}" if self.is_paid else title

    @property
    def is_paid(self) -> bool:
        return self.state in (State.PAID, State.THANKS)

    @property
    def keeps_refusal(self) -> bool:
        return self.is_open and self.state is not State.HELD

    @property
    def can_pay(self) -> bool:
        return self.state in CAN_PAY

    @property
    def fields(self) -> tuple[str, ...]:
        """What a visitor may fill in before she taps a wallet; nothing where there is none to tap."""
        whose = self.share is not None or not self.shares
        if self.state is not State.OPEN or not whose or not self.asking or not self.asking.wallets.ways:
            return ()
        return ("name", "amount") if self.asking.part else ("name",)

    @property
    def announced(self) -> str:
        if self.is_paid:
            return _("This is paid.")
        if self.state is State.MINE and self.asking and self.asking.mine:
            return self.asking.mine.announced
        return {
            State.EXPIRED: _("This request has expired."),
            State.CANCELLED: _("This is no longer needed."),
            State.HELD: _("Someone is paying right now."),
            State.OPEN: _("You can pay.") if self.asking and self.asking.wallets.ways else "",
        }.get(self.state, "")


def draw(request: HttpRequest, token: str, *, told: Told = NOTHING, check: bool = False) -> HttpResponse:
    """The page in the state it is in now, with what it has to say of what was sent; where the buyer has asked again
    since the link expired, it leads on to what is asked now. With `amount` in its address it is
    drawn for a friend who would give that part.
    """
    reading, own = ahead.read(request, token), reverse("friend", args=[token])
    share = (request.POST or request.GET).get("share", "")
    if reading.later:
        return SeeOther(reverse("friend", args=[reading.later]))
    page = built(
        reading,
        surface_of(request),
        habits_of(request),
        url=request.get_full_path() if request.path == own else shares.page_of(token, share),
        said=said(request),
        told=told,
        check=check,
        typed=(request.POST or request.GET).get("amount"),
        share=share,
    )
    response = draw_page(request, page, status=told.status)
    return form_action.lead_to(response, taking(reading))


def taking(reading: Reading) -> list[ProviderAccount]:
    """The accounts whose wallets the page may lead to."""
    return chip_in.taking(reading.request.order, reading.shop.accounts)


def built(  # noqa: PLR0913  # what a visit brings, each thing by its name
    reading: Reading,
    surface: Surface,
    habits: Habits,
    *,
    url: str,
    said: str = "",
    told: Told = NOTHING,
    check: bool = False,
    typed: str | None = None,
    share: str = "",
) -> FriendPage:
    """What the page shows of a reading, in the language that is active. Asks nothing and writes nothing."""
    return _Build(reading.of_share(share), surface, habits, told, check, typed).page(url=url, said=said)


@dataclass(frozen=True)
class _Build:
    """Works one page out. `typed` is the part that the visitor would give, None where nothing was typed."""

    reading: Reading
    surface: Surface
    habits: Habits
    told: Told
    check: bool
    typed: str | None

    def page(self, *, url: str, said: str) -> FriendPage:
        request, now = self.reading.request, self.reading.now
        order, shop = request.order, request.merchant
        page = partial(
            FriendPage,
            url=url,
            accent=shop.accent,
            now=now,
            token=request.token,
            shop=Shop.of(shop),
            buyer=order.buyer_name,
            live=self._live(),
            said=said,
            refusal=self._refusal(),
            message=request.message,
            basket=self.reading.basket,
            safety_words=safety_words.of(request.token),
            amount=self._money(request.amount),
            missing=self._money(self._missing),
            in_parts=self._in_parts,
            shares=(rows := shares.rows(request, self.reading.given)),
            share=rows[self.reading.share] if self.reading.share is not None else None,
            given=self._given(),
            over=order.is_over(now),
            replaced=request.is_replaced,
            unopened=request.choosing_at is None,
            hint=request.hint,
        )
        if paid := self._paid():
            return self._after_paying(page, paid)
        status = request.status_at(now)
        if self._is_paid_share:
            return page(state=State.PAID)
        if status != PaymentRequest.Status.OPEN:
            return page(state=State(status), was=self.reading.attempts.was)
        if shop.is_frozen:
            return page(state=State.PAUSED)
        asking = self._asking()
        if request.shares and self.reading.share is None:  # first she says whose share it is
            return page(state=State.OPEN, watched=True, asking=asking)
        state = State.MINE if asking.mine else State.HELD if asking.held else State.OPEN
        made = page(state=state, watched=True, asking=asking, was=self.reading.attempts.was)
        return replace(made, refusal=self._refusal(*made.fields))

    def _after_paying(self, page: "partial[FriendPage]", paid: Payment) -> FriendPage:
        receipt = reverse("receipt", args=[paid.token])
        if paid.amount_applied:
            thanks = phrases.said(self.reading.thanked) if self.reading.thanked else ""
            return page(
                state=State.THANKS, paid=Money(paid.amount_applied, paid.currency), receipt=receipt, thanks=thanks
            )
        back = Back.of(self.reading.refunds, paid.currency, paid.amount_disputed)
        return page(state=State.RETURNED, receipt=receipt, back=back)

    def _paid(self) -> Payment | None:
        """The last payment of this visitor that went through."""
        own = reversed(self.reading.attempts.own)
        return next((payment for payment in own if payment.status == Payment.Status.SUCCEEDED), None)

    def _live(self) -> Live:
        attempts = self.reading.attempts
        return Live.of(self.reading.request, (*attempts.own, *attempts.others), attempts.now)

    def _given(self) -> tuple[Given, ...]:
        """Who gave what, where several friends pay together."""
        request = self.reading.request
        given = self.reading.given if self._in_parts else []
        return tuple(Given.of(payment, request.order.buyer_name) for payment in given)

    def _asking(self) -> Asking:
        reading = self.reading
        request, attempts = reading.request, reading.attempts
        considered = weighing.weigh_known(reading.case, self.surface, reading.shop.accounts, reading.now)
        return Asking(
            wallets=Wallets.of(considered, self.surface, text.share_link(request, reading.share), self.habits),
            mine=attempts.mine,
            held=None if attempts.mine else attempts.held,
            part=Part.of(reading, self.told.form, self.typed) if self._in_parts else None,
            missing=self._money(self._missing),
            check=self.check,
            name=shown(self.told.form, PayForm, "name"),
            note=shown(self.told.form, DeclineForm, "note"),
            address=shown(self.told.form, AddressForm, "address"),
            declines=tuple((key, str(words)) for key, words in phrases.DECLINES.items()),
            pass_text=text.pass_text(request, reading.share),
            times=tuple(Time(it.key, it.label) for it in reminders.choices(request, reading.now)),
            reminder=reading.reminder,
            by_calendar=self.surface.place in (DESKTOP, PHONE),
            by_mail=outbox.offered(),
        )

    @property
    def _in_parts(self) -> bool:
        """Whether each gives what she likes."""
        return bool(self.reading.request.split_max_payers) and not self.reading.request.shares

    @property
    def _is_paid_share(self) -> bool:
        return self.reading.share is not None and self.reading.share in {it.share for it in self.reading.given}

    @property
    def _missing(self) -> int:
        request = self.reading.request
        if self.reading.share is not None:
            return request.named[self.reading.share].amount
        return request.remaining or request.amount - request.amount_paid

    def _refusal(self, *fields: str) -> str:
        """What stands beside no field that the page shows; `fields` are those for whoever pays."""
        form = self.told.form
        if isinstance(form, DeclineForm):
            return self.told.above("note")
        if isinstance(form, RemindForm):
            return self.told.above("address")
        return self.told.above(*fields)

    def _money(self, minor: int) -> Money:
        return Money(minor, self.reading.request.currency)
