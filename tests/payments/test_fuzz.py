"""What strangers can send is read in bounded time, and is never our fault: pasted text, notifications, bodies of API
calls, addresses, sockets. Examples are drawn anew in each run; one that fails is printed whole.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from friendpay.kit import limits
from orders.models import ApiKey, Order
from payments.live import hub
from payments.live.consumers import NOT_FOUND
from payments.models import PaymentRequest
from payments.share import codes
from tests import shop
from tests.payments.live.test_consumers import connecting, never_changing
from tests.payments.scene import RawNotification, Scene

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

SECONDS = 2.0
"""Of work for one answer, however busy the machine is with other things. All take milliseconds."""

MANY, SOME = settings(max_examples=150), settings(max_examples=60)


@contextmanager
def bounded() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


# Pasted text

NASTY = (
    "https://",
    "%25" * 9,
    "https%3A%2F%2F",
    "\\/",
    "/p/",
    "=\r\n",
    "​",
    "﷽",
    "-",
    "Ａ",
    "‮",
    "9K4T-",
    "_",
    "-2F",
    "\x00",
    "ﷺ",
)
PIECES = st.one_of(st.sampled_from(NASTY), st.text(max_size=20))


@st.composite
def pasted(draw: st.DrawFn) -> str:
    """A few pieces, some of them many times over."""
    parts = draw(st.lists(st.tuples(PIECES, st.sampled_from((1, 1, 2, 50, 20_000))), max_size=8))
    return "".join(piece * times for piece, times in parts)[: 4 * limits.PASTED_CHARACTERS]


@MANY
@given(text=pasted())
def test_any_pasted_text_is_read_in_bounded_time(text: str) -> None:
    with bounded():
        assert len(codes.inside(text)) <= 3
        codes.find(text)


@SOME
@given(text=pasted())
def test_any_text_typed_where_a_code_belongs_is_answered(text: str) -> None:
    with bounded():
        status = Client(REMOTE_ADDR="unknown").post("/open/", {"text": text}).status_code
    assert status in (303, 400, 413, 422, 429)


def test_a_code_within_noise_is_still_found() -> None:
    """What is refused in bounded time is not all there is."""
    asked = shop.make_request()
    for noise in NASTY[:4]:
        assert codes.find(f"{noise * 50} {asked.code} {noise * 50}") == asked


# Notifications


@st.composite
def changed(draw: st.DrawFn, body: bytes) -> bytes:
    """A real one's bytes, cut, doubled, or with others in their place; or anything else."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=400))
    first, last = sorted(draw(st.tuples(st.integers(0, len(body)), st.integers(0, len(body)))))
    put = draw(st.one_of(st.binary(max_size=30), st.sampled_from((b"[" * 50_000, b"&" * 5000, b"9" * 6000, body))))
    return body[:first] + put + body[last:]


def test_any_notification_is_answered_and_none_that_was_changed_is_believed(scene: Scene) -> None:
    real = scene.notification()
    header = st.one_of(
        st.sampled_from(sorted(real.headers.values())), st.text(st.characters(min_codepoint=32, max_codepoint=126))
    )

    @SOME
    @given(data=st.data())
    def deliver(data: st.DataObject) -> None:
        body = data.draw(changed(real.body))
        headers = {
            name: data.draw(header) if data.draw(st.booleans()) else value for name, value in real.headers.items()
        }
        if body == real.body:
            return
        with bounded():
            assert scene.deliver(RawNotification(headers, body)) in (400, 401, 403, 404, 413)

    deliver()
    assert scene.stands() == ("open", "pending", 0)


# Bodies of API calls

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inside: st.one_of(st.lists(inside, max_size=4), st.dictionaries(st.text(max_size=12), inside, max_size=4)),
    max_leaves=20,
)
RAW = st.one_of(
    st.binary(max_size=300),
    JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.sampled_from(
        (
            b"[" * 100_000,
            b'{"a":' * 40_000,
            b"9" * 200_000,
            b'{"lines":[{"quantity":1e999}]}',
            b'{"currency":NaN,"lines":[{"unit_amount":-0.0}]}',
            b'{"reference":"\\ud800","currency":"CNY","lines":[{"name":"\\u0000","quantity":1,"unit_amount":1}]}',
            b"\xff\xfe{}",
            b'{"reference":"a","reference":"b"}',
        )
    ),
)
CALLS = ("/orders", "/orders/ord_none/payment-requests", "/orders/ord_none/refunds", "/webhook-endpoints")


