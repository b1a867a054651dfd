"""Celery tasks of the merchant's side: fetch, call one function."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from friendpay.kit import clock, limits, months
from orders import access, fetching, pictures, request_log, sequence
from orders.models import StoredAnswer
from orders.webhooks import delivery, mail, outbox


@shared_task(name="orders.send_webhooks")
def send_webhooks() -> None:
    """Give committed events their place in the order, and tell the shops of them."""
    sequence.publish()
    delivery.send_soon()


@shared_task(name="orders.send_webhook_mails")
def send_webhook_mails() -> None:
    """Tell shops that an endpoint of theirs was switched off."""
    mail.send_due()


@shared_task(name="orders.purge_answers")
def purge_answers() -> None:
    """Forget the answers to calls nobody repeats any more."""
    StoredAnswer.objects.due_for_purge(clock.now() - timedelta(hours=limits.IDEMPOTENCY_HOURS)).delete()


@shared_task(name="orders.purge_webhooks")
def purge_webhooks() -> None:
    """Forget what was told to shops long ago; the events themselves are kept."""
    outbox.purge(clock.now() - timedelta(days=settings.WEBHOOK_LOG_DAYS))


@shared_task(name="orders.make_months")
def make_months() -> None:
    """Let this month's deliveries go to a table of their own, and have those of the coming months ready."""
    months.make(outbox.BY_MONTH, clock.now())


@shared_task(name="orders.purge_request_log")
def purge_request_log() -> None:
    """Forget the calls of keys that nobody uses any more."""
    request_log.purge(clock.now() - limits.API_CALLS_KEPT_FOR)


@shared_task(name="orders.purge_access_log")
def purge_access_log() -> None:
    """Forget who looked at personal data long ago."""
    access.purge(clock.now() - timedelta(days=settings.ACCESS_LOG_DAYS))


@shared_task(name="orders.fetch_pictures")
def fetch_pictures() -> None:
    """Fetch the pictures of goods that are due."""
    fetching.fetch_due()


@shared_task(name="orders.purge_pictures")
def purge_pictures() -> None:
    """Forget the pictures that only old orders show."""
    pictures.purge(clock.now())
