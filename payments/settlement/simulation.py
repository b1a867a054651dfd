"""Simulated outcomes: a test order lives through anything without a browser, by way of what real payers and wallets do.

Nothing is pretended: attempts are begun as by a tap, the sandbox wallet does its part, and what it tells comes through
the same inbox.
"""

from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, ids
from friendpay.kit.errors import Refused
from payments.models import Payment, PaymentRequest
from payments.offers.weighing import Surface
from payments.settlement import checkout, lifecycle, reconcile, requests, taps
from payments.settlement.locks import lock_request, save
from payments.settlement.rules import Payer
from sandbox import bank
from sandbox.outcomes import Simulated


class Outcome(StrEnum):
    """What a friend, the buyer or the wallet does. Those the wallet knows by the same name are its own."""

    _ignore_ = ["outcome"]
    OPENED = "opened"
    DECLINED = "declined"
    BEGUN = "begun"
    ABANDONED = "abandoned"
    TWICE = "twice"
    LATE = "late"
    EXPIRED = "expired"
    THANKED = "thanked"
    for outcome in Simulated:
        vars()[outcome.name] = str(outcome)


def simulate(
    request: PaymentRequest, outcome: Outcome | None, *, amount: int | None = None, payer_name: str = ""
) -> None:
    """Let it happen to a test request; without an outcome a friend pays, and what follows goes by the amount. Refused
    as the page would refuse it, and for a live request. To be called outside a transaction.
    """
    if request.order.live:
        raise Refused("test_mode_only", _("Outcomes are simulated in test mode only."), status=403)
    match outcome:
        case Outcome.OPENED:
            requests.record_view(request, choosing=True)
        case Outcome.DECLINED:
            requests.decline(request.pk, name=payer_name)
        case Outcome.THANKED:
            requests.thank(request.pk)
        case Outcome.EXPIRED:
            _expire(request)
        case Outcome.BEGUN:
            _begin(request, amount, payer_name)
        case Outcome.ABANDONED:
            payment = _begin(request, amount, payer_name)
            lifecycle.let_go(payment.pk)
            reconcile.ask(payment.pk)
        case Outcome.LATE:
            payment = _begin(request, amount, payer_name)
            lifecycle.let_go(payment.pk)
            _expire(request)
            _approve(payment)
        case Outcome.TWICE:
            earlier = _begin(request, amount, payer_name)
            lifecycle.let_go(earlier.pk)
            _approve(_begin(request, amount, payer_name))
            _approve(earlier)
        case _:
            payment = _begin(request, amount, payer_name)
            _approve(payment, Simulated(outcome) if outcome else None)


def _begin(request: PaymentRequest, amount: int | None, name: str) -> Payment:
    """As by the tap of somebody new. Where shares are named, the name says which is paid."""
    tap = taps.read(request.token, ids.token())
    share = next((place for place, named in enumerate(request.named) if named.name == name), None)
    payer = Payer(name, tap.visitor)
    return checkout.begin(tap, tap.offer("sandbox", Surface()), amount=amount, share=share, payer=payer)


def _approve(payment: Payment, simulated: Simulated | None = None) -> None:
    """The payer approves in the sandbox wallet, and unless its word was lost we know at once."""
    account = payment.account.public_id
    charge = bank.simulate(account, payment.reference, simulated)
    if bank.approve(charge.ref, late=True).simulated != Simulated.UNTOLD:
        reconcile.ask(payment.pk)


@transaction.atomic
def _expire(request: PaymentRequest) -> None:
    """Its time is over now. While somebody else is paying, it ends after that."""
    _order, locked = lock_request(request.pk)
    if locked.status == PaymentRequest.Status.OPEN:
        locked.expires_at = min(locked.expires_at, clock.now())
        save(locked, "expires_at")
        lifecycle.expire_request(locked.pk)
