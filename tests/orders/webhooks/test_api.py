"""The API of webhooks: the secret once, nothing of others, and what was told made visible."""

from typing import Any

import pytest
from pytest_django import Settings

from friendpay.kit import limits
from orders.models import StoredAnswer, WebhookDelivery, WebhookEndpoint
from tests import shop
from tests.caller import Answer, Caller, fields
from tests.orders.webhooks.conftest import LetPass, send
from tests.orders.webhooks.receivers import Receiver

pytestmark = pytest.mark.django_db

URL = "https://shop.example/webhooks"
BODY = {"PATCH": b'{"description": "Ours"}'}


def make(caller: Caller, **changes: object) -> Any:
    answer = caller.post("/webhook-endpoints", {"url": URL, **changes})
    assert answer.status == 201, answer.body
    return answer.json


def heard(caller: Caller, server: Receiver, **fields: object) -> Any:
    """An endpoint at that server that was told of one order."""
    endpoint = make(caller, url=server.url, **fields)
    caller.order()
    send()
    return endpoint


def delivery_of(caller: Caller, endpoint: Any) -> Any:
    [delivery] = caller.get(f"/webhook-endpoints/{endpoint['id']}/deliveries")["data"]
    return delivery


def test_an_endpoint_shows_its_secret_once() -> None:
    caller = Caller()
    made = make(caller, description="The till", events=["order.paid", "order.created", "order.paid"])
    assert made["secret"].startswith("whsec_")
    shown = caller.get(f"/webhook-endpoints/{made['id']}").json
    assert {**shown, "secret": made["secret"]} == made
    assert shown["events"] == ["order.created", "order.paid"]
    assert (shown["url"], shown["description"], shown["enabled"], shown["live"]) == (URL, "The till", True, False)
    assert made["secret"].encode() not in caller.get("/webhook-endpoints").body


def test_a_repeat_by_key_shows_it_to_who_lost_it_and_keeps_it_sealed() -> None:
    caller = Caller()
    first = caller.post("/webhook-endpoints", {"url": URL}, key="k")
    again = caller.post("/webhook-endpoints", {"url": URL}, key="k")
    assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")
    assert WebhookEndpoint.objects.count() == 1
    assert first["secret"].removeprefix("whsec_") not in str(StoredAnswer.objects.values().get())


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"url": "required"}),
        ({"url": 1}, {"url": "wrong_type"}),
        ({"url": "ftp://shop.example"}, {"url": "malformed"}),
        ({"url": "https://" + "a" * 500}, {"url": "too_long"}),
        ({"url": "http://shop.example/"}, {"url": "url_not_allowed"}),
        ({"url": "https://127.0.0.1/"}, {"url": "url_not_allowed"}),
        ({"url": "https://2130706433/"}, {"url": "url_not_allowed"}),
        ({"url": "https://shop.example:22/"}, {"url": "url_not_allowed"}),
        ({"url": URL, "events": ["order.eaten"]}, {"events.0": "invalid"}),
        ({"url": URL, "events": "order.paid"}, {"events": "wrong_type"}),
        ({"url": URL, "events": ["order.paid"] * 100}, {"events": "too_many"}),
        ({"url": URL, "description": "a\nb"}, {"description": "malformed"}),
        ({"url": URL, "secret": "whsec_mine"}, {"secret": "unknown_field"}),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(body: dict[str, object], wrong: dict[str, str]) -> None:
    answer = Caller().post("/webhook-endpoints", body)
    assert (answer.status, fields(answer)) == (422, wrong)
    assert not WebhookEndpoint.objects.exists()


def test_endpoints_are_listed_newest_first() -> None:
    caller = Caller()
    made = [make(caller, url=f"{URL}/{number}")["id"] for number in range(3)]
    first = caller.get("/webhook-endpoints", limit=2)
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (made[:0:-1], True)
    rest = caller.get("/webhook-endpoints", after=made[1])
    assert [row["id"] for row in rest["data"]] == made[:1]


