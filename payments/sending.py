"""Sending the mail that is owed: at least once, always under one Message-ID, never to who has stopped it. A reminder is
looked at once more before it goes: none to who has paid or declined, none after the end.
"""

import logging
import smtplib
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from friendpay import clock, leases
from payments import letters
from payments.mail import Kind, Role, forget
from payments.models import Mail, MailAddress, Payment, PaymentRequest

logger = logging.getLogger(__name__)

BATCH = 20
AGAIN = timedelta(minutes=5)  # longer than a batch takes where every call of the mail server runs into its time limit
GIVE_UP = 20  # attempts: most of a day


def send(limit: int = BATCH) -> int:
    """Send what is due; says how many it looked at. A worker that dies after sending sends again, the same mail."""
    now = clock.now()
    due = Mail.objects.due(now).select_related("to__order__merchant", "to__request", "to__payment__account", "event")
    mails = leases.take(due, now, limit, wait=lambda mail: max(AGAIN, leases.growing(mail.attempts - 1)))
    for mail in mails:
        if mail.kind == Kind.REMINDER and (fate := _reminder(mail, now)) != "send":
            if fate == "never":
                forget(MailAddress.objects.filter(pk=mail.to_id))
            continue
        try:
            message(mail).send()
        except Exception as error:  # the mail server's, or one that cannot be written: it holds up no other
            _failed(mail, error)
        else:
            Mail.objects.filter(pk=mail.pk).update(sent_at=now, next_attempt_at=None)
            if mail.kind == Kind.REMINDER:
                forget(MailAddress.objects.filter(pk=mail.to_id))
    return len(mails)


def _reminder(mail: Mail, now: datetime) -> str:
    """Whether to "send" a reminder now, "later" because somebody is paying, or "never" again."""
    row, request = mail.to, mail.to.request
    own = request.payments.filter(visitor=row.visitor)
    theirs = MailAddress.objects.filter(digest=row.digest, request=request, role=Role.PAYER)
    over = request.status_at(now) != PaymentRequest.Status.OPEN
    if over or own.filter(status=Payment.Status.SUCCEEDED).exists() or theirs.exists():
        return "never"
    waits = request.remaining <= 0 or own.undecided().exists() or row.order.merchant.is_frozen
    return "later" if waits else "send"


def _failed(mail: Mail, error: Exception) -> None:
    """Try again later, except where the mail server says that there is no such address."""
    refused = isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        code >= 500 for code, _words in error.recipients.values()
    )
    if refused or mail.attempts >= GIVE_UP:
        forget(MailAddress.objects.filter(pk=mail.to_id))
    logger.warning("%s could not be sent: %s", mail.public_id, type(error).__name__)


def message(mail: Mail) -> EmailMultiAlternatives:
    """The mail as it goes out, in the language of who gave the address, with one click to stop it."""
    row = mail.to
    stop_url = f"{settings.PUBLIC_URL}{reverse('stop_mail', args=[row.token])}"
    letter = letters.write(mail)
    text, html = letters.render(letter, row, stop_url)
    headers = {
        "Message-ID": f"<{mail.public_id}@{urlsplit(settings.PUBLIC_URL).hostname}>",
        "List-Unsubscribe": f"<{stop_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }
    made = EmailMultiAlternatives(letter.subject, text, None, [row.address], headers=headers)
    made.attach_alternative(html, "text/html")
    return made
