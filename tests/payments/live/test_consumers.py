"""The socket of a request: everybody who looks sees every change, lost messages or not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.db import DatabaseError
from django.db.models import F

from friendpay.kit import clock, limits
from payments.live import consumers, hub, layer, snapshot
from payments.live.routing import websocket_urlpatterns
from payments.live.snapshot import Shown
from payments.models import PaymentRequest
from payments.settlement import lifecycle
from tests import shop

stored = pytest.mark.django_db(transaction=True)


def connecting(token: str, address: str = "203.0.113.7") -> ApplicationCommunicator:
    scope = {"type": "websocket", "path": f"/ws/p/{token}/", "headers": [], "client": (address, 40000)}
    return ApplicationCommunicator(URLRouter(websocket_urlpatterns), scope)


@asynccontextmanager
async def looking(token: str, address: str = "203.0.113.7") -> AsyncIterator[ApplicationCommunicator]:
    line = connecting(token, address)
    await line.send_input({"type": "websocket.connect"})
    assert (await line.receive_output(60))["type"] == "websocket.accept"
    try:
        yield line
    finally:
        await line.send_input({"type": "websocket.disconnect", "code": 1001})
        await line.wait(60)


async def told(line: ApplicationCommunicator) -> dict[str, Any]:
    return dict(json.loads((await line.receive_output(60))["text"]))


async def closed(line: ApplicationCommunicator) -> int:
    return int((await line.receive_output(60))["code"])


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel layer loses whatever it is given, and the sockets' round comes at once."""
    monkeypatch.setattr(snapshot, "push", lambda *_requests, **_now: None)
    monkeypatch.setattr(snapshot, "push_all", lambda request_ids: None)
    monkeypatch.setattr(limits, "LIVE_CATCH_UP_SECONDS", 0.02)


async def cancel(request: PaymentRequest) -> None:
    await sync_to_async(lifecycle.cancel_request)(request.pk, actor="buyer")


async def never_changing(seen: dict[str, int]) -> dict[str, Shown]:
    known = Shown(1, '{"seq": 1, "status": "open"}')
    return {"known": known} if seen.get("known", 1) < 1 else {}