def test_the_same_address_makes_no_second_endpoint_and_shows_no_secret() -> None:
    caller = Caller()
    made = make(caller, events=["order.paid"])
    caller.patch(f"/webhook-endpoints/{made['id']}", {"enabled": False})
    again = caller.post("/webhook-endpoints", {"url": URL, "description": "The till"})
    assert again.status == 200
    assert "secret" not in again.json
    assert (again["id"], again["events"], again["description"]) == (made["id"], ["order.paid"], "The till")
    assert not again["enabled"]
    assert caller.post("/webhook-endpoints", {"url": URL, "events": []})["events"] == []
    live, other = Caller(caller.merchant, live=True), Caller()
    assert len({made["id"], make(live)["id"], make(other)["id"]}) == 3
    caller.send("DELETE", f"/webhook-endpoints/{made['id']}")
    assert make(caller)["id"] != made["id"]


def test_there_is_an_end_to_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_ENDPOINTS", 2)
    caller = Caller()
    made = [make(caller, url=f"{URL}/{number}") for number in range(2)]
    answer = caller.post("/webhook-endpoints", {"url": URL})
    assert (answer.status, answer["code"]) == (409, "too_many_endpoints")
    caller.send("DELETE", f"/webhook-endpoints/{made[0]['id']}")
    make(caller)


def test_a_deleted_endpoint_is_gone_and_told_nothing_more(loopback: None, shop_server: Receiver) -> None:
    caller = Caller()
    endpoint = make(caller, url=shop_server.url)
    caller.order()
    answer = caller.send("DELETE", f"/webhook-endpoints/{endpoint['id']}")
    assert (answer.status, answer.body) == (204, b"")
    caller.order()
    send()
    assert shop_server.heard == []
    for method, address in everything(endpoint["id"], "wd_1"):
        assert caller.send(method, address, BODY.get(method, b"")).status == 404
    assert caller.get("/webhook-endpoints")["data"] == []


def everything(endpoint: str, delivery: str) -> list[tuple[str, str]]:
    return [
        ("GET", f"/webhook-endpoints/{endpoint}"),
        ("PATCH", f"/webhook-endpoints/{endpoint}"),
        ("DELETE", f"/webhook-endpoints/{endpoint}"),
        ("POST", f"/webhook-endpoints/{endpoint}/ping"),
        ("POST", f"/webhook-endpoints/{endpoint}/rotate-secret"),
        ("POST", f"/webhook-endpoints/{endpoint}/enable"),
        ("GET", f"/webhook-endpoints/{endpoint}/deliveries"),
        ("GET", f"/webhook-deliveries/{delivery}"),
        ("POST", f"/webhook-deliveries/{delivery}/redeliver"),
    ]


@pytest.mark.parametrize("number", range(9))
def test_what_is_not_yours_is_not_there(number: int, shop_server: Receiver) -> None:
    owner = Caller()
    endpoint = heard(owner, shop_server)
    delivery = delivery_of(owner, endpoint)
    method, address = everything(endpoint["id"], delivery["id"])[number]
    before = rows()
    for other in (Caller(shop.make_merchant("Corner Books")), Caller(owner.merchant, live=True)):
        answer = other.send(method, address, BODY.get(method, b""))
        assert answer.status == 404
        unknown = other.get("/webhook-endpoints/we_unknown")
        assert answer.json == unknown.json | {"instance": answer.json["instance"]}
        assert other.get("/webhook-endpoints")["data"] == []
    assert rows() == before


def rows() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (WebhookEndpoint, WebhookDelivery)]


@pytest.mark.parametrize("number", range(9))
def test_a_key_without_the_right_is_refused(number: int, shop_server: Receiver) -> None:
    owner = Caller()
    endpoint = heard(owner, shop_server)
    method, address = everything(endpoint["id"], delivery_of(owner, endpoint)["id"])[number]
    rights: Any = {"can_read" if method == "GET" else "can_write": False}
    assert Caller(owner.merchant, **rights).send(method, address, BODY.get(method, b"")).status == 403


def test_a_rotated_secret_is_shown_once_and_the_old_one_ends_later() -> None:
    caller = Caller()
    made = make(caller)
    address = f"/webhook-endpoints/{made['id']}"
    rotated = caller.post(f"{address}/rotate-secret", {"overlap": 3600})
    assert rotated.status == 200
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_ends_at"] > made["created_at"]
    assert "secret" not in caller.get(address).json
    assert caller.post(f"{address}/rotate-secret").status == 200
    for overlap in (-1, 604_801, "60"):
        assert caller.post(f"{address}/rotate-secret", {"overlap": overlap}).status == 422


