"""`friendpay listen`: a test shop's events on a developer's machine, by the API alone."""

import json
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from friendpay_client import Friendpay, FriendpayError, webhooks
from friendpay_client.listen import Listener, main
from standardwebhooks import Webhook

from orders.models import Event
from orders.webhooks import delivery
from tests.caller import Caller

pytestmark = pytest.mark.django_db
SECRET = webhooks.new_secret()


class Receiver:
    """A developer's machine, which answers in turn."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers, self.heard = list(answers), list[tuple[dict[str, str], bytes]]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append((dict(request.headers), request.content))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    @property
    def types(self) -> list[str]:
        return [Webhook(SECRET).verify(body.decode(), headers)["type"] for headers, body in self.heard]


def site(request: httpx.Request) -> httpx.Response:
    """The API, without a network."""
    url = urlsplit(str(request.url))
    answer = Client().generic(
        request.method,
        f"{url.path}?{url.query}",
        request.content,
        headers={"authorization": request.headers["authorization"]},
    )
    return httpx.Response(answer.status_code, content=answer.content, headers={"content-type": "application/json"})


@pytest.fixture
def caller() -> Caller:
    return Caller()


def listening(caller: Caller, receiver: Receiver, said: list[str], **how: Any) -> Listener:
    friendpay = Friendpay(caller.key, base_url="http://testserver", transport=httpx.MockTransport(site))
    transport = httpx.MockTransport(receiver)
    return Listener(friendpay, "http://localhost:3000/hook", SECRET, said.append, transport=transport, **how)


def test_what_happens_from_now_on_is_posted_once_in_order_and_signed(caller: Caller) -> None:
    caller.order()
    receiver, said = Receiver(), list[str]()
    listener = listening(caller, receiver, said)
    assert listener.turn() == 0
    order = caller.order()
    caller.post(f"/orders/{order['id']}/cancel")
    assert listener.turn() == 2
    assert listener.turn() == 0
    assert receiver.types == ["order.created", "order.cancelled"]
    assert [line.split()[1] for line in said] == receiver.types
    assert "-> 204 (" in said[0]


def test_a_message_is_the_one_that_a_webhook_would_be(caller: Caller) -> None:
    receiver = Receiver()
    listener = listening(caller, receiver, [])
    caller.order()
    listener.turn()
    headers, body = receiver.heard[0]
    event = Event.objects.get()
    assert headers["webhook-id"] == event.public_id
    assert webhooks.verify(body, headers, SECRET) == json.loads(delivery.body_of(event))


def test_from_an_event_on_and_of_some_types_alone(caller: Caller) -> None:
    for _number in range(2):
        order = caller.order()
        caller.post(f"/orders/{order['id']}/cancel")
    first = caller.get("/events")["data"][0]["id"]
    receiver = Receiver()
    assert listening(caller, receiver, [], types=["order.cancelled"], after=first).turn() == 3
    assert receiver.types == ["order.cancelled", "order.cancelled"]


def test_a_receiver_that_is_down_or_refuses_is_told_of_and_holds_nothing_up(caller: Caller) -> None:
    receiver, said = Receiver(httpx.ConnectError("refused"), 500), list[str]()
    listener = listening(caller, receiver, said)
    order = caller.order()
    caller.post(f"/orders/{order['id']}/cancel")
    listener.turn()
    assert ("no answer: refused" in said[0], "-> 500 (" in said[1]) == (True, True)


def test_other_shops_events_are_not_heard(caller: Caller) -> None:
    receiver = Receiver()
    listener = listening(caller, receiver, [])
    Caller().order()
    assert (listener.turn(), receiver.heard) == (0, [])


def test_the_latest_events_are_oldest_first_too(caller: Caller) -> None:
    made = [caller.order()["id"] for _number in range(3)]
    page = caller.get("/events", latest="true", limit=2)
    assert ([event["order"] for event in page["data"]], page["has_more"]) == (made[1:], True)


@pytest.mark.parametrize("key", ["", "sk_live_secret"])
def test_only_a_test_key_listens(key: str) -> None:
    with pytest.raises(SystemExit, match="test key"):
        main(["listen", "--forward", "http://localhost:3000", "--key", key])
    with pytest.raises(CommandError, match="test key"):
        call_command("listen", forward="http://localhost:3000", key=key, stdout=StringIO())


def test_a_wrong_key_ends_with_a_sentence(caller: Caller) -> None:
    caller.key = "sk_test_wrong"
    with pytest.raises(FriendpayError, match="API key"):
        listening(caller, Receiver(), [])
