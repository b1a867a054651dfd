"""Mail to a merchant whose webhook endpoint was switched off."""

import logging

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import mail_admins, send_mail
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from friendpay.kit import clock, limits
from orders.models import Merchant, WebhookEndpoint

logger = logging.getLogger(__name__)


def send_due() -> None:
    """Send every mail that is due, each at least once; one that cannot be sent is tried again in an hour."""
    now = clock.now()
    for endpoint in WebhookEndpoint.objects.filter(mail_due_at__lte=now).select_related("merchant"):
        this = WebhookEndpoint.objects.filter(pk=endpoint.pk, mail_due_at=endpoint.mail_due_at)
        if not this.update(mail_due_at=now + limits.WEBHOOK_MAIL_AGAIN_AFTER):
            continue  # somebody else has it in hand
        try:
            _send(endpoint)
        except OSError as error:  # the mail server's failures are all of this kind: the others have no better chance
            logger.warning("the mail about endpoint %s could not be sent: %s", endpoint.public_id, error)
            return
        except Exception:  # one that cannot be written holds up no other
            logger.exception("the mail about endpoint %s", endpoint.public_id)
        else:
            WebhookEndpoint.objects.filter(pk=endpoint.pk, mail_due_at=now + limits.WEBHOOK_MAIL_AGAIN_AFTER).update(
                mail_due_at=None
            )


def _send(endpoint: WebhookEndpoint) -> None:
    subject = _("Your webhook endpoint was switched off")
    text = _(
        "Hello %(shop)s,\n\n"
        "nothing more is sent to your webhook endpoint\n\n"
        "    %(url)s (%(id)s)\n\n"
        "because %(reason)s. Nothing is lost: read what you missed from GET %(api)s/events. Once your server is well, "
        "switch the endpoint on again with POST %(api)s/webhook-endpoints/%(id)s/enable.\n"
    ) % {
        "shop": endpoint.merchant.name,
        "url": endpoint.url,
        "id": endpoint.public_id,
        "reason": endpoint.get_disabled_reason_display(),
        "api": f"{settings.PUBLIC_URL}/api/v1",
    }
    if address := _address(endpoint.merchant):
        send_mail(subject, text, None, [address])
    else:  # the operator knows how to reach a shop that gave a phone number
        mail_admins(f"{endpoint.merchant.name}: {subject}", text)


def _address(merchant: Merchant) -> str:
    if merchant.technical_email:
        return merchant.technical_email
    try:
        validate_email(merchant.contact)
    except ValidationError:
        return ""
    return merchant.contact
