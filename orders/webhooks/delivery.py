"""Webhook delivery with retries: at least once, never within a transaction, and no slow endpoint in anybody's way."""

import json
import logging
import random
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from queue import Empty, SimpleQueue

from django.db import transaction
from django.db.models import OuterRef, Subquery

from friendpay.kit import clock, leases, limits, prepared
from friendpay.kit.background import run_later
from friendpay.kit.compiled import Compiled, Given
from friendpay.kit.writes import Writes
from orders.models import Event, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from orders.webhooks import endpoints, signing, transport

logger = logging.getLogger(__name__)


Status = WebhookDelivery.Status
Done = tuple[WebhookDelivery, transport.Answer]

_at_work = threading.Lock()


def send_soon() -> None:
    """Send what is due on a thread of this process, unless one is at it."""
    if not _at_work.locked():
        run_later("webhooks", _send_due)


def _send_due() -> None:
    with _at_work:
        send_due()


def send_due() -> None:
    """Send what is due and what becomes due meanwhile; come back when nothing is due or under way.

    Only this thread speaks to the database. Each call has a thread of its own, which knows nothing of it.
    """
    under_way: list[WebhookDelivery] = []
    done: SimpleQueue[Done] = SimpleQueue()
    while True:
        taken = _take(under_way)
        under_way += taken
        now = clock.now()
        for delivery in taken:
            threading.Thread(target=_call, args=(delivery, now, done), name="webhook", daemon=True).start()
        if not under_way:
            return
        for delivery, answer in _finished(done):
            under_way.remove(delivery)
            try:
                _note(delivery, answer)
            except Exception:  # it is sent again once its lease is over; the others go on
                logger.exception("what came of webhook delivery %s cannot be noted", delivery.public_id)


def _take(under_way: Sequence[WebhookDelivery]) -> list[WebhookDelivery]:
    """Due deliveries for which there is room, put off by the lease. No endpoint is favoured."""
    if len(under_way) >= limits.WEBHOOK_CALLS:
        return []
    now, taken = clock.now(), list[WebhookDelivery]()
    since = now - limits.WEBHOOK_HANGS
    hanging = {sent.endpoint_id for sent in under_way if sent.next_attempt_at and sent.next_attempt_at < since}
    for sent in under_way:  # none of these has to end before it counts as slow
        sent.endpoint.is_slow = sent.endpoint.is_slow or sent.endpoint_id in hanging
    due = WebhookDelivery.objects.due(now)
    # One look at the index for each endpoint; a plain EXISTS would have all that is due read, a whole backlog of it.
    first = due.filter(endpoint=OuterRef("pk")).order_by("next_attempt_at").values("pk")[:1]
    waiting = list(WebhookEndpoint.objects.enabled().alias(first=Subquery(first)).filter(first__isnull=False))
    random.shuffle(waiting)
    for endpoint in waiting:
        endpoint.is_slow = endpoint.is_slow or endpoint.pk in hanging
        if room := _room(endpoint, [*under_way, *taken]):
            rows = due.filter(endpoint=endpoint).select_related("endpoint", "event__order")
            taken += leases.take(rows, room, wait=lambda _: limits.WEBHOOK_LEASE)
    return taken


def _room(endpoint: WebhookEndpoint, under_way: Sequence[WebhookDelivery]) -> int:
    """How many more calls may be made to this endpoint now."""
    to_merchant = sum(delivery.merchant_id == endpoint.merchant_id for delivery in under_way)
    to_endpoint = sum(delivery.endpoint_id == endpoint.pk for delivery in under_way)
    room = min(
        limits.WEBHOOK_CALLS - len(under_way),
        limits.WEBHOOK_CALLS_TO_MERCHANT - to_merchant,
        limits.WEBHOOK_CALLS_TO_ENDPOINT - to_endpoint,
    )
    if endpoint.is_slow:
        to_slow = sum(delivery.endpoint.is_slow for delivery in under_way)
        room = min(room, limits.WEBHOOK_CALLS_TO_SLOW - to_slow, 1 - to_endpoint)
    return max(0, room)


