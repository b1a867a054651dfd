"""Checkout: whoever is in the way steps aside, the amount is held, the provider opens the attempt, the payer goes on.

No transaction is open while a provider is called; the attempt is committed before the call, so that it is never
forgotten.
"""

import re
import time
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from friendpay.kit import amounts, clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from payments.models import Payment, PaymentRequest
from payments.models.payment import TAKEN_OVER
from payments.offers import weighing
from payments.offers.weighing import Offer
from payments.settlement import calls, lifecycle, reconcile, rules, turns
from payments.settlement.rules import Attempt, Payer
from payments.settlement.taps import Tap
from payments.wallets import registry
from payments.wallets.abilities import KnowsPayer
from payments.wallets.base import NextStep, ProviderError, Rail, Start


def begin(  # noqa: PLR0913  # what a tap says, each thing by its name
    tap: Tap,
    offer: Offer,
    *,
    payer: Payer,
    amount: int | None = None,
    price: int | None = None,
    share: int | None = None,
    take_over: bool = False,
    on_page: bool = False,
    payer_ip: str = "",
    payer_id: str = "",
) -> Payment:
    """Hold an amount (all that is missing, without one) and open an attempt; `payment.next_step` says where the payer
    goes.

    The same visitor asking again for the same gets the attempt that is open already, or that the wallet is just opening
    for an earlier tap: a double tap pays once, however slow the wallet is. With `take_over` the earliest attempts of
    others that may be taken over make room, as many as must, once it is sure that this one may begin: they are closed
    at their provider, or step aside where the request is contested (`turns`). Refused when others hold the amount
    ("held"), or when the wallet says no; nothing is held then. `offer` is the tap's, and `payer` its visitor.
    `price` is what all of it cost on the page the payer saw: where it costs something else by now, she is shown that
    first ("amount_changed").
    `on_page`: on the wallet's own page, where that is another way here.
    `share` is which of the request's, where these are named: that is paid, whole.
    `payer_id` is the name the wallet has for the payer, from `payer_id_of`. It goes to the wallet and is not kept.
    """
    request = tap.request
    rail = Rail.REDIRECT if on_page and Rail.REDIRECT in offer.rails else offer.rails[0]
    if request.shares:
        amount = rules.amount_of(request, share)
    if open_already := _resumed(tap.own, tap.now, offer, rail, amount, share):
        return open_already
    if not calls.is_open(offer.account):
        raise _unavailable()
    room = request.remaining + sum(payment.amount for payment in tap.own if payment.held_until)
    wanted = _wanted(request, offer, amount, room)
    provider = registry.get(offer.provider)
    lasts = turns.lasts(offer.provider)
    attempt = Attempt(
        account=offer.account,
        method=offer.method,
        rail=str(rail),
        amount=wanted,
        lasts=lasts,
        share=share if request.shares else None,
        price=price,
    )
    if take_over or tap.own:
        _make_way(request, attempt, payer, take_over=take_over)
    try:
        payment = lifecycle.hold(request.pk, attempt, payer, take_over=take_over)
    except Refused as refused:
        if refused.code == "begun":
            begun = turns.begun(request, payer.visitor)
            if open_meanwhile := _resumed(begun.own, begun.now, offer, rail, amount, share):
                return open_meanwhile
        raise
    start = Start(
        reference=payment.reference,
        amount=Money(payment.amount, payment.currency),
        subject=_subject(request),
        rail=rail,
        method=offer.method,
        deadline=payment.created_at + max(turns.lasts_at_most(offer.provider), timedelta(seconds=provider.min_hold)),
        notify_url=offer.account.notify_url,
        return_url=f"{settings.PUBLIC_URL}/r/{payment.token}/",
        cancel_url=f"{settings.PUBLIC_URL}/r/{payment.token}/back/",
        payer_ip=payer_ip,
        payer_id=payer_id,
        locale=get_language() or "en",
    )
    try:
        with calls.calling(offer.account) as (wallet, account):
            step = wallet.start(account, start)
    except ProviderError as error:
        if error.permanent:
            lifecycle.end_payment(payment.pk, cancelled=False, code=error.code, words=error.message)
        else:
            lifecycle.let_go(payment.pk)
        raise _refused(error) from error
    return lifecycle.start_payment(payment, next_step=_packed(step), session=step.session)


def needs_login(offer: Offer) -> bool:
    """Whether the wallet must know first whom it asks."""
    return offer.rail is Rail.JSAPI


def login_url(offer: Offer, *, back: str, state: str) -> str:
    """Where the payer's browser goes first then. The payer sees nothing of it: the wallet sends her on to `back` with
    `state` and a code.
    """
    return _knowing(offer).authorize_url(offer.account.as_data(), back, state)