def test_two_rotations_by_one_key_are_one() -> None:
    caller = Caller()
    address = f"/webhook-endpoints/{make(caller)['id']}/rotate-secret"
    first, again = (caller.post(address, {}, key="k") for _ in range(2))
    assert first["secret"] == again["secret"]
    assert caller.post(address, {}, key="other")["secret"] != first["secret"]


def test_a_delivery_shows_every_attempt(shop_server: Receiver, let_pass: LetPass) -> None:
    caller = Caller()
    shop_server.answers = [500]
    endpoint = heard(caller, shop_server)
    delivery = delivery_of(caller, endpoint)
    assert (delivery["status"], delivery["endpoint"], delivery["delivered_at"]) == ("pending", endpoint["id"], None)
    [attempt] = delivery["attempts"]
    assert (attempt["status_code"], attempt["error"], attempt["answer"]) == (500, "", "")
    assert caller.get(f"/webhook-endpoints/{endpoint['id']}")["failing_since"] is not None
    let_pass(60, step=20)
    delivery = delivery_of(caller, endpoint)
    assert [attempt["status_code"] for attempt in delivery["attempts"]] == [500, 204]
    assert (delivery["status"], delivery["event_type"]) == ("delivered", "order.created")
    assert delivery["event"] == shop_server.heard[0].id


def test_deliveries_are_listed_newest_first_in_few_queries(
    shop_server: Receiver, django_assert_max_num_queries: Any
) -> None:
    caller = Caller()
    endpoint = make(caller, url=shop_server.url)
    for _ in range(12):
        caller.order()
    send()
    with django_assert_max_num_queries(6):
        answer = caller.get(f"/webhook-endpoints/{endpoint['id']}/deliveries", limit=10)
    assert (len(answer["data"]), answer["has_more"]) == (10, True)
    rest = caller.get(f"/webhook-endpoints/{endpoint['id']}/deliveries", after=answer["data"][-1]["id"])
    assert len(rest["data"]) == 2


def redeliver(caller: Caller, delivery: Any, key: str | None = None) -> Answer:
    return caller.post(f"/webhook-deliveries/{delivery['id']}/redeliver", key=key)


def test_a_delivery_is_sent_again_on_demand(shop_server: Receiver) -> None:
    caller = Caller()
    endpoint = heard(caller, shop_server)
    answer = redeliver(caller, delivery_of(caller, endpoint), key="k")
    assert (answer.status, answer["status"]) == (200, "pending")
    send()
    assert redeliver(caller, answer.json, key="k").body == answer.body
    send()
    assert len(shop_server.heard) == 2
    assert len(set(shop_server.ids)) == 1


def test_an_endpoint_that_is_off_is_said_to_be_so_and_switched_on(shop_server: Receiver) -> None:
    caller = Caller()
    shop_server.answers = [410]
    endpoint = heard(caller, shop_server)
    address = f"/webhook-endpoints/{endpoint['id']}"
    off = caller.get(address)
    assert (off["enabled"], off["disabled_reason"], off["disabled_at"] is None) == (False, "gone", False)
    refused = redeliver(caller, delivery_of(caller, endpoint))
    assert (refused.status, refused["code"]) == (409, "endpoint_disabled")
    on = caller.post(f"{address}/enable")
    assert (on.status, on["enabled"], on["disabled_reason"], on["disabled_at"]) == (200, True, "", None)
    assert caller.post(f"{address}/enable").json == on.json
    assert redeliver(caller, delivery_of(caller, endpoint)).status == 200
    send()
    assert len(shop_server.heard) == 2


def test_a_live_key_makes_a_live_endpoint() -> None:
    merchant = shop.make_merchant()
    live = make(Caller(merchant, live=True))
    assert live["live"] is True
    assert Caller(merchant).get("/webhook-endpoints")["data"] == []


def test_the_demo_may_call_this_machine_and_others_may_not(settings: Settings) -> None:
    caller, body = Caller(), {"url": "http://127.0.0.1:8100/webhooks"}
    assert caller.post("/webhook-endpoints", body).status == 422
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    assert caller.post("/webhook-endpoints", body).status == 201
