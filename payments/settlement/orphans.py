"""Orphans: money that names no payment of ours, kept by the inbox, counted for a request or sent back by support."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.services import LineDraft, place_order
from payments.models import Payment, PaymentRequest, ProviderEvent
from payments.settlement import effects, fees, holds, inbox, lifecycle, rules
from payments.settlement.locks import lock_request, note, save
from payments.settlement.outcomes import unpack
from payments.wallets import registry
from payments.wallets.base import Outcome, State


@transaction.atomic
def adopt(event_id: int, request: PaymentRequest, *, actor: str) -> Payment:
    """Count an orphan's money for a request of the same shop: applied if it fits, else sent back like any money that
    does not. Refused once the money is booked; other notifications of it are then done with as well.
    """
    event = inbox.lock_waiting(event_id)
    outcome, money = money_of(event)
    account = event.account
    if (request.merchant_id, request.order.live) != (account.merchant_id, account.live):
        raise Refused("other_shop", _("That request belongs to another shop."), field="request", status=422)
    if request.currency != money.currency:
        raise Refused("other_currency", _("That request is in another currency."), field="request", status=422)
    payment = _row(event, outcome, money, request)
    payment = lifecycle.settle(payment.pk, provider_ref=outcome.provider_ref, amount=money)
    locked = lock_request(request.pk)[1]
    note(locked, "payment.adopted", actor, payment)
    save(locked)
    _done(event, outcome)
    fees.book_kept(payment)
    return payment


@transaction.atomic
def send_back(event_id: int, *, actor: str) -> Payment:
    """Send an orphan's money back to whoever paid it, whatever the state of the shop. It is booked on a cancelled order
    of its own, so that the books hold it like all other money and support sees its refund.
    """
    event = inbox.lock_waiting(event_id)
    outcome, money = money_of(event)
    _check_not_booked(event, outcome)
    order = place_order(
        event.account.merchant,
        reference=f"orphan {event.pk}",
        currency=money.currency,
        lines=[LineDraft("Money that names no order", 1, money.minor)],
        buyer_name="-",
        live=event.account.live,
    )
    return adopt(event_id, lifecycle.ended_request(order.pk, actor=actor), actor=actor)


def _row(event: ProviderEvent, outcome: Outcome, money: Money, request: PaymentRequest) -> Payment:
    """The payment that the money becomes, under the wallet's number for it as far as that is free and short enough."""
    _check_not_booked(event, outcome)
    account, now = event.account, clock.now()
    namesake = Payment.objects.filter(account=account, reference=event.reference).first()
    if namesake and namesake.status in rules.UNDECIDED:
        # What it was asked for is not what came: that is what is booked now, and nothing else will come of it.
        lifecycle.end_payment(namesake.pk, cancelled=False, code="booked_apart")
    is_free = event.reference and namesake is None and len(event.reference) <= limits.PAYMENT_REFERENCE_CHARACTERS
    try:
        with transaction.atomic():
            return Payment.objects.create(
                merchant_id=account.merchant_id,
                request=request,
                account=account,
                method=registry.get(account.provider).methods[0].name,
                rail="",
                currency=money.currency,
                amount=money.minor,
                reference=event.reference if is_free else holds.new_reference(),
                created_at=now,
                next_attempt_at=now,
            )
    except IntegrityError as error:
        raise _booked() from error


def _check_not_booked(event: ProviderEvent, outcome: Outcome) -> None:
    if Payment.objects.filter(account=event.account, provider_ref=outcome.provider_ref).exists():
        raise _booked()


def _booked() -> Refused:
    return Refused(
        "already_booked", _("This money is in our books already, by another notification. Put this one away.")
    )


def _done(event: ProviderEvent, outcome: Outcome) -> None:
    """This notification, and whatever else waits that tells of the same money."""
    waiting = ProviderEvent.objects.filter(account=event.account, about="charge", applied_at=None, put_away_at=None)
    same = [event.pk, *waiting.filter(outcome__provider_ref=outcome.provider_ref).values_list("pk", flat=True)]
    done = {"orphaned_at": None, "set_aside_at": None, "next_attempt_at": None, "applied_at": clock.now()}
    ProviderEvent.objects.filter(pk__in=same).update(**done)
    effects.explain(same, "Support booked the money.")
    names = {"charge_ref": outcome.provider_ref, "charge": event.reference}
    ProviderEvent.objects.hear_anew(event.account_id, clock.now(), **names)


def money_of(event: ProviderEvent) -> tuple[Outcome, Money]:
    """What an orphan tells of; Refused where that is no money that came in."""
    outcome = unpack(event.outcome)
    if event.about != "charge" or outcome is None or outcome.state != State.SUCCEEDED or outcome.amount is None:
        raise Refused("no_money", _("This notification tells of no money that came in."))
    return outcome, outcome.amount
