"""Sending the mail that is due: at least once, always under one Message-ID, never to anybody who has stopped it. A
reminder is looked at once more before it goes: none to somebody who has paid or declined, none after the end.
"""

import smtplib
import threading
import time
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from friendpay.kit import clock, leases, limits
from payments.mail import messages, pushing
from payments.mail.outbox import Kind, Role, forget
from payments.models import Mail, MailAddress, Payment, PaymentRequest

_at_work = threading.Lock()


class NotSent(Exception):
    """Says of what kind the mail server's error was, and not whom it names."""


def send() -> int:
    """Send what is due; says how many it looked at. A worker that dies after sending sends again, the same mail.

    One thread of a process does it, and stops for this time where the mail server does not answer.
    """
    if not _at_work.acquire(blocking=False):
        return 0
    try:
        return _send_due()
    finally:
        _at_work.release()


def _send_due() -> int:
    ends, done = time.monotonic() + limits.MAIL_SWEEP_SECONDS, 0
    due = Mail.objects.due(clock.now())
    due = due.select_related("to__order__merchant", "to__request", "to__payment__account", "event")
    while time.monotonic() < ends and (mails := leases.take(due, 1, _wait)):
        began, done = time.monotonic(), done + 1
        well = leases.attempt(mails[0], _send, foreseen=(NotSent,))
        if not well and time.monotonic() - began >= settings.EMAIL_TIMEOUT:
            break
    return done


def _wait(mail: Mail) -> timedelta:
    return max(limits.MAIL_AGAIN_AFTER, leases.growing(mail.attempts - 1))


def _send(mail: Mail) -> None:
    now = clock.now()
    if mail.kind == Kind.REMINDER and (fate := _reminder(mail, now)) != "send":
        if fate == "never":
            forget(MailAddress.objects.filter(pk=mail.to_id))
        return
    try:
        if mail.to.subscription:
            pushing.send(mail)
        else:
            message(mail).send()
    except Exception as error:
        if isinstance(error, pushing.Gone) or _is_refused(error) or mail.attempts >= limits.MAIL_TRIES:
            forget(MailAddress.objects.filter(pk=mail.to_id))
        raise NotSent(str(error) if isinstance(error, pushing.NotTaken) else type(error).__name__) from None
    Mail.objects.filter(pk=mail.pk).update(sent_at=now, next_attempt_at=None)
    if mail.kind == Kind.REMINDER:
        forget(MailAddress.objects.filter(pk=mail.to_id))


def _reminder(mail: Mail, now: datetime) -> str:
    """Whether to "send" a reminder now, "later" because somebody is paying, or "never" again."""
    row, request = mail.to, mail.to.request
    own = request.payments.filter(visitor=row.visitor)
    theirs = MailAddress.objects.filter(digest=row.digest, request=request, role=Role.PAYER)
    over = request.status_at(now) != PaymentRequest.Status.OPEN
    paid = request.payments.filter(share=row.share, amount_applied__gt=0) if row.share is not None else own.none()
    if over or own.filter(status=Payment.Status.SUCCEEDED).exists() or theirs.exists() or paid.exists():
        return "never"
    waits = request.remaining <= 0 or own.undecided().exists() or row.order.merchant.is_frozen
    return "later" if waits else "send"


def _is_refused(error: Exception) -> bool:
    """Whether the mail server says that there is no such address."""
    return isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        code >= 500 for code, _words in error.recipients.values()
    )


def message(mail: Mail) -> EmailMultiAlternatives:
    """The mail as it goes out, in the language of whoever gave the address, with one click to stop it."""
    row = mail.to
    stop_url = f"{settings.PUBLIC_URL}{reverse('stop_mail', args=[row.token])}"
    message = messages.write(mail)
    text, html = messages.render(message, row, stop_url)
    headers = {
        "Message-ID": f"<{mail.public_id}@{urlsplit(settings.PUBLIC_URL).hostname}>",
        "List-Unsubscribe": f"<{stop_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }
    made = EmailMultiAlternatives(message.subject, text, None, [row.address], headers=headers)
    made.attach_alternative(html, "text/html")
    return made