def _call(delivery: WebhookDelivery, now: datetime, done: "SimpleQueue[Done]") -> None:
    try:
        body = body_of(delivery.event)
        headers = signing.headers(delivery.endpoint.secrets(now), delivery.event.public_id, now, body)
        answer = transport.send(delivery.endpoint.url, body.encode(), headers)
    except Exception:  # a fault of ours, such as a lost credential key, must not stop the others
        logger.exception("webhook delivery %s cannot be sent", delivery.public_id)
        answer = transport.Answer(error="internal")
    done.put((delivery, answer))


def body_of(event: Event) -> str:
    """The same bytes for every endpoint and every attempt: an event that has its place is never changed again."""
    told = event.told()
    told["created_at"] = told["timestamp"] = event.created_at.isoformat().replace("+00:00", "Z")
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _finished(done: "SimpleQueue[Done]") -> Iterator[Done]:
    try:
        yield done.get(timeout=limits.WEBHOOK_POLL_SECONDS)
        while True:
            yield done.get_nowait()
    except Empty:
        pass


@transaction.atomic
def _note(sent: WebhookDelivery, answer: transport.Answer) -> None:
    """Write down an attempt and what follows from it."""
    with prepared.together():  # one after the other, which is the order of locks
        endpoints_found, found = endpoints.LOCKED.ask(pk=sent.endpoint_id), _DELIVERY.ask(pk=sent.pk)
    [endpoint], [delivery] = endpoints_found(), found()
    now = clock.told(vars(delivery)["read_at"])
    attempt = WebhookAttempt(
        delivery=delivery,
        at=now,
        status_code=answer.status,
        milliseconds=answer.milliseconds,
        error=answer.error,
        answer=answer.body.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}"),
    )
    if endpoint.url == sent.endpoint.url:  # of an address it has left, nothing follows
        _note_health(endpoint, answer, now)
    if answer.accepted:
        delivery.status, delivery.delivered_at, delivery.next_attempt_at = Status.DELIVERED, now, None
    elif delivery.status == Status.PENDING:
        if endpoint.enabled and not sent.is_test and delivery.attempts <= len(limits.WEBHOOK_DELAYS):
            delay = limits.WEBHOOK_DELAYS[max(0, delivery.attempts - 1)]
            jitter = random.uniform(1 - limits.WEBHOOK_JITTER, 1 + limits.WEBHOOK_JITTER)
            delivery.next_attempt_at = now + delay * jitter
        else:
            delivery.status, delivery.next_attempt_at = Status.GIVEN_UP, None
    writes = Writes()
    writes.insert(attempt)
    writes.update(delivery, "status", "delivered_at", "next_attempt_at")
    writes.run()


_DELIVERY = Compiled(
    lambda: (
        WebhookDelivery.objects.select_for_update(no_key=True)
        .annotate(read_at=clock.Now())
        .filter(pk=Given("pk"))
        .order_by()
    )
)


def _note_health(endpoint: WebhookEndpoint, answer: transport.Answer, now: datetime) -> None:
    """How the endpoint is, and its end when it is gone or has failed for days."""
    before = endpoint.failing_since, endpoint.is_slow
    endpoint.failing_since = None if answer.accepted else endpoint.failing_since or now
    took_long = answer.milliseconds > limits.WEBHOOK_SLOW_MILLISECONDS
    endpoint.is_slow = took_long or (endpoint.is_slow and not answer.accepted)
    if before != (endpoint.failing_since, endpoint.is_slow):
        endpoint.save(update_fields=["failing_since", "is_slow"])
    if not endpoint.enabled:
        return
    if answer.status == 410:
        endpoints.switch_off(endpoint, endpoints.Reason.GONE, now)
    elif endpoint.failing_since and now - endpoint.failing_since >= limits.WEBHOOK_DISABLED_AFTER:
        endpoints.switch_off(endpoint, endpoints.Reason.FAILING, now)
