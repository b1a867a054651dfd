"""What the sockets of a process share: one subscription and one read a request, however many look at it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from pytest_django import DjangoAssertNumQueries
from redis.exceptions import ConnectionError as ValkeyGone

from friendpay.kit import limits
from payments.live import hub, layer, snapshot
from payments.live.snapshot import Shown
from payments.models import PaymentRequest
from payments.settlement import lifecycle
from tests import shop
from tests.payments.live.test_consumers import connecting, looking, never_changing, told

stored = pytest.mark.django_db(transaction=True)


class Onlooker:
    """A socket without a browser."""

    def __init__(self, token: str) -> None:
        self.token, self.seq = token, -1
        self.heard: list[str] = []

    def tell(self, shown: Shown) -> None:
        if shown.seq > self.seq:
            self.seq = shown.seq
            self.heard.append(shown.text)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """What the database was asked: every request but "nobody" has its first state."""
    asked: list[dict[str, int]] = []

    async def changed(seen: dict[str, int]) -> dict[str, Shown]:
        asked.append(seen)
        await asyncio.sleep(0.01)
        return {token: Shown(1, token) for token, seq in seen.items() if seq < 1 and token != "nobody"}

    monkeypatch.setattr(hub, "changed", changed)
    return asked


@asynccontextmanager
async def subscriptions(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """What is asked of Valkey meanwhile."""
    asked: list[str] = []
    there = get_channel_layer()._get_layer()
    for name in ("group_add", "group_discard", "new_channel"):
        real = getattr(there, name)

        async def noted(*args: str, name: str = name, real: Any = real) -> Any:
            asked.append(f"{name} {args[0]}" if args else name)
            return await real(*args)

        monkeypatch.setattr(there, name, noted)
    yield asked


async def test_a_crowd_shares_the_questions(questions: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    arrivals = hub.Arrivals()
    first = asyncio.create_task(arrivals.read("a"))
    await asyncio.sleep(0.001)
    crowd = [asyncio.create_task(arrivals.read(token)) for token in "abca"]
    impatient = asyncio.create_task(arrivals.read("d"))
    await asyncio.sleep(0)
    impatient.cancel()
    answers = await asyncio.gather(first, *crowd)
    assert [answer and answer.text for answer in answers] == ["a", "a", "b", "c", "a"]
    assert [sorted(question) for question in questions] == [["a"], ["a", "b", "c", "d"]]  # who came later: read later


async def test_a_crowd_on_one_request_is_one_subscription_and_few_reads(
    questions: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = hub.Hub()
    crowd = [Onlooker("a") for _ in range(500)]
    async with subscriptions(monkeypatch) as asked:
        assert all(await asyncio.gather(*(here.subscribe(socket) for socket in crowd)))
        assert {(socket.seq, *socket.heard) for socket in crowd} == {(1, "a")}
        assert len(questions) <= 2
        for socket in crowd:
            await here.unsubscribe(socket)
    assert asked == ["new_channel", "group_add p.a", "group_discard p.a"]
    assert not here.watched


async def test_a_message_is_read_once_and_told_to_all(questions: list[dict[str, int]]) -> None:
    here = hub.Hub()
    crowd = [Onlooker("many") for _ in range(limits.LIVE_SLICE_SOCKETS * 3)] + [Onlooker("few")]
    await asyncio.gather(*(here.subscribe(socket) for socket in crowd))
    messages = {
        snapshot.group(token): {"type": "snapshot", "token": token, "seq": seq, "text": f"{token} {seq}"}
        for token, seq in (("many", 7), ("few", 3), ("none", 4))
    }
    await sync_to_async(layer.send)(messages)
    async with asyncio.timeout(60):
        while any(socket.seq == 1 for socket in crowd):
            await asyncio.sleep(0.01)
    assert {tuple(socket.heard) for socket in crowd} == {("many", "many 7"), ("few", "few 3")}
    await sync_to_async(layer.send)({snapshot.group("few"): {"token": "few", "seq": 2, "text": "the past"}})
    await asyncio.sleep(0.1)
    assert crowd[-1].heard == ["few", "few 3"]
    for socket in crowd:
        await here.unsubscribe(socket)


async def test_who_comes_while_a_message_does_hears_the_newer(questions: list[dict[str, int]]) -> None:
    """Its read was begun before the change: what the message told stays true, and `seq` never goes back."""
    here = hub.Hub()
    early, late = Onlooker("a"), Onlooker("a")
    await here.subscribe(early)
    coming = asyncio.create_task(here.subscribe(late))
    await asyncio.sleep(0.001)
    await sync_to_async(layer.send)({snapshot.group("a"): {"token": "a", "seq": 5, "text": "five"}})
    await coming
    async with asyncio.timeout(60):
        while not (early.heard[-1] == late.heard[-1] == "five"):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert early.heard[-1] == late.heard[-1] == "five"
    assert late.seq == 5
    for socket in (early, late):
        await here.unsubscribe(socket)


async def test_nobody_is_left_in_the_hub_by_one_who_goes_early(questions: list[dict[str, int]]) -> None:
    here = hub.Hub()
    socket, unknown = Onlooker("a"), Onlooker("nobody")
    coming = asyncio.create_task(here.subscribe(socket))
    await asyncio.sleep(0.001)
    coming.cancel()
    await here.unsubscribe(socket)
    assert not await here.subscribe(unknown)
    await here.unsubscribe(unknown)
    assert not here.watched
    await here.unsubscribe(Onlooker("never looked"))


async def test_without_valkey_the_rounds_tell_and_join_again(
    questions: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_CATCH_UP_SECONDS", 0.02)
    there = get_channel_layer()._get_layer()
    join, silent = there.group_add, True

    async def group_add(group: str, channel: str) -> None:
        if silent:
            raise ValkeyGone
        await join(group, channel)

    monkeypatch.setattr(there, "group_add", group_add)
    here, socket = hub.Hub(), Onlooker("a")
    assert await here.subscribe(socket)
    assert socket.heard == ["a"]
    silent = False
    async with asyncio.timeout(60):
        while not here.watched["a"].is_joined:
            await asyncio.sleep(0.01)
    await sync_to_async(layer.send)({snapshot.group("a"): {"token": "a", "seq": 2, "text": "two"}})
    async with asyncio.timeout(60):
        while socket.heard != ["a", "two"]:
            await asyncio.sleep(0.01)
    await here.unsubscribe(socket)


async def test_a_restart_serves_all_who_come_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "changed", never_changing)
    lines = [connecting("known", f"203.0.{number // 250}.{number % 250}") for number in range(1000)]
    began = time.monotonic()
    for line in lines:
        await line.send_input({"type": "websocket.connect"})
    for line in lines:
        assert (await line.receive_output(60))["type"] == "websocket.accept"
        assert (await told(line))["seq"] == 1
    assert time.monotonic() - began < 60
    for line in lines:
        await line.send_input({"type": "websocket.disconnect", "code": 1001})
        await line.wait(60)
    assert not hub.here().watched


@stored
async def test_seq_never_goes_back_for_who_reconnects_while_it_changes() -> None:
    request = await sync_to_async(shop.make_request)()
    here = PaymentRequest.objects.filter(pk=request.pk)
    heard: list[list[int]] = []

    async def look_again_and_again() -> None:
        own: list[int] = []
        heard.append(own)
        for _ in range(5):
            async with looking(request.token) as line:
                own.append((await told(line))["seq"])
                while not await line.receive_nothing(0.01):
                    own.append((await told(line))["seq"])

    async def change() -> None:
        for _ in range(20):
            request.seq += 1
            await here.aupdate(seq=request.seq)
            await sync_to_async(snapshot.push)(request)
            await asyncio.sleep(0.005)

    async with AsyncExitStack() as stack:
        onlooker = await stack.enter_async_context(looking(request.token))
        await asyncio.gather(change(), *(look_again_and_again() for _ in range(5)))
        all_along = [(await told(onlooker))["seq"]]
        while not await onlooker.receive_nothing(0.1):
            all_along.append((await told(onlooker))["seq"])
    for own in [*heard, all_along]:
        assert own == sorted(own)
    assert all_along == sorted(set(all_along))
    assert all_along[-1] == request.seq


@pytest.mark.django_db
def test_what_is_pushed_is_what_is_read(
    django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, dict[str, Any]]] = []
    monkeypatch.setattr(snapshot, "run_later", lambda _purpose, job: job())
    monkeypatch.setattr(layer, "send", sent.append)
    plain, held = shop.make_request(), shop.make_request()
    shop.hold(held)
    lifecycle.cancel_request(plain.pk, actor="buyer")
    requests = list(PaymentRequest.objects.filter(pk__in=[plain.pk, held.pk]).order_by("pk"))
    now = datetime.now(UTC)
    with django_assert_num_queries(0):
        snapshot.push(requests[0], now=now)
    with django_assert_num_queries(1):
        snapshot.push(*requests, now=now)
    with django_assert_num_queries(1):
        read = snapshot.newer({plain.token: -1, held.token: -1, "nobody": -1})
    assert not snapshot.newer({request.token: request.seq for request in requests})
    assert [len(messages) for messages in sent] == [1, 2]
    for request in requests:
        message = sent[1][snapshot.group(request.token)]
        assert (message["token"], message["seq"]) == (request.token, request.seq)
        assert _still(message["text"]) == _still(read[request.token].text)
    assert [holder["amount"] for holder in json.loads(read[held.token].text)["holders"]] == [held.amount]
    assert json.loads(read[plain.token].text)["status"] == "cancelled"


def _still(text: str) -> dict[str, Any]:
    """Without the running seconds."""
    shown: dict[str, Any] = json.loads(text)
    shown.pop("seconds_left")
    for holder in shown["holders"]:
        del holder["seconds_left"], holder["seconds_held"]
    return shown


@pytest.mark.django_db
def test_pushes_of_a_moment_are_one_round_trip_and_the_newest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Any] = []
    sent: list[dict[str, dict[str, Any]]] = []
    monkeypatch.setattr(snapshot, "run_later", lambda _purpose, job: jobs.append(job))
    monkeypatch.setattr(layer, "send", sent.append)
    now = datetime.now(UTC)
    one, other = (
        PaymentRequest(pk=number, token=token, currency="CNY", amount=100, expires_at=now + timedelta(hours=1))
        for number, token in enumerate("ab", 1)
    )
    for request, seq in ((one, 2), (other, 1), (one, 3), (one, 1)):
        request.seq = seq
        snapshot.push(request, now=now)
    for job in jobs:
        job()
    assert [{group: message["seq"] for group, message in messages.items()} for messages in sent] == [
        {"p.a": 3, "p.b": 1}
    ]
