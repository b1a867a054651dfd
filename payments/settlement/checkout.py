"""Checkout: whoever is in the way steps aside, the amount is held, the provider opens the attempt, the payer goes on.

No transaction is open while a provider is called; the attempt is committed before the call, so that it is never
forgotten.
"""

import re
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from payments.funnel import steps
from payments.models import Payment, PaymentRequest
from payments.models.payment import TAKEN_OVER
from payments.offers import weighing
from payments.offers.weighing import Offer, Surface
from payments.settlement import calls, lifecycle, reconcile, rules, turns
from payments.settlement.rules import Attempt, Payer
from payments.wallets import registry
from payments.wallets.base import KnowsPayer, NextStep, ProviderError, Rail, Start


def begin(  # noqa: PLR0913  # what a tap says, each thing by its name
    request: PaymentRequest,
    *,
    method: str,
    payer: Payer,
    surface: Surface,
    amount: int | None = None,
    price: int | None = None,
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
    at their provider, or step aside where the request is contested (`turns`). Refused when the method is not offered
    here, when others hold the amount ("held"), or when the wallet says no; nothing is held then.
    `price` is what all of it cost on the page the payer saw: where it costs something else by now, she is shown that
    first ("amount_changed").
    `on_page`: on the wallet's own page, where that is another way here.
    `payer_id` is the name the wallet has for the payer, from `payer_id_of`. It goes to the wallet and is not kept.
    """
    offer = _offer(request, method, surface)
    rail = Rail.REDIRECT if on_page and Rail.REDIRECT in offer.rails else offer.rails[0]
    if open_already := _resumed(request, offer, rail, payer, amount):
        return open_already
    if not calls.is_open(offer.account):
        raise _unavailable()
    request.refresh_from_db()
    now = clock.now()
    own = turns.own(request, payer.visitor, now)
    room = request.remaining + sum(payment.amount for payment in own if payment.held_until)
    wanted = _wanted(request, offer, amount, room)
    provider = registry.get(offer.provider)
    lasts = turns.lasts(offer.provider)
    attempt = Attempt(account=offer.account, method=method, rail=str(rail), amount=wanted, lasts=lasts, price=price)
    rules.check_attempt(request, attempt, payer, now)
    closes = take_over and not turns.is_contested(request, now)
    for leaving in [*own, *_in_the_way(request, payer, wanted - room if closes else 0, now)]:
        _close(leaving, taken_over=leaving not in own)
    try:
        payment = lifecycle.hold(request.pk, attempt, payer, take_over=take_over)
    except Refused as refused:
        if refused.code == "begun" and (begun := _resumed(request, offer, rail, payer, amount)):
            return begun
        raise
    start = Start(
        reference=payment.reference,
        amount=Money(payment.amount, payment.currency),
        subject=_subject(request),
        rail=rail,
        method=method,
        deadline=payment.created_at + max(lasts, timedelta(seconds=provider.min_hold)),
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
    payment = lifecycle.start_payment(payment.pk, next_step=_packed(step), session=step.session)
    if not payer.by_buyer:
        steps.record(steps.Kind.PAY_STARTED, request, method=method, surface=surface.place)
    return payment


def login_url(request: PaymentRequest, *, method: str, surface: Surface, back: str, state: str) -> str:
    """Where the payer's browser goes first, when the wallet must know whom it asks; "" when it need not. The payer sees
    nothing of it: the wallet sends her on to `back` with `state` and a code.
    """
    offer = _offer(request, method, surface)
    if offer.rail is not Rail.JSAPI:
        return ""
    return _knowing(offer).authorize_url(offer.account.as_data(), back, state)


def payer_id_of(request: PaymentRequest, *, method: str, surface: Surface, code: str) -> str:
    """The payer's name in the wallet, for the code she came back with. Refused when the wallet does not know it."""
    offer = _offer(request, method, surface)
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


def _offer(request: PaymentRequest, method: str, surface: Surface) -> Offer:
    for offer in weighing.for_page(request.order, surface):
        if offer.method == method:
            return offer
    raise Refused(
        "method_not_offered", _("Please choose one of the ways to pay on this page."), field="method", status=422
    )


def _resumed(request: PaymentRequest, offer: Offer, rail: Rail, payer: Payer, amount: int | None) -> Payment | None:
    """The visitor's own open attempt, if it is what is asked for."""
    now = clock.now()
    for payment in turns.own(request, payer.visitor, now):
        same = payment.account_id == offer.account.pk and payment.method == offer.method and payment.rail == rail
        same = same and payment.amount == (amount or payment.amount)
        if same and now + limits.RESUME_MARGIN < turns.ends_at(payment) and _has_started(payment):
            return payment
    return None


def _wanted(request: PaymentRequest, offer: Offer, amount: int | None, room: int) -> int:
    """How much is to be held: what the payer names, else all there is room for. Refused below what the wallet takes."""
    if amount is None:
        left = request.amount - request.amount_paid
        amount = max(1, room or left) if request.split_max_payers else max(1, left)
    if amount < offer.least:
        least = Money(offer.least, request.currency).text(get_language() or settings.LANGUAGE_CODE)
        raise Refused("below_minimum", weighing.below_minimum(least), field="amount", status=422)
    return amount


def _in_the_way(request: PaymentRequest, payer: Payer, missing: int, now: datetime) -> list[Payment]:
    """Whose attempts make room for so much. Refused ("held") where even all that may be taken over would not be enough:
    then nobody is closed.
    """
    others = [it for it in turns.wanted(request, now) if not payer.visitor or it.visitor != payer.visitor]
    found = turns.making_room([it for it in others if turns.yields_at(it) <= now], missing)
    if sum(payment.amount for payment in found) < missing:
        raise Refused("held", _("Somebody is paying this right now."))
    return found


def _close(payment: Payment, *, taken_over: bool) -> None:
    try:
        reconcile.close(payment, code=TAKEN_OVER if taken_over else "")
    except ProviderError as error:
        raise Refused(
            "held", _("Somebody is paying this, and their wallet does not answer. Please try again in a minute.")
        ) from error


def _has_started(payment: Payment) -> bool:
    """Whether the payer can go on with an attempt; one that the wallet is just opening is waited for. Refused where the
    wallet would not open it, as the tap that began it is told too.
    """
    awaited = False
    while payment.status == Payment.Status.CREATED and not payment.closing:
        if payment.created_at + limits.ATTEMPT_STARTS_WITHIN <= clock.now():
            return False
        awaited = True
        time.sleep(0.1)
        payment.refresh_from_db()
    if awaited and payment.status != Payment.Status.PENDING:
        raise _unavailable()
    return payment.status == Payment.Status.PENDING and not payment.closing


def _subject(request: PaymentRequest) -> str:
    """What the wallet shows: the shop and its order number, in letters, digits, blanks and hyphens only."""
    text = f"{request.merchant.name} {request.order.reference}"
    return " ".join(re.sub(r"[^\w -]|_", " ", text).split())[:60]


def _packed(step: NextStep) -> dict[str, object]:
    return {**asdict(step), "rail": str(step.rail), "params": dict(step.params)}
