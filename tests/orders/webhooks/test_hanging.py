"""A receiver that takes a call and never answers: it is slow while its call is under way, and in nobody's way."""

import threading
from http.server import BaseHTTPRequestHandler

import pytest

from friendpay.kit import limits
from orders import sequence
from orders.models import WebhookDelivery
from orders.webhooks import delivery, transport
from tests import shop
from tests.orders.webhooks.conftest import MakeReceiver, MoveTime, send, told
from tests.orders.webhooks.receivers import say

pytestmark = pytest.mark.django_db


def test_one_that_hangs_keeps_no_other_shop_waiting(listen: MakeReceiver) -> None:
    """Its four calls hang until all of the others are told; the rest of its events wait for those alone."""
    hung, well = listen(), listen()
    all_told, waited, left = threading.Event(), list[bool](), iter(range(11, -1, -1))

    def hang(handler: BaseHTTPRequestHandler) -> None:
        waited.append(all_told.wait(60))
        say(handler, 204)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        say(handler, 204)
        if next(left) == 0:
            all_told.set()

    hung.respond, well.respond = hang, answer
    for server, merchants, events in ((hung, 1, 8), (well, 3, 4)):
        for number in range(merchants):
            endpoint, _ = told(server, shop.make_merchant(f"Shop {number}"), proven=True)
            for _event in range(events):
                shop.make_order(endpoint.merchant)
    send()
    assert waited == [True] * 8
    assert (len(hung.heard), len(well.heard)) == (8, 12)


def test_a_call_that_hangs_makes_its_endpoint_slow_before_it_ends(listen: MakeReceiver, move_time: MoveTime) -> None:
    """Else each of its calls that ends would be followed by another, although the first has hung all the while."""
    endpoint, _ = told(listen(), shop.make_merchant(), proven=True)
    for _event in range(10):
        shop.make_order(endpoint.merchant)
    sequence.publish()
    under_way = delivery._take([])
    assert len(under_way) == limits.WEBHOOK_CALLS_TO_ENDPOINT
    more = delivery._take(under_way[:1])
    assert len(more) == limits.WEBHOOK_CALLS_TO_ENDPOINT - 1  # quick so far
    move_time(limits.WEBHOOK_SLOW_MILLISECONDS / 1000 + 0.1)
    assert delivery._take(under_way[:1]) == []
    assert len(delivery._take([])) == 3  # all that is left: nothing hangs any more


def test_what_hung_to_its_end_is_told_again_and_has_one_call_at_a_time(
    listen: MakeReceiver, move_time: MoveTime
) -> None:
    endpoint, _ = told(listen(), shop.make_merchant(), proven=True)
    for _event in range(6):
        shop.make_order(endpoint.merchant)
    sequence.publish()
    first = delivery._take([])
    for sent in first:
        delivery._note(sent, transport.Answer(error="timeout", milliseconds=15_000))
    assert len(delivery._take([])) == 1
    move_time(10)
    assert WebhookDelivery.objects.filter(status=WebhookDelivery.Status.PENDING).count() == 6
