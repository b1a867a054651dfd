"""What the worker does: fetch, call one function. A nudge does one thing at once; the sweeps guarantee that all is
done.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.core.mail import mail_admins

from friendpay import clock
from payments import bill_days, friction, inbox, ledger, lifecycle, mail, reconcile, refunds, retention, sending
from payments.models import PaymentRequest

logger = logging.getLogger(__name__)

BATCH = 500


@shared_task(name="payments.ask")
def ask(payment_id: int) -> None:
    """Ask the provider about one payment."""
    reconcile.ask(payment_id)


@shared_task(name="payments.refund")
def refund(refund_id: int) -> None:
    """Send one refund."""
    refunds.send(refund_id)


@shared_task(name="payments.apply")
def apply(account_id: int, event_id: str) -> None:
    """Apply one notification."""
    inbox.apply(account_id, event_id)


@shared_task(name="payments.sweep_notifications")
def sweep_notifications() -> None:
    """Apply what no nudge reached."""
    _until_done(inbox.apply)


@shared_task(name="payments.sweep_payments")
def sweep_payments() -> None:
    """Ask about every undecided payment that is due; close those whose hold has ended."""
    _until_done(reconcile.ask)


@shared_task(name="payments.sweep_refunds")
def sweep_refunds() -> None:
    """Send every refund that is due, and follow those under way."""
    _until_done(refunds.send)


@shared_task(name="payments.sweep_requests")
def sweep_requests() -> None:
    """End the requests whose time is over: in batches where nobody ever came, one by one where parts go back."""
    while lifecycle.expire_plain(BATCH):
        pass
    for pk in PaymentRequest.objects.due_for_expiry(clock.now()).values_list("pk", flat=True)[:BATCH]:
        lifecycle.expire_request(pk)


@shared_task(name="payments.sweep_mail")
def sweep_mail() -> None:
    """Send the mail that is due."""
    _until_done(sending.send, batch=sending.BATCH)


@shared_task(name="payments.purge_mail")
def purge_mail() -> None:
    """Forget the addresses that nothing is sent to any more."""
    mail.purge()


@shared_task(name="payments.purge_steps")
def purge_steps() -> None:
    """Forget what the friction meter does not look back to."""
    friction.purge()


@shared_task(name="payments.check_ledger")
def check_ledger() -> None:
    """Prove that the books are right, and be loud when they are not."""
    findings = ledger.check()
    if findings:
        text = "\n".join(map(str, findings))
        logger.critical("the ledger is wrong:\n%s", text)
        mail_admins(f"friendpay: the ledger is wrong in {len(findings)} places", text)


@shared_task(name="payments.forget_payers")
def forget_payers() -> None:
    """Forget who paid what was paid long ago."""
    retention.forget_payers(clock.now() - timedelta(days=settings.PAYER_DATA_DAYS))


@shared_task(name="payments.compare_bills")
def compare_bills() -> None:
    """Compare every bill that is due."""
    bill_days.compare_due()


def _until_done(some: Callable[..., int], batch: int = 50, rounds: int = 20) -> None:
    """Work through what is due, but never for so long that the next sweep finds this one at it for ever."""
    for _round in range(rounds):
        if some(limit=batch) < batch:
            break
