"""An endpoint is changed in place, and tested by the way every event takes."""

from typing import Any

import pytest
from standardwebhooks import Webhook

from orders.models import Event, WebhookDelivery, WebhookEndpoint
from orders.webhooks import delivery, endpoints
from tests import desk, shop
from tests.caller import Caller, fields
from tests.orders.webhooks.conftest import LetPass, MakeReceiver, send, told
from tests.orders.webhooks.receivers import Receiver

pytestmark = pytest.mark.django_db

URL = "https://shop.example/webhooks"
SHOWN = ("url", "description", "events", "enabled", "disabled_reason", "failing_since")


@pytest.fixture
def caller() -> Caller:
    return Caller()


def make(caller: Caller, **changes: object) -> Any:
    answer = caller.post("/webhook-endpoints", {"url": URL, **changes})
    assert answer.status == 201, answer.body
    return answer.json


def change(caller: Caller, endpoint: Any, body: object) -> Any:
    return caller.patch(f"/webhook-endpoints/{endpoint['id']}", body)


def ping(caller: Caller, endpoint: Any, key: str | None = None) -> Any:
    return caller.post(f"/webhook-endpoints/{endpoint['id']}/ping", key=key)


# Changing


@pytest.mark.parametrize(
    ("body", "becomes"),
    [
        ({}, {}),
        ({"url": None, "events": None, "description": None, "enabled": None}, {}),
        ({"url": "https://shop.org/?token=1"}, {"url": "https://shop.org/?token=1"}),
        ({"description": ""}, {"description": ""}),
        ({"description": "収銀 🍵"}, {"description": "収銀 🍵"}),
        ({"events": ["order.paid", "order.created", "order.paid"]}, {"events": ["order.created", "order.paid"]}),
        ({"events": []}, {"events": []}),
        ({"enabled": False}, {"enabled": False, "disabled_reason": "shop"}),
        ({"enabled": True, "events": ["refund.failed"]}, {"events": ["refund.failed"]}),
    ],
)
def test_what_is_sent_is_changed_and_nothing_else(
    body: dict[str, object], becomes: dict[str, object], caller: Caller
) -> None:
    made = make(caller, description="The till", events=["order.paid"])
    other = make(caller, url="https://shop.example/other")
    sealed = dict(WebhookEndpoint.objects.values_list("public_id", "sealed"))
    answer = change(caller, made, body)
    assert answer.status == 200
    assert {name: answer[name] for name in SHOWN} == {name: made[name] for name in SHOWN} | becomes
    assert "secret" not in answer.json
    assert change(caller, made, body).json == answer.json, "a repeat changes nothing"
    shown = caller.get("/webhook-endpoints")["data"]
    assert shown == [{name: other[name] for name in shown[0]}, answer.json]
    assert dict(WebhookEndpoint.objects.values_list("public_id", "sealed")) == sealed


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"url": "http://shop.example/"}, {"url": "url_not_allowed"}),
        ({"url": "https://10.0.0.1/"}, {"url": "url_not_allowed"}),
        ({"url": "https://shop.example:22/"}, {"url": "url_not_allowed"}),
        ({"url": "shop.example"}, {"url": "malformed"}),
        ({"url": 7}, {"url": "wrong_type"}),
        ({"events": ["order.eaten"]}, {"events.0": "invalid"}),
        ({"enabled": "yes"}, {"enabled": "wrong_type"}),
        ({"enabled": 0}, {"enabled": "wrong_type"}),
        ({"description": "a\nb"}, {"description": "malformed"}),
        ({"secret": "whsec_mine"}, {"secret": "unknown_field"}),
        ({"live": True}, {"live": "unknown_field"}),
        ({"description": "fine", "url": "https://localhost/"}, {"url": "url_not_allowed"}),
    ],
)
def test_a_wrong_change_is_named_and_nothing_is_changed(
    body: dict[str, object], wrong: dict[str, str], caller: Caller
) -> None:
    made = make(caller)
    before = list(WebhookEndpoint.objects.values())
    answer = change(caller, made, body)
    assert (answer.status, fields(answer)) == (422, wrong)
    assert list(WebhookEndpoint.objects.values()) == before


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(b"", "application/json", 422), (b"{", "application/json", 400), (b"{}", "text/plain", 415)],
)
def test_a_change_is_json(body: bytes, kind: str, status: int, caller: Caller) -> None:
    answer = caller.send("PATCH", f"/webhook-endpoints/{make(caller)['id']}", body, content_type=kind)
    assert answer.status == status