def payer_id_of(offer: Offer, *, code: str) -> str:
    """The payer's name in the wallet, for the code she came back with. Refused when the wallet does not know it."""
    try:
        with calls.calling(offer.account) as (_wallet, account):
            return _knowing(offer).openid(account, code)
    except ProviderError as error:
        raise _unavailable() from error  # a code works once: another try brings another


def _knowing(offer: Offer) -> KnowsPayer:
    return cast(KnowsPayer, registry.get(offer.provider))


def _refused(error: ProviderError) -> Refused:
    """What the wallet said, as what it is: an amount it does not take, an account it does not serve, its no, or
    silence.
    """
    if error.over_limit:
        words = _("This wallet does not take this amount. Nothing was paid; please choose another.")
        return Refused("amount_not_taken", words, status=422)
    if error.for_shop:
        words = _("This shop cannot take this wallet at the moment. Nothing was paid; please choose another.")
        return Refused("wallet_not_permitted", words)
    if error.permanent:
        return Refused("wallet_refused", _("This wallet refused. Nothing was paid; please choose another."))
    return _unavailable()


def _unavailable() -> Refused:
    return Refused(
        "wallet_unavailable",
        _("This wallet does not answer. Nothing was paid; please try again or choose another."),
        status=503,
    )


def _resumed(  # noqa: PLR0913  # all that makes an attempt the same
    own: list[Payment], now: datetime, offer: Offer, rail: Rail, amount: int | None, share: int | None
) -> Payment | None:
    """The visitor's own open attempt, if it is what is asked for."""
    for payment in own:
        same = payment.account_id == offer.account.pk and payment.method == offer.method and payment.rail == rail
        same = same and payment.amount == (amount or payment.amount) and payment.share == share
        if same and now + limits.RESUME_MARGIN < turns.ends_at(payment) and _has_started(payment):
            return payment
    return None


def _wanted(request: PaymentRequest, offer: Offer, amount: int | None, room: int) -> int:
    """How much is to be held: what the payer names, else all there is room for. Refused below what the wallet takes."""
    if amount is None:
        left = request.amount - request.amount_paid
        amount = max(1, room or left) if request.split_max_payers else max(1, left)
    if amount < offer.least:
        least = amounts.text(Money(offer.least, request.currency))
        raise Refused("below_minimum", weighing.below_minimum(least), field="amount", status=422)
    return amount


def _make_way(request: PaymentRequest, attempt: Attempt, payer: Payer, *, take_over: bool) -> None:
    """Close the payer's own attempts, and those of others that free so much where nobody steps aside by herself, once
    it is sure that she may begin. Refused ("held") where even all that may be taken over would not be enough: then
    nobody is closed.
    """
    begun = turns.begun(request, payer.visitor, payer.network)
    rules.check_attempt(request, attempt, payer, begun)
    own = begun.own
    candidates, missing = turns.in_the_way(request, attempt.amount, attempt.share, begun)
    missing -= sum(it.amount for it in own if it.held_until and it in candidates)
    missing = missing if take_over and not begun.is_contested else 0
    others = [it for it in begun.open if it in candidates and it not in own and turns.yields_at(it) <= begun.now]
    found = turns.making_room(others, missing)
    if sum(payment.amount for payment in found) < missing:
        raise Refused("held", _("Someone is paying this right now."))
    for leaving in [*own, *found]:
        _close(leaving, taken_over=leaving not in own)


def _close(payment: Payment, *, taken_over: bool) -> None:
    try:
        reconcile.close(payment, code=TAKEN_OVER if taken_over else "")
    except ProviderError as error:
        raise Refused(
            "held", _("Someone is paying this, and their wallet isn't answering. Please try again in a minute.")
        ) from error


def _has_started(payment: Payment) -> bool:
    """Whether the payer can go on with an attempt; one that the wallet is just opening is waited for. Refused where the
    wallet would not open it, as the tap that began it is told too.
    """
    while payment.status == Payment.Status.CREATED and not payment.closing:
        if payment.created_at + limits.ATTEMPT_STARTS_WITHIN <= clock.now():
            return False
        time.sleep(0.1)
        payment.refresh_from_db()
    if payment.status != Payment.Status.PENDING:
        raise _unavailable()
    return not payment.closing


def _subject(request: PaymentRequest) -> str:
    """What the wallet shows: the shop and its order number, in letters, digits, blanks and hyphens only, and never
    nothing, which wallets refuse.
    """
    text = f"{request.merchant.name} {request.order.reference}"
    return " ".join(re.sub(r"[^\w -]|_", " ", text).split())[:60] or "Order"


def _packed(step: NextStep) -> dict[str, object]:
    return {**vars(step), "rail": str(step.rail), "params": dict(step.params)}
