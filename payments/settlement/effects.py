"""What a stored notification does: money that came is believed, all else is a hint, and asked about."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from django.db.models import Q, QuerySet

from friendpay.kit import clock
from friendpay.kit.compiled import Compiled, Given
from friendpay.kit.errors import Refused
from friendpay.kit.writes import Writes
from payments.models import BillMismatch, Payment, ProviderEvent, Refund
from payments.settlement import fees, locks, outside, reconcile, refunds, rules
from payments.settlement.calls import calling
from payments.settlement.outcomes import pack, unpack
from payments.wallets.abilities import KnowsDisputes
from payments.wallets.base import Account, Outcome, Provider, ProviderError, State

logger = logging.getLogger(__name__)


class Asks(Exception):
    """The wallet has to be asked first, and calls are made elsewhere."""


@contextmanager
def _asking(event: ProviderEvent) -> Iterator[tuple[Provider, Account]]:
    """A call about what it names, where calls are made."""
    if not event.asks:
        raise Asks
    with calling(event.account) as both:
        yield both


def apply(event: ProviderEvent) -> None:
    """Find what it speaks of and do what it says; one that speaks of nothing we know is kept as an orphan. Raises Asks
    where the wallet has to be asked and `event.asks` does not say so.
    """
    known = {"refund": _apply_refund, "dispute": _apply_dispute}.get(event.about, _apply_charge)(event)
    if event.applied_at:
        return  # written with what it did
    event.next_attempt_at, writes = None, Writes()
    if known:
        _applied(event, clock.now(), writes)
    elif event.reference:
        event.orphaned_at = clock.now()
        logger.error("notification %s names %s, which is none of ours", event, event.reference)
    else:
        event.applied_at = clock.now()  # nothing in it for us, such as a test message
        _explain(event.pk, "It is about nothing of ours.", writes)
    writes.update(event, "next_attempt_at", "attempts", "applied_at", "orphaned_at", "outcome", "reference")
    writes.run()
    if event.orphaned_at:
        hear_anew_of(event)


def apply_new(event: ProviderEvent) -> bool:
    """Store one that was not stored yet together with what it does, by one commit: money for an attempt that waits for
    it. False where it takes more than that, or where the locks are not free; then nothing was written.
    """
    told = unpack(event.outcome)
    payment = _named(event, told) if event.about == "charge" and tells_of_money(told) else None
    if told is None or payment is None or payment.status not in rules.UNDECIDED:
        return False
    event.attempts = 1
    try:
        reconcile.apply(payment, told, also=partial(_new, event), wait=False)
    except Exception as error:  # whatever it is: it is stored, and meets the same when it is applied
        logger.info("notification %s is stored first: %r", event.event_id, error)
        event.applied_at = None
    event.attempts = 1 if event.applied_at else 0
    return event.applied_at is not None


def _new(event: ProviderEvent, now: datetime, writes: Writes) -> None:
    event.applied_at = now
    writes.insert(event)


def _applied(event: ProviderEvent, now: datetime, writes: Writes) -> None:
    """It took effect: to be written with what it did, where that is one statement."""
    event.applied_at, event.next_attempt_at = now, None
    writes.update(event, "applied_at", "next_attempt_at", "attempts")
    _explain(event.pk, "It was booked by support's new try.", writes)


_REFERRED = Q(account=Given("account"), reference=Given("reference"))
_NAMED = Compiled(lambda: _newest(Payment.objects.filter(_REFERRED)))
_NAMED_BY_BOTH = Compiled(lambda: _newest(locks.either(_REFERRED, Q(account=Given("account")) & locks.NUMBERED)))


def _newest(payments: "QuerySet[Payment]") -> "QuerySet[Payment]":
    """These, the newest first."""
    return payments.select_related("account").order_by("-id")


def _named(event: ProviderEvent, told: Outcome | None) -> Payment | None:
    """The attempt that a notification of a charge is about."""
    names = {"account": event.account_id, "reference": event.reference}
    number = told.provider_ref if told else ""
    return next(iter(_NAMED_BY_BOTH(**names, provider_ref=number) if number else _NAMED(**names)), None)


def _apply_charge(event: ProviderEvent) -> bool:
    """Only money that came is taken at its word. Everything else - refused, closed, lapsed - is a hint that may be old:
    the provider is asked how it stands now. So is money for an attempt that has ended: it may have gone back since.
    """
    told = unpack(event.outcome)
    believed = tells_of_money(told)
    payment = _named(event, told)
    if payment:
        ended = payment.status in (Payment.Status.FAILED, Payment.Status.CANCELLED)
        stands = told if told and believed and not ended else _ask_payment(event, payment)
        if believed and stands.state not in (State.SUCCEEDED, State.RETURNED):
            raise ProviderError(f"told of money, but asked about it the provider says {stands.state}", permanent=False)
        reconcile.apply(payment, stands, also=partial(_applied, event))
    elif event.reference and not believed:
        with _asking(event) as (provider, account):
            event.outcome = pack(provider.fetch(account, event.reference))
    return payment is not None


def _apply_refund(event: ProviderEvent) -> bool:
    """As with charges; and where we hold that a refund failed, its success is asked about as well. One of an orphan
    waits for support as that does, and is heard once it is booked.
    """
    told = unpack(event.outcome)
    refund = Refund.objects.select_related("payment").numbered(event.account, event.reference or event.number)
    if refund:
        believed = tells_of_money(told) and refund.status != Refund.Status.FAILED
        refunds.apply(refund, told if told and believed else _ask_refund(event, refund))
        return True
    payment = outside.charged(event.account, event.charge, event.charge_ref)
    if payment is None and not event.reference and _is_of_orphan(event):
        event.reference = event.number  # by which it waits, where the wallet has no other name for it
    return payment is not None and _apply_external(event, payment, told)


def _apply_external(event: ProviderEvent, payment: Payment, told: Outcome | None) -> bool:
    """A refund of a payment of ours that we did not make. False: it cannot be booked, and a person has to look."""
    if payment.status in rules.UNDECIDED:
        payment = reconcile.apply(payment, _ask_payment(event, payment))
    if not payment.amount_captured:
        return True  # what was never counted
    number = event.reference or event.number
    if told is None or told.state != State.SUCCEEDED:
        names = {"reference": number, "charge": payment.reference, "charge_ref": payment.provider_ref}
        with _asking(event) as (provider, account):
            told = provider.fetch_refund(account, **names)
    if told.state == State.UNKNOWN:
        raise ProviderError("the provider does not know the refund it told us of", permanent=False)
    event.outcome = pack(told)
    if told.state != State.SUCCEEDED or told.amount is None:
        return True  # nothing has gone back, or not yet: then it is told of again, and the bill has it
    try:
        outside.book_refund(payment.pk, number, told.amount, provider_ref=told.provider_ref)
    except Refused as refused:
        event.reference = number
        logger.error("%s: %s", event, refused)
        return False
    return True


def _apply_dispute(event: ProviderEvent) -> bool:
    """One of somebody else's payment is nothing to us: a shop uses its account for other things too. One of an orphan
    waits for support as that does, and is heard once it is booked. Where it overtook the news of its payment, that
    comes first: a dispute can only hold money that is booked.
    """
    payment, told = outside.charged(event.account, event.charge, event.charge_ref), unpack(event.outcome)
    event.reference = event.number if payment is None and _is_of_orphan(event) else ""
    if event.reference:
        return False
    if told and payment is None and event.charge_ref:
        payment, told = _ask_whose(event, told)
    if payment and not payment.amount_captured:
        stands = _ask_payment(event, payment)
        if stands.state == State.PENDING:
            raise ProviderError("told of a dispute of money that, asked, it does not have yet", permanent=False)
        payment = reconcile.apply(payment, stands)
    if payment and told:
        fees.book_kept(outside.hear_dispute(payment.pk, told))
    return payment is not None


def _is_of_orphan(event: ProviderEvent) -> bool:
    """Whether the money that a refund or dispute is of waits for support."""
    names = Q(outcome__provider_ref=event.charge_ref) if event.charge_ref else Q(pk=None)
    if event.charge:
        names |= Q(reference=event.charge)
    return ProviderEvent.objects.waiting().filter(names, account=event.account, about="charge").exists()


def hear_anew_of(orphan: ProviderEvent) -> None:
    """An orphan is known from now on: disputes of it, which were nothing to us, wait as it does."""
    outcome = unpack(orphan.outcome)
    if orphan.about == "charge" and outcome:
        names = {"charge_ref": outcome.provider_ref, "charge": orphan.reference}
        ProviderEvent.objects.hear_anew(orphan.account_id, clock.now(), **names)


def _ask_whose(event: ProviderEvent, told: Outcome) -> tuple[Payment | None, Outcome]:
    """The payment of a dispute that names it by the wallet's number alone, which we learn with the news of the money:
    the wallet, asked, may know our own. One of another charge of an attempt of ours waits for that to be known.
    """
    reference, payment = event.charge, None
    if not reference:
        with _asking(event) as (provider, account):
            if not isinstance(provider, KnowsDisputes):
                return None, told
            told = provider.fetch_dispute(account, told.provider_ref)
        if told.state == State.UNKNOWN:
            raise ProviderError("the provider does not know the dispute it told us of", permanent=False)
        reference = told.reference
        payment = outside.charged(event.account, reference, event.charge_ref)
    if reference and payment is None and Payment.objects.filter(account=event.account, reference=reference).exists():
        raise ProviderError("told of a dispute of a charge that is not known yet", permanent=False)
    return payment, told


def _ask_payment(event: ProviderEvent, payment: Payment) -> Outcome:
    with _asking(event) as (provider, account):
        outcome = provider.fetch(account, payment.reference, payment.provider_session)
    if outcome.state == State.UNKNOWN:
        raise ProviderError("the provider does not know the charge it told us of", permanent=False)
    return outcome


def _ask_refund(event: ProviderEvent, refund: Refund) -> Outcome:
    if not event.asks:
        raise Asks
    refund.account = event.account
    return refunds.ask(refund)


def tells_of_money(outcome: Outcome | None) -> bool:
    """Whether it says that money moved."""
    return outcome is not None and outcome.state == State.SUCCEEDED


def explain(event_ids: Iterable[int], note: str) -> None:
    """What was done about orphans puts right what a bill said of them as well."""
    writes = Writes()
    for pk in event_ids:
        _explain(pk, note, writes)
    writes.run()


def _explain(event_id: int, note: str, writes: Writes) -> None:
    writes.change(_EXPLAIN, note, f"orphan {event_id}")


_EXPLAIN = f"""
    UPDATE {BillMismatch._meta.db_table} SET note = {{}}, settled_at = clock_timestamp()
    WHERE ours = {{}} AND settled_at IS NULL
"""