def test_an_endpoint_switched_off_by_its_shop_gets_nothing_and_gets_no_mail(
    caller: Caller, shop_server: Receiver, loopback: None
) -> None:
    endpoint = make(caller, url=shop_server.url)
    caller.order()
    assert change(caller, endpoint, {"enabled": False})["enabled"] is False
    caller.order()
    send()
    assert shop_server.heard == []
    assert WebhookDelivery.objects.get().status == "given_up"
    assert WebhookEndpoint.objects.get().mail_due_at is None
    assert change(caller, endpoint, {"enabled": True})["disabled_reason"] == ""
    caller.order()
    send()
    assert len(shop_server.heard) == 1


def test_what_is_queued_goes_to_the_new_address_under_the_secret_that_stays(
    caller: Caller, listen: MakeReceiver, let_pass: LetPass
) -> None:
    old, new = listen(), listen()
    old.answers = [500] * 9
    endpoint = make(caller, url=old.url)
    caller.order()
    send()
    assert change(caller, endpoint, {"url": new.url})["failing_since"] is None
    let_pass(60, step=20)
    assert (len(old.heard), old.ids) == (1, new.ids)
    Webhook(endpoint["secret"]).verify(new.heard[0].body, new.heard[0].headers)


@pytest.mark.parametrize("status", [410, 500, 302])
def test_nothing_follows_from_what_an_address_it_has_left_answers(
    status: int, caller: Caller, shop_server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = make(caller, url=shop_server.url)
    caller.order()
    real = delivery._note

    def moved_meanwhile(*args: Any) -> None:
        endpoints.change(WebhookEndpoint.objects.get().pk, url=f"{shop_server.url}/2")
        real(*args)

    shop_server.answers = [status]
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_note", moved_meanwhile)
        send()
    shown = caller.get(f"/webhook-endpoints/{endpoint['id']}")
    assert (shown["enabled"], shown["failing_since"]) == (True, None)
    assert WebhookDelivery.objects.get().status == "pending"


@pytest.mark.parametrize("query", [{"dry_run": "yes"}, {"url": "https://shop.org/"}, {"Enabled": "false"}])
def test_a_change_is_in_the_body_alone(query: dict[str, str], caller: Caller) -> None:
    made = make(caller)
    before = list(WebhookEndpoint.objects.values())
    answer = caller.send("PATCH", f"/webhook-endpoints/{made['id']}", b'{"description": "x"}', query=query)
    assert (answer.status, set(fields(answer).values())) == (422, {"unknown_field"})
    assert list(WebhookEndpoint.objects.values()) == before


# Testing


def test_a_ping_is_an_event_by_the_way_all_take_told_to_one_endpoint(caller: Caller, listen: MakeReceiver) -> None:
    server, other = listen(), listen()
    endpoint = make(caller, url=server.url, description="The till", events=["order.paid"])
    make(caller, url=other.url)
    answer = ping(caller, endpoint)
    assert (answer.status, answer["status"], answer["attempts"]) == (201, "pending", [])
    send()
    [message] = server.heard
    assert other.heard == []
    told_of = Webhook(endpoint["secret"]).verify(message.body, message.headers)
    [event] = caller.get("/events")["data"]
    assert told_of == event | {"timestamp": event["created_at"]}
    assert (event["id"], event["type"]) == (answer["event"], "webhook_endpoint.pinged")
    assert (event["object"], event["order"], event["payment_request"]) == (endpoint["id"], None, None)
    assert event["data"] == {
        "id": endpoint["id"],
        "live": False,
        "description": "The till",
        "events": ["order.paid"],
    }
    [row] = caller.get(f"/webhook-endpoints/{endpoint['id']}/deliveries")["data"]
    assert row == caller.get(f"/webhook-deliveries/{answer['id']}").json
    assert (row["status"], [attempt["status_code"] for attempt in row["attempts"]]) == ("delivered", [204])


@pytest.mark.parametrize(("answers", "said"), [([500], (500, "")), ([302], (302, "")), ([], (None, "unreachable"))])
def test_a_ping_that_fails_says_why_and_is_not_tried_again(
    answers: list[int], said: tuple[int | None, str], caller: Caller, listen: MakeReceiver, let_pass: LetPass
) -> None:
    server = listen()
    server.answers = list(answers)
    url = server.url if answers else "http://127.0.0.1:9/webhooks"
    answer = ping(caller, make(caller, url=url))
    send()
    row = caller.get(f"/webhook-deliveries/{answer['id']}")
    assert (row["status"], row["next_attempt_at"]) == ("given_up", None)
    [attempt] = row["attempts"]
    assert (attempt["status_code"], attempt["error"]) == said
    let_pass(7200, step=600)
    assert len(server.heard) == len(answers)


def test_a_ping_waits_for_nobody(caller: Caller, listen: MakeReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call only writes down what is to be sent."""

    def called(*args: object) -> None:
        raise AssertionError("called in the request")

    monkeypatch.setattr("orders.webhooks.transport.send", called)
    server = listen()
    assert ping(caller, make(caller, url=server.url)).status == 201
    assert server.heard == []


def test_a_repeated_ping_is_one(caller: Caller) -> None:
    endpoint = make(caller)
    first = ping(caller, endpoint, key="k")
    assert ping(caller, endpoint, key="k").body == first.body
    assert Event.objects.count() == WebhookDelivery.objects.count() == 1
    assert ping(caller, endpoint, key="other")["id"] != first["id"]


def test_what_is_switched_off_is_not_pinged(caller: Caller) -> None:
    endpoint = make(caller)
    change(caller, endpoint, {"enabled": False})
    answer = ping(caller, endpoint)
    assert (answer.status, answer["code"]) == (409, "endpoint_disabled")
    assert not Event.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_a_ping_that_answers_410_ends_the_endpoint_like_any_message(caller: Caller, shop_server: Receiver) -> None:
    shop_server.answers = [410]
    endpoint = make(caller, url=shop_server.url)
    ping(caller, endpoint)
    send()
    assert caller.get(f"/webhook-endpoints/{endpoint['id']}")["disabled_reason"] == "gone"


def test_support_sends_a_test_and_sees_what_came_of_it(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server, shop.make_merchant(), event_types=["order.paid"])
    client = desk.staff(
        "orders.view_webhookendpoint",
        "orders.view_webhookdelivery",
        "orders.view_event",
        "orders.change_webhookendpoint",
    )
    assert client.post(desk.page(endpoint, "ping")).status_code == 302
    event = Event.objects.get()
    assert (event.actor, event.type) == ("support:anna", "webhook_endpoint.pinged")
    send()
    assert [message.json["id"] for message in shop_server.heard] == [event.public_id]
    words = desk.text(client, desk.page(endpoint))
    assert "webhook_endpoint.pinged" in words
    assert "delivered" in words
    assert "A test was sent to a webhook endpoint." in desk.text(client, desk.page(event))
    endpoints.disable(endpoint.pk, endpoints.Reason.SUPPORT)
    assert desk.page(endpoint, "ping") not in client.get(desk.page(endpoint)).content.decode()
    assert client.post(desk.page(endpoint, "ping")).status_code == 409
    assert Event.objects.count() == 1
