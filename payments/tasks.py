"""Celery tasks of payments: fetch, call one function. Those sent after a commit may be lost; sweeps find what is due.

Which of them call others' servers, and so run on a queue of their own, is said in `friendpay/celery.py`.
"""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.core.mail import mail_admins

from friendpay.kit import clock
from payments import heartbeats
from payments.funnel import steps
from payments.mail import outbox, sending
from payments.models import ProviderAccount
from payments.settlement import bill_days, disputes, expiry, inbox, ledger, reconcile, refunds, retention

logger = logging.getLogger(__name__)


@shared_task(name="payments.ask")
def ask(payment_id: int) -> None:
    """Ask the provider about one payment."""
    reconcile.ask(payment_id)


@shared_task(name="payments.refund")
def refund(refund_id: int) -> None:
    """Send one refund."""
    refunds.send(refund_id)


@shared_task(name="payments.confirm")
def confirm(account_id: int, event_id: str) -> None:
    """Ask the wallet about one notification that is only a hint, and apply what it says."""
    inbox.apply(account_id, event_id, asking=True)


@shared_task(name="payments.sweep_notifications")
def sweep_notifications() -> None:
    """Apply what no task was sent for."""
    inbox.apply(asking=False)


@shared_task(name="payments.sweep_hints")
def sweep_hints() -> None:
    """The same for notifications about which the wallet has to be asked."""
    inbox.apply(asking=True)


@shared_task(name="payments.sweep_payments")
def sweep_payments() -> None:
    """Ask about every undecided payment that is due; close those whose hold has ended."""
    reconcile.ask()


@shared_task(name="payments.sweep_refunds")
def sweep_refunds() -> None:
    """Send every refund that is due, and follow those under way."""
    refunds.send()


@shared_task(name="payments.sweep_disputes")
def sweep_disputes() -> None:
    """Ask about every open dispute that is due."""
    disputes.ask()


@shared_task(name="payments.sweep_requests")
def sweep_requests() -> None:
    """End the holds and requests whose time is over."""
    expiry.sweep()


@shared_task(name="payments.sweep_mail")
def sweep_mail() -> None:
    """Send the mail that is due."""
    sending.send()


@shared_task(name="payments.purge_mail")
def purge_mail() -> None:
    """Forget the addresses that nothing is sent to any more."""
    outbox.purge()


@shared_task(name="payments.purge_steps")
def purge_steps() -> None:
    """Forget what the friction meter does not look back to."""
    steps.purge()


@shared_task(name="payments.check_ledger")
def check_ledger() -> None:
    """Prove that the books are right, and be loud when they are not."""
    findings = ledger.check()
    heartbeats.note_ledger(len(findings))
    ledger.alarm(findings)
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


@shared_task(name="payments.warn_of_ends")
def warn_of_ends() -> None:
    """Log which accounts go by certificates that end within 30 days."""
    now = clock.now()
    for account in ProviderAccount.objects.filter(enabled=True):
        if ends := account.ends_soon(now):
            logger.warning("%s: the wallet's certificates end on %s", account.public_id, ends.date())


@shared_task(name="payments.beat")
def beat() -> None:
    """A sign of life of the queue that needs nobody else."""
    heartbeats.sign("celery")


@shared_task(name="payments.beat_calls")
def beat_calls() -> None:
    """The same of the queue that calls others' servers."""
    heartbeats.sign("calls")
