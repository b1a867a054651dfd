"""Notifications from providers: verified, stored, answered, and only then applied. A replay changes nothing.

Money for an attempt that waits for it, where nobody holds the locks just then, is settled by the very commit that
stores its notification, and is answered after that.
"""

import logging
from collections.abc import Mapping
from functools import partial
from itertools import count

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit import background, clock, leases, limits
from friendpay.kit.background import enqueue
from friendpay.kit.compiled import Change, Compiled, Given
from friendpay.kit.errors import Refused
from friendpay.kit.writes import Writes
from payments.models import ProviderAccount, ProviderEvent
from payments.settlement import disputes, effects, rounds
from payments.settlement.outcomes import pack
from payments.wallets import registry
from payments.wallets.base import BillLine, NotificationRefused, Outcome, ProviderError, Reply

logger = logging.getLogger(__name__)


def receive(provider_name: str, account_id: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Verify over the raw body, store, and say what to answer. A refused one leaves nothing behind but a counter.

    What cannot be verified for want of the account's credentials is to be sent again: the provider tries for a day.
    """
    account = next(iter(_ACCOUNT(public_id=account_id, provider=provider_name)), None)
    if account is None:
        return Reply(404)
    now = clock.told(vars(account)["read_at"])
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
        asks=bool(notification.reference) and not effects.tells_of_money(notification.outcome),
        body=body,
        received_at=now,
    )
    if not event.asks and effects.apply_new(event):
        return provider.acknowledge()
    event.next_attempt_at = now if event.asks else now + limits.HEAD_START
    writes = Writes()
    writes.insert(event)
    if writes.run_unless("notification_once"):
        _soon(event)
    return provider.acknowledge()


_ACCOUNT = Compiled(
    lambda: (
        ProviderAccount.objects.filter(public_id=Given("public_id"), provider=Given("provider"))
        .annotate(read_at=clock.Now())
        .order_by()
    )
)
_FAILED = Change(
    lambda: ProviderEvent.objects.filter(pk=Given("pk"), attempts=0, next_attempt_at__isnull=False),
    "next_attempt_at",
    attempts=1,
)
_turns = count()


def _soon(event: ProviderEvent) -> None:
    """On a thread of this process; where the wallet has to be asked, by the worker that makes calls."""
    if event.asks:
        enqueue("payments.confirm", event.account_id, event.event_id)
    else:
        background.run_later(f"notifications-{next(_turns) % limits.NOTIFICATION_THREADS}", partial(_apply_now, event))


def _apply_now(event: ProviderEvent) -> None:
    """Apply one that was just stored: no sweep takes it before its head start is over. Should one be at it all the
    same, money is settled once.
    """
    event.attempts = 1
    if not leases.attempt(event, _attempt, foreseen=(ProviderError,)):
        _FAILED(pk=event.pk, next_attempt_at=event.received_at + leases.growing(0))


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


def _attempt(event: ProviderEvent) -> None:
    """Apply it; what fails too often is set aside for support."""
    try:
        effects.apply(event)
    except effects.Asks:
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
    names = Q(outcome__provider_ref=line.provider_ref) if line.provider_ref else Q(reference=line.reference)
    if told.filter(names).exists():
        return None
    event = _from_bill(account, line, Outcome(line.state, line.reference, line.provider_ref, line.amount))
    event.reference = (line.reference or line.provider_ref)[: limits.NOTIFICATION_REFERENCE_CHARACTERS]
    event.orphaned_at = event.received_at
    event.save()
    effects.hear_anew_of(event)
    return event


def keep_dispute_from_bill(account: ProviderAccount, line: BillLine) -> ProviderEvent:
    """A dispute that nobody told us of, and that names no money we know: from now on as if it had been told. The one
    that was, where it was; what came of that stays.
    """
    told = ProviderEvent.objects.filter(account=account, about="dispute", outcome__provider_ref=line.provider_ref)
    if known := told.first():
        return known
    event = _from_bill(account, line, disputes.told_by(line))
    event.next_attempt_at = event.received_at
    event.save()
    return event


def _from_bill(account: ProviderAccount, line: BillLine, outcome: Outcome) -> ProviderEvent:
    """A line of a bill as a notification that says so."""
    number = line.provider_ref or line.reference
    return ProviderEvent(
        account=account,
        event_id=f"bill {line.about} {number}"[:128],
        kind=f"bill.{line.about}",
        about=line.about,
        number=number[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        charge=line.charge[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        charge_ref=line.charge_ref[: limits.NOTIFICATION_REFERENCE_CHARACTERS],
        outcome=pack(outcome),
        body=b"",
        received_at=clock.now(),
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
    effects.explain([event.pk], note)
    return event


def lock_waiting(event_id: int) -> ProviderEvent:
    """A notification that waits for support, locked. Refused once somebody has seen to it."""
    event = ProviderEvent.objects.select_for_update(of=("self",), no_key=True).select_related("account__merchant")
    found = event.get(pk=event_id)
    if not found.is_waiting:
        raise Refused("notification_not_waiting", _("This notification does not wait for anybody."))
    return found
