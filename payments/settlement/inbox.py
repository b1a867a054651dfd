"""Notifications from providers: verified, stored, answered, and only then applied. A replay changes nothing."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, leases, limits
from friendpay.kit.background import enqueue
from friendpay.kit.errors import Refused
from payments.models import BillMismatch, Payment, ProviderAccount, ProviderEvent, Refund
from payments.settlement import outside, reconcile, refunds, rounds, rules
from payments.settlement.calls import calling
from payments.settlement.outcomes import pack, unpack
from payments.wallets import registry
from payments.wallets.base import Account, BillLine, NotificationRefused, Outcome, Provider, ProviderError, Reply, State

logger = logging.getLogger(__name__)


def receive(provider_name: str, account_id: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Verify over the raw body, store, and say what to answer. A refused one leaves nothing behind but a counter.

    What cannot be verified for want of the account's credentials is to be sent again: the provider tries for a day.
    """
    account = ProviderAccount.objects.filter(public_id=account_id, provider=provider_name).first()
    if account is None:
        return Reply(404)
    now = clock.now()
    provider = registry.get(provider_name)
    try:
        notification = provider.read_notification(account.as_data(), headers, body, now)
    except ProviderError as error:
        logger.error("a notification for %s could not be verified: %s", account.public_id, error)
        return Reply(503)
    except NotificationRefused as refused:
        logger.warning("a notification for %s was refused: %s", account.public_id, refused)
        ProviderAccount.objects.filter(pk=account.pk).update(refused_notifications=F("refused_notifications") + 1)
        return refused.reply
    event = ProviderEvent(
        account=account,
        event_id=notification.event_id,
        kind=notification.kind,
        about=notification.about,
        reference=notification.reference[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        number=notification.number[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        charge=notification.charge[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        charge_ref=notification.charge_ref[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        outcome=pack(notification.outcome),
        asks=bool(notification.reference) and not _tells_of_money(notification.outcome),
        body=body,
        received_at=now,
        next_attempt_at=now,
    )
    ProviderEvent.objects.bulk_create([event], ignore_conflicts=True)
    _soon(event)
    return provider.acknowledge()


def _soon(event: ProviderEvent) -> None:
    enqueue("payments.confirm" if event.asks else "payments.apply", event.account_id, event.event_id)


def apply(account_id: int | None = None, event_id: str = "", *, asking: bool | None = None) -> int:
    """Apply one stored notification (its task), or all that are due (the sweep). Says how many were tried.

    With `asking`, only those for which the wallet has to be asked; with `asking=False` only the others, which nothing
    can hold up but the database.
    """
    if event_id:
        one = ProviderEvent.objects.filter(account_id=account_id, event_id=event_id, next_attempt_at__isnull=False)
        due, limit = one, 1
    else:
        due, limit = ProviderEvent.objects.due(clock.now()), None
    done = 0
    if asking is not True:
        told = due.filter(asks=False).select_related("account")
        while (limit is None or done < limit) and (events := leases.take(told, 1)):
            leases.attempt(events[0], _attempt, foreseen=(ProviderError,))
            done += not events[0].asks
    if asking is not False:
        done += rounds.work_through(due.filter(asks=True), _attempt, limit=limit)
    return done


class _Asks(Exception):
    """The wallet has to be asked first, and this is not the place for it."""


@contextmanager
def _asking(event: ProviderEvent) -> Iterator[tuple[Provider, Account]]:
    """A call about what it names, where calls are made: `apply` with `asking`."""
    if not event.asks:
        raise _Asks
    with calling(event.account) as both:
        yield both


def _attempt(event: ProviderEvent) -> None:
    """Apply it; what fails too often is set aside for support."""
    try:
        _apply(event)
    except _Asks:
        event.asks, event.attempts = True, event.attempts - 1
        event.next_attempt_at = event.received_at  # due at once
        event.save(update_fields=["asks", "attempts", "next_attempt_at"])
        _soon(event)
    except Exception:
        if event.attempts >= limits.NOTIFICATION_TRIES:
            event.set_aside_at, event.next_attempt_at = clock.now(), None
            event.save(update_fields=["set_aside_at", "next_attempt_at"])
        raise


def keep_from_bill(account: ProviderAccount, line: BillLine) -> ProviderEvent | None:
    """An orphan for a line of a bill that nothing of ours stands for; None where one of the same money is here already,
    whatever became of it.
    """
    told = ProviderEvent.objects.filter(account=account, about=line.about)
    number = line.provider_ref or line.reference
    names = Q(outcome__provider_ref=line.provider_ref) if line.provider_ref else Q(reference=line.reference)
    if told.filter(names).exists():
        return None
    now = clock.now()
    return ProviderEvent.objects.create(
        account=account,
        event_id=f"bill {line.about} {number}"[:128],
        kind=f"bill.{line.about}",
        about=line.about,
        reference=(line.reference or number)[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        number=number[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        charge=line.charge[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        charge_ref=line.charge_ref[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        outcome=pack(Outcome(line.state, line.reference, line.provider_ref, line.amount)),
        body=b"",
        received_at=now,
        orphaned_at=now,
    )


@transaction.atomic
def try_again(event_id: int) -> ProviderEvent:
    """Support's word to apply a notification once more that was set aside, or that named nothing of ours then."""
    event = lock_waiting(event_id)
    event.orphaned_at = event.set_aside_at = None
    event.next_attempt_at, event.attempts = clock.now(), 0
    event.save(update_fields=["orphaned_at", "set_aside_at", "next_attempt_at", "attempts"])
    transaction.on_commit(lambda: _soon(event))
    return event


@transaction.atomic
def put_away(event_id: int, note: str) -> ProviderEvent:
    """Support's word that nothing is to be booked for a notification that waits, and why."""
    event = lock_waiting(event_id)
    event.orphaned_at = event.set_aside_at = None
    event.put_away_at, event.note = clock.now(), note
    event.save(update_fields=["orphaned_at", "set_aside_at", "put_away_at", "note"])
    explain([event.pk], note)
    return event


def explain(event_ids: Iterable[int], note: str) -> None:
    """What was done about orphans puts right what a bill said of them as well."""
    orphans = [f"orphan {pk}" for pk in event_ids]
    BillMismatch.objects.filter(ours__in=orphans, settled_at=None).update(settled_at=clock.now(), note=note)


def lock_waiting(event_id: int) -> ProviderEvent:
    """A notification that waits for support, locked. Refused once somebody has seen to it."""
    event = ProviderEvent.objects.select_for_update(of=("self",), no_key=True).select_related("account__merchant")
    found = event.get(pk=event_id)
    if not found.is_waiting:
        raise Refused("notification_not_waiting", _("This notification does not wait for anybody."))
    return found


def _apply(event: ProviderEvent) -> None:
    """Find what it speaks of and do what it says; one that speaks of nothing we know is kept as an orphan."""
    known = {"refund": _apply_refund, "dispute": _apply_dispute}.get(event.about, _apply_charge)(event)
    event.next_attempt_at = None
    if known:
        event.applied_at = clock.now()
        explain([event.pk], "It was booked by support's new try.")
    elif event.reference:
        event.orphaned_at = clock.now()
        logger.error("notification %s names %s, which is none of ours", event, event.reference)
    else:
        event.applied_at = clock.now()  # nothing in it for us, such as a test message
    event.save(update_fields=["next_attempt_at", "applied_at", "orphaned_at", "outcome", "reference"])


def _apply_charge(event: ProviderEvent) -> bool:
    """Only money that came is taken at its word. Everything else - refused, closed, lapsed - is a hint that may be old:
    the provider is asked how it stands now. So is money for an attempt that has ended: it may have gone back since.
    """
    told = unpack(event.outcome)
    believed = _tells_of_money(told)
    names = Q(reference=event.reference)
    if told and told.provider_ref:
        names |= Q(provider_ref=told.provider_ref)
    payment = Payment.objects.select_related("account").filter(names, account=event.account).order_by("-id").first()
    if payment:
        ended = payment.status in (Payment.Status.FAILED, Payment.Status.CANCELLED)
        stands = told if told and believed and not ended else _ask_payment(event, payment)
        if believed and stands.state not in (State.SUCCEEDED, State.RETURNED):
            raise ProviderError(f"told of money, but asked about it the provider says {stands.state}", permanent=False)
        reconcile.apply(payment, stands)
    elif event.reference and not believed:
        with _asking(event) as (provider, account):
            event.outcome = pack(provider.fetch(account, event.reference))
    return payment is not None


def _apply_refund(event: ProviderEvent) -> bool:
    """As with charges; and where we hold that a refund failed, its success is asked about as well."""
    told = unpack(event.outcome)
    refund = Refund.objects.select_related("payment").numbered(event.account, event.reference or event.number)
    if refund:
        believed = _tells_of_money(told) and refund.status != Refund.Status.FAILED
        refunds.apply(refund, told if told and believed else _ask_refund(event, refund))
        return True
    payment = outside.charged(event.account, event.charge, event.charge_ref)
    return payment is not None and _apply_external(event, payment, told)


def _apply_external(event: ProviderEvent, payment: Payment, told: Outcome | None) -> bool:
    """A refund of a payment of ours that we did not make. False: it cannot be booked, and a person has to look."""
    if payment.status in rules.UNDECIDED:
        payment = reconcile.apply(payment, _ask_payment(event, payment))
    if not payment.amount_captured:
        return True  # what was never counted
    number = event.reference or event.number
    if told is None or told.state != State.SUCCEEDED:
        charge = payment.reference, payment.provider_ref
        with _asking(event) as (provider, account):
            told = provider.fetch_refund(account, reference=number, charge=charge[0], charge_ref=charge[1])
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
    """One of somebody else's payment is nothing to us: a shop uses its account for other things too."""
    payment, told = outside.charged(event.account, event.charge, event.charge_ref), unpack(event.outcome)
    if payment and told:
        outside.hear_dispute(payment.pk, told)
    return payment is not None


def _ask_payment(event: ProviderEvent, payment: Payment) -> Outcome:
    with _asking(event) as (provider, account):
        outcome = provider.fetch(account, payment.reference, payment.provider_session)
    if outcome.state == State.UNKNOWN:
        raise ProviderError("the provider does not know the charge it told us of", permanent=False)
    return outcome


def _ask_refund(event: ProviderEvent, refund: Refund) -> Outcome:
    if not event.asks:
        raise _Asks
    refund.account = event.account
    return refunds.ask(refund)


def _tells_of_money(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.state == State.SUCCEEDED
