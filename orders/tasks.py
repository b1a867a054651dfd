"""What the worker does for the merchant's side: fetch, call one function."""

from datetime import timedelta

from celery import shared_task

from friendpay import clock
from orders import publication
from orders.idempotency import KEPT_HOURS
from orders.models import StoredAnswer


@shared_task(name="orders.publish_events")
def publish_events() -> None:
    """Give committed events their place in the order."""
    publication.publish()


@shared_task(name="orders.purge_answers")
def purge_answers() -> None:
    """Forget the answers to calls nobody repeats any more."""
    StoredAnswer.objects.due_for_purge(clock.now() - timedelta(hours=KEPT_HOURS)).delete()