@MANY
@given(body=RAW, path=st.sampled_from(CALLS), kind=st.sampled_from(("application/json", "text/plain", "")))
def test_any_body_of_a_call_is_answered_with_a_problem(body: bytes, path: str, kind: str) -> None:
    _row, key = ApiKey.make(shop.make_merchant(), name="fuzz")
    with bounded():
        answer = Client().post(f"/api/v1{path}", body, content_type=kind, headers={"Authorization": f"Bearer {key}"})
    assert 400 <= answer.status_code < 500
    assert answer.json()["code"]
    assert not Order.objects.exists()


@SOME
@given(
    fields=st.dictionaries(
        st.sampled_from(("reference", "currency", "lines", "buyer", "metadata", "x")), JSON, max_size=6
    )
)
def test_an_order_of_anything_is_made_or_refused(fields: dict[str, object]) -> None:
    _row, key = ApiKey.make(shop.make_merchant(), name="fuzz")
    whole = {"reference": "A-1", "currency": "CNY", "lines": [{"name": "Tea", "quantity": 1, "unit_amount": 100}]}
    headers = {"Authorization": f"Bearer {key}"}
    body = json.dumps(whole | fields).encode("utf-8", "surrogatepass")
    with bounded():
        answer = Client().post("/api/v1/orders", body, content_type="application/json", headers=headers)
    assert answer.status_code == 201 or 400 <= answer.status_code < 500


# Addresses and forms

PAGES = ("/p/{}/", "/p/{}/status.json", "/r/{}/", "/checkout/{}/", "/pay/{}/qr.svg", "/mail/{}/", "/look/{}.css", "/{}")


@MANY
@given(page=st.sampled_from(PAGES), token=st.text(max_size=60), query=st.text(max_size=40))
def test_any_address_is_answered(page: str, token: str, query: str) -> None:
    with bounded():
        status = Client().get(page.format(token), {"lang": query, query[:9]: token}).status_code
    assert status < 500


@SOME
@given(
    fields=st.dictionaries(
        st.sampled_from(("method", "amount", "name", "share", "take_over", "reason", "words")), st.text(max_size=80)
    )
)
def test_any_form_of_a_friend_is_answered(fields: dict[str, str]) -> None:
    asked = PaymentRequest.objects.first() or shop.make_request()
    for act in ("pay", "decline", "report", "remind", "step"):
        with bounded():
            assert Client(REMOTE_ADDR="unknown").post(f"/p/{asked.token}/{act}/", fields).status_code < 500


# Sockets


@pytest.fixture
def unchanging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "changed", never_changing)


@pytest.mark.usefixtures("unchanging")
@SOME
@given(said=st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_whatever_is_said_to_a_socket_it_is_closed(said: str | bytes) -> None:
    async def say() -> None:
        line = connecting("known")
        await line.send_input({"type": "websocket.connect"})
        assert (await line.receive_output(60))["type"] == "websocket.accept"
        await line.receive_output(60)
        kind = "text" if isinstance(said, str) else "bytes"
        await line.send_input({"type": "websocket.receive", kind: said})
        assert (await line.receive_output(60))["type"] == "websocket.close"
        await ended(line)

    asyncio.run(say())


async def ended(line: ApplicationCommunicator) -> None:
    await line.send_input({"type": "websocket.disconnect", "code": 1000})
    await line.wait(60)


@pytest.mark.usefixtures("unchanging")
@SOME
@given(token=st.one_of(st.text(max_size=80), st.from_regex(r"[\w-]{1,80}", fullmatch=True)))
def test_a_socket_for_any_address_is_answered(token: str) -> None:
    """What can be no token reaches no table: a NUL, say, which PostgreSQL does not take."""

    async def look() -> None:
        line = connecting(token)
        await line.send_input({"type": "websocket.connect"})
        if re.fullmatch(r"[-a-zA-Z0-9_]+", token):
            assert (await line.receive_output(60))["type"] == "websocket.accept"
            assert (await line.receive_output(60))["code"] == NOT_FOUND
            await ended(line)
        else:
            with pytest.raises(ValueError, match="No route found"):
                await line.wait(60)

    asyncio.run(look())
