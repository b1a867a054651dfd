"""The example shop's program, against the API itself."""

import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httpx
import pytest
from django.conf import settings
from standardwebhooks import Webhook

from friendpay.kit import clock
from orders.models import Order, WebhookEndpoint
from orders.webhooks import endpoints
from payments.settlement import expiry, lifecycle
from tests import shop
from tests.caller import Caller
from tests.orders.webhooks.conftest import listen, loopback, send, shop_server  # noqa: F401
from tests.orders.webhooks.receivers import Message, Receiver

pytestmark = pytest.mark.django_db

HEARD = ["order.cancelled", "order.expired", "order.paid"]


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def start(caller: Caller, monkeypatch: pytest.MonkeyPatch, shop_server: Receiver) -> Callable[[], ModuleType]:  # noqa: F811
    """The shop as its developer starts it, again and again: each time it remembers nothing."""
    monkeypatch.setenv("FRIENDPAY_KEY", caller.key)
    monkeypatch.setattr("friendpay.kit.background.run_later", lambda purpose, job: None)

    def answer(request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name == "idempotency-key"}
        query = dict(request.url.params)
        address = request.url.path.removeprefix("/api/v1")
        got = caller.send(request.method, address, request.read(), headers=headers, query=query)
        return httpx.Response(got.status, content=got.body)

    def load() -> ModuleType:
        path = settings.BASE_DIR / "docs" / "examples" / "shop" / "shop.py"
        spec = importlib.util.spec_from_file_location("example_shop", path)
        assert spec is not None
        assert spec.loader is not None
        program = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(program)
        program.api = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://pay.example/api/v1")  # type: ignore[attr-defined]
        program.HERE = shop_server.url.removesuffix("/webhooks")  # type: ignore[attr-defined]
        return program

    return load


def verified(webhook: Webhook, message: Message) -> Any:
    return webhook.verify(message.body, message.headers)


@pytest.mark.parametrize("earlier", ["as it left it", "told of less", "switched off by support", "among others"])
def test_it_makes_one_endpoint_however_often_it_starts(
    earlier: str,
    start: Callable[[], ModuleType],
    caller: Caller,
    shop_server: Receiver,  # noqa: F811
) -> None:
    others = ["https://shop.example/a", "https://shop.example/b"] if earlier == "among others" else []
    for url in others[:1]:
        caller.post("/webhook-endpoints", {"url": url})
    start().listen()
    for url in others[1:]:
        caller.post("/webhook-endpoints", {"url": url})
    first = WebhookEndpoint.objects.get(url=shop_server.url)
    if earlier == "told of less":
        endpoints.change(first.pk, event_types=["order.paid"])
    if earlier == "switched off by support":
        endpoints.disable(first.pk, endpoints.Reason.SUPPORT)
    for _ in range(3):
        program = start()
        webhook = program.listen()
    assert WebhookEndpoint.objects.count() == 1 + len(others)
    endpoint = WebhookEndpoint.objects.get(url=shop_server.url)
    assert (endpoint.pk, endpoint.enabled, endpoint.event_types) == (first.pk, True, HEARD)
    caller.post(f"/webhook-endpoints/{endpoint.public_id}/ping")
    send()
    program.hear(verified(webhook, shop_server.heard[-1]))
    assert program.orders == {}


@pytest.mark.parametrize(
    ("end", "status", "words"),
    [("paid", "paid", "Paid."), ("expired", "expired", "is over"), ("cancelled", "cancelled", "is cancelled")],
)
def test_it_shows_how_an_order_ended_once_it_has_heard_it(
    end: str,
    status: str,
    words: str,
    start: Callable[[], ModuleType],
    shop_server: Receiver,  # noqa: F811
) -> None:
    program = start()
    webhook = program.listen()
    reference = program.place_order(2)
    order = Order.objects.get(reference=reference)
    assert "Not paid yet." in program.order_page(reference)
    if end == "paid":
        shop.succeed(shop.hold(shop.make_request(order)))
    elif end == "cancelled":
        lifecycle.close_order(order.pk, paid_elsewhere=False)
    else:
        Order.objects.update(expires_at=clock.now())
        expiry.sweep()
    send()
    [message] = shop_server.heard
    assert message.json["type"] == f"order.{end}"
    program.hear(verified(webhook, message))
    page = program.order_page(reference)
    assert words in page
    assert f'data-status="{status}"' in page
    assert "checkout" not in page


# However a webhook comes, the order ends as it ended


def test_twice_late_and_after_an_hour_without_the_shop_it_is_confirmed_once(
    start: Callable[[], ModuleType],
    shop_server: Receiver,  # noqa: F811
    move_time: Callable[[float], None],
) -> None:
    program = start()
    program.listen()
    reference = program.place_order(1)
    shop_server.answers = [503] * 3
    shop.succeed(shop.hold(shop.make_request(Order.objects.get(reference=reference))))
    send()
    assert "Not paid yet." in program.order_page(reference)  # it was down, and knows nothing
    for _minute in range(62):
        move_time(60)
        send()
    heard = [message.json for message in shop_server.heard]  # signed anew each time, by a clock that was moved
    assert {event["id"] for event in heard} == {heard[0]["id"]}
    assert len(heard) == 4
    pages = set()
    for event in (*heard, heard[0]):
        program.hear(event)
        pages.add(program.order_page(reference))
    [page] = pages
    assert 'data-status="paid"' in page


@pytest.mark.parametrize("order_of_news", [[0, 1], [1, 0], [1, 0, 0, 1]])
def test_out_of_order_it_shows_what_is_true_now(
    order_of_news: list[int],
    start: Callable[[], ModuleType],
    caller: Caller,
    shop_server: Receiver,  # noqa: F811
) -> None:
    """Marked as paid elsewhere by mistake, which was taken back; then a friend paid. Old news confirms nothing."""
    program = start()
    webhook = program.listen()
    reference = program.place_order(1)
    order = Order.objects.get(reference=reference)
    for act in ("mark-paid", "mark-unpaid"):
        assert caller.post(f"/orders/{order.public_id}/{act}", {}).status == 200
    send()
    program.hear(verified(webhook, shop_server.heard[0]))
    assert "Not paid yet." in program.order_page(reference)
    shop.succeed(shop.hold(shop.make_request(order)))
    send()
    news = [verified(webhook, message) for message in shop_server.heard]
    assert [event["type"] for event in news] == ["order.paid", "order.paid"]
    for number in order_of_news:
        program.hear(news[number])
        assert 'data-status="paid"' in program.order_page(reference)


def test_an_order_that_is_paid_at_its_end_is_not_over(
    start: Callable[[], ModuleType],
    shop_server: Receiver,  # noqa: F811
    move_time: Callable[[float], None],
) -> None:
    """The race of the shop's own end with a friend who is paying: she is waited for."""
    program = start()
    program.listen()
    reference = program.place_order(1)
    order = Order.objects.get(reference=reference)
    payment = shop.hold(shop.make_request(order))
    Order.objects.update(expires_at=clock.now())
    expiry.sweep()
    move_time(30)
    shop.succeed(payment)
    expiry.sweep()
    send()
    [message] = shop_server.heard
    assert message.json["type"] == "order.paid"
    program.hear(message.json)
    assert 'data-status="paid"' in program.order_page(reference)
