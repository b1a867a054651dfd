"""The desk's pages of webhooks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from orders.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from orders.webhooks import endpoints
from tests import desk, shop
from tests.orders.webhooks.conftest import send, told
from tests.orders.webhooks.receivers import Receiver

pytestmark = pytest.mark.django_db

VIEW = ("orders.view_webhookendpoint", "orders.view_webhookdelivery", "orders.view_event")
RIGHTS = {
    "ping": "orders.change_webhookendpoint",
    "switch_off": "orders.change_webhookendpoint",
    "switch_on": "orders.change_webhookendpoint",
    "redeliver": "orders.redeliver_webhookdelivery",
}


@pytest.fixture
def endpoint(shop_server: Receiver) -> WebhookEndpoint:
    """One that refused an event."""
    shop_server.answers = [500]
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    send()
    endpoint.refresh_from_db()
    return endpoint


@pytest.fixture
def thing(endpoint: WebhookEndpoint) -> Callable[[str], Any]:
    def of(action: str) -> Any:
        if action == "switch_on":
            endpoints.disable(endpoint.pk, endpoints.Reason.GONE)
        return endpoint.deliveries.get() if action == "redeliver" else endpoint

    return of


def test_an_endpoint_shows_how_it_is_and_what_it_was_told(endpoint: WebhookEndpoint) -> None:
    client = desk.staff(*VIEW)
    words = desk.text(client, desk.page(endpoint))
    for part in (endpoint.url, "Harbour Tea", "failing", "everything", "order.created", "to be delivered"):
        assert part in words
    assert desk.page(endpoint.deliveries.get()) in client.get(desk.page(endpoint)).content.decode()


def test_a_secret_is_shown_to_nobody(shop_server: Receiver) -> None:
    endpoint, secret = told(shop_server)
    client = desk.staff(*VIEW, *RIGHTS.values())
    for page in (desk.page(endpoint), desk.rows(WebhookEndpoint)):
        text = client.get(page).content.decode()
        assert secret.removeprefix("whsec_") not in text
        assert endpoint.sealed not in text


def test_a_delivery_shows_every_attempt_as_text(endpoint: WebhookEndpoint) -> None:
    delivery = endpoint.deliveries.get()
    WebhookAttempt.objects.update(answer="<b>Oh no</b>")
    WebhookAttempt.objects.create(delivery=delivery, at=delivery.created_at, milliseconds=15000, error="timeout")
    response = desk.staff(*VIEW).get(desk.page(delivery))
    assert b"&lt;b&gt;Oh no&lt;/b&gt;" in response.content
    assert b"<b>Oh no" not in response.content
    words = desk.text(desk.staff(*VIEW, name="bea"), desk.page(delivery))
    assert "500" in words
    assert "no whole answer in 15 seconds" in words


@pytest.mark.parametrize("key", ["wd", "evt", "we", "ord"])
def test_deliveries_are_found_by_whatever_they_belong_to(key: str, endpoint: WebhookEndpoint) -> None:
    delivery = endpoint.deliveries.get()
    order = delivery.event.order
    assert order is not None
    ids = [delivery.public_id, delivery.event.public_id, endpoint.public_id, order.public_id]
    [text] = [id for id in ids if id.startswith(f"{key}_")]
    assert desk.found(desk.staff(*VIEW), WebhookDelivery, text) == [delivery.pk]
    assert desk.found(desk.staff(*VIEW, name="bea"), WebhookDelivery, f"{key}_unknown") == []


@pytest.mark.parametrize("model", [WebhookEndpoint, WebhookDelivery])
def test_lists_need_the_right_to_see_them(model: type[Any], endpoint: WebhookEndpoint) -> None:
    assert desk.staff(*VIEW).get(desk.rows(model)).status_code == 200
    assert desk.staff("orders.view_event", name="bea").get(desk.rows(model)).status_code == 403


def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    shop_server: Receiver, django_assert_max_num_queries: Any
) -> None:
    endpoint, _ = told(shop_server)
    for _ in range(12):
        shop.make_order(endpoint.merchant)
    client = desk.staff(*VIEW)
    with django_assert_max_num_queries(8):
        assert len(client.get(desk.rows(WebhookDelivery)).context["cl"].result_list) == 12
    with django_assert_max_num_queries(12):
        client.get(desk.page(endpoint))


@pytest.mark.parametrize("action", RIGHTS)
def test_every_button_needs_its_right_and_asks_first(action: str, thing: Callable[[str], Any]) -> None:
    it = thing(action)
    stranger = desk.staff(*VIEW, *(right for right in RIGHTS.values() if right != RIGHTS[action]))
    assert desk.page(it, action) not in stranger.get(desk.page(it)).content.decode()
    assert stranger.post(desk.page(it, action)).status_code == 403
    client = desk.staff(*VIEW, RIGHTS[action], name="bea")
    before = type(it).objects.values().get(pk=it.pk)
    assert desk.page(it, action) in client.get(desk.page(it)).content.decode()
    assert client.get(desk.page(it, action)).status_code == 200
    assert type(it).objects.values().get(pk=it.pk) == before
    it.pk = 10**9
    assert client.get(desk.page(it, action)).status_code == 302


def press(action: str, it: Any) -> Client:
    client = desk.staff(*VIEW, RIGHTS[action])
    assert client.post(desk.page(it, action)).status_code == 302
    assert LogEntry.objects.get().user.username == "anna"
    return client


def test_support_switches_an_endpoint_off_and_on(endpoint: WebhookEndpoint) -> None:
    client = press("switch_off", endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "support")
    assert endpoint.deliveries.get().status == "given_up"
    assert desk.page(endpoint, "switch_off") not in client.get(desk.page(endpoint)).content.decode()
    client.post(desk.page(endpoint, "switch_on"))
    endpoint.refresh_from_db()
    assert endpoint.enabled


def test_support_has_an_event_delivered_again(endpoint: WebhookEndpoint, shop_server: Receiver) -> None:
    press("redeliver", endpoint.deliveries.get())
    send()
    assert len(shop_server.heard) == 2
    assert endpoint.deliveries.get().status == "delivered"


def test_nothing_is_delivered_again_to_what_is_off(endpoint: WebhookEndpoint) -> None:
    delivery = endpoint.deliveries.get()
    endpoints.delete(endpoint.pk)
    client = desk.staff(*VIEW, *RIGHTS.values())
    assert desk.page(delivery, "redeliver") not in client.get(desk.page(delivery)).content.decode()
    assert client.post(desk.page(delivery, "redeliver")).status_code == 409
    assert client.post(desk.page(endpoint, "switch_on")).status_code == 409
    assert not LogEntry.objects.exists()


def test_webhooks_are_in_the_menu() -> None:
    page = desk.staff(*VIEW).get("/admin/").content.decode()
    assert desk.rows(WebhookEndpoint) in page
    assert desk.rows(WebhookDelivery) in page