@pytest.fixture
def unchanging(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that nothing happens to, without a database."""
    monkeypatch.setattr(hub, "changed", never_changing)


@stored
async def test_a_change_is_told_by_a_message() -> None:
    request = await sync_to_async(shop.make_request)()
    async with looking(request.token) as line:
        assert (await told(line))["status"] == "open"
        await cancel(request)
        assert (await told(line))["status"] == "cancelled"
        assert await line.receive_nothing(0.05)


@stored
async def test_of_a_batch_that_expires_those_are_told_who_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIVE_CATCH_UP_SECONDS", 60)

    def make() -> list[PaymentRequest]:
        found = [shop.make_request() for _ in range(5)]
        hour = timedelta(hours=1)
        PaymentRequest.objects.update(created_at=F("created_at") - 2 * hour, expires_at=clock.now() - hour)
        return found

    sent: list[set[str]] = []
    send = layer.send

    def noted(messages: dict[str, dict[str, Any]]) -> None:
        sent.append(set(messages))
        send(messages)

    monkeypatch.setattr(layer, "send", noted)
    looked_at, *_others = await sync_to_async(make)()
    async with looking(looked_at.token) as line:
        assert (await told(line))["status"] == "expired"  # its time is over, and nothing has been written yet
        assert await sync_to_async(lifecycle.expire_plain)(10) == 5
        news = await told(line)
        assert (news["status"], news["seq"]) == ("expired", looked_at.seq + 1)
    assert sent[-1] == {snapshot.group(looked_at.token)}


@stored
@pytest.mark.usefixtures("no_messages")
async def test_R9_a_change_whose_message_was_lost_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    ask: Callable[[dict[str, int]], Any] = hub.changed
    answers = [DatabaseError("gone")]

    async def failing_once(seen: dict[str, int]) -> Any:
        if answers and -1 not in seen.values():
            raise answers.pop()
        return await ask(seen)

    monkeypatch.setattr(hub, "changed", failing_once)
    request = await sync_to_async(shop.make_request)()
    async with looking(request.token) as one, looking(request.token) as other:
        before = [await told(line) for line in (one, other)]
        await cancel(request)
        after = [await told(line) for line in (one, other)]
        assert {(shown["status"], shown["seq"] > before[0]["seq"]) for shown in after} == {("cancelled", True)}
        assert await one.receive_nothing(0.1)  # once is enough
    assert not answers


@stored
@pytest.mark.usefixtures("no_messages")
async def test_nothing_counts_as_told_before_the_socket_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one waits for its first snapshot, a round for the others must not take it as told."""
    ask, gate, stuck = hub.changed, asyncio.Event(), asyncio.Event()

    async def slow(seen: dict[str, int]) -> dict[str, Shown]:
        found: dict[str, Shown] = await ask(seen)
        if stuck.is_set() and -1 in seen.values():
            await gate.wait()
        return found

    monkeypatch.setattr(hub, "changed", slow)
    request = await sync_to_async(shop.make_request)()
    async with looking(request.token) as early:
        assert (await told(early))["status"] == "open"
        stuck.set()
        late = connecting(request.token, "203.0.113.8")
        await late.send_input({"type": "websocket.connect"})
        await asyncio.sleep(0.1)  # rounds go by
        await cancel(request)
        assert (await told(early))["status"] == "cancelled"
        gate.set()
        assert (await late.receive_output(60))["type"] == "websocket.accept"
        assert (await told(late))["status"] == "cancelled"  # and not what was read when it came: that is the past
        assert await late.receive_nothing(0.1)
        await late.send_input({"type": "websocket.disconnect", "code": 1001})
        await late.wait(60)


async def test_a_snapshot_that_could_not_be_sent_is_not_told() -> None:
    consumer = consumers.RequestConsumer()
    sent: list[str] = []

    async def send(text: str) -> None:
        if not sent:
            sent.append("lost")
            raise ConnectionResetError
        sent.append(text)

    consumer.send = send
    consumer.tell(Shown(3, "three"))
    await asyncio.sleep(0.01)
    assert sent == []  # nobody has accepted it yet
    consumer._is_accepted = True
    for shown in (Shown(3, "three"), Shown(3, "three"), Shown(2, "two")):
        consumer.tell(shown)
        await asyncio.sleep(0.01)
    assert sent == ["lost", "three"]
    assert consumer.seq == 3


async def test_a_socket_that_takes_nothing_keeps_the_newest_state_alone() -> None:
    consumer = consumers.RequestConsumer()
    sent: list[str] = []
    gate = asyncio.Event()

    async def send(text: str) -> None:
        await gate.wait()
        sent.append(text)

    consumer.send, consumer._is_accepted = send, True
    for seq in (1, 2, 5, 4, 3):
        consumer.tell(Shown(seq, str(seq)))
        await asyncio.sleep(0)
    gate.set()
    await asyncio.sleep(0.01)
    assert sent == ["1", "5"]


@pytest.mark.usefixtures("unchanging")
async def test_one_network_opens_so_many_lines_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SOCKETS_OF_A_NETWORK", 2)
    async with looking("known", "2001:db8::1"):
        async with looking("known", "2001:db8::2"):
            async with looking("known", "2001:db8::3") as third:
                assert await closed(third) == consumers.CROWDED
            async with looking("known", "2001:db8:0:1::3") as elsewhere:
                assert (await told(elsewhere))["status"] == "open"
        async with looking("known", "2001:db8::3") as again:
            assert (await told(again))["status"] == "open"
    assert not consumers.RequestConsumer.networks
    assert not hub.here().watched


@pytest.mark.usefixtures("unchanging")
async def test_who_talks_is_hung_up_on_and_an_unknown_link_says_so() -> None:
    async with looking("known") as line:
        await told(line)
        await line.send_input({"type": "websocket.receive", "text": "hello"})
        assert await closed(line) == consumers.TALKING
    async with looking("nobody") as line:
        assert await closed(line) == consumers.NOT_FOUND
    assert not hub.here().watched
