"""What is done again and again: each flow is one operation, of ours or of what stands beside it.

A flow raises `Wrong` where an answer is not the one that belongs there: an error is never counted as work done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from bench.speed.wire import Answer, Client

POLL_SECONDS = 0.05
"""Seconds between two questions whether it is paid."""
POLLS = 400

_numbers = count(1)


class Wrong(Exception):
    """Not the answer that belongs there."""


@dataclass
class Visit:
    """What a flow is given: a connection of its own, what the job says, and the next item of the job's."""

    client: Client
    about: dict[str, Any]
    items: Iterator[str]


def right(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise Wrong(f"{answer.status} instead of {status}: {answer.body[:120].decode(errors='replace')}")
    return answer


async def get(visit: Visit) -> None:
    """A page, whole."""
    answer = right(await visit.client.get(next(visit.items)), 200)
    if visit.about.get("holds", "").encode() not in answer.body:
        raise Wrong(f"a page without {visit.about['holds']}")


def order(about: dict[str, Any]) -> dict[str, Any]:
    """What a shop asks for; its reference is used once."""
    line = {"name": "Spring oolong, 100 g", "quantity": 2, "unit_amount": 4500}
    buyer = {"id": "lin", "name": "Lin"}
    return {"reference": f"{about['run']}-{next(_numbers)}", "currency": "CNY", "lines": [line], "buyer": buyer}


MESSAGE = {"message": "Could you get this for me? I'll cook on Sunday."}


async def create(visit: Visit) -> str:
    """An order and its request: one call where the API takes both in one, else two. The path of the friend's page."""
    if visit.about["one_call"]:
        placed = right(
            await visit.client.post("/api/v1/orders", {**order(visit.about), "payment_request": MESSAGE}), 201
        )
        asked: Any = placed.json()["payment_request"]
    else:
        placed = right(await visit.client.post("/api/v1/orders", order(visit.about)), 201)
        path = f"/api/v1/orders/{placed.json()['id']}/payment-requests"
        asked = right(await visit.client.post(path, MESSAGE), 201).json()
    return f"/p/{str(asked['url']).rstrip('/').rsplit('/', 1)[-1]}/"


async def bare_create(visit: Visit) -> None:
    right(await visit.client.post("/create", {**order(visit.about), "payment_request": MESSAGE}), 201)


async def pay(visit: Visit) -> None:
    """Tap "Pay" on the friend's page, and approve in the wallet."""
    await _pay(visit, next(visit.items))


async def _pay(visit: Visit, page: str) -> None:
    wallet = right(await visit.client.submit(f"{page}pay/", method="sandbox", price="9000"), 303).path
    right(await visit.client.submit(wallet, action="approve"), 303)


async def bare_pay(visit: Visit) -> None:
    right(await visit.client.submit(next(visit.items)), 303)


async def cycle(visit: Visit) -> None:
    """Ask, read, pay, and see that it is paid."""
    page = await create(visit)
    right(await visit.client.get(page), 200)
    await _pay(visit, page)
    await _until(visit, f"{page}status.json", "status", "paid")


async def lnbits(visit: Visit) -> None:
    """The same at LNbits: an invoice, its page's data, paid from another wallet, seen as paid."""
    shop, payer = ({"x-api-key": visit.about[who]} for who in ("shop", "payer"))
    path = "/api/v1/payments"
    invoice = right(await _keyed(visit, "POST", path, shop, {"out": False, "amount": 90, "memo": "Spring oolong"}), 201)
    told: Any = invoice.json()
    seen = f"{path}/{told['payment_hash']}"
    right(await _keyed(visit, "GET", seen, shop), 200)
    paid = {"out": True, "bolt11": told.get("bolt11") or told["payment_request"]}
    right(await _keyed(visit, "POST", path, payer, paid), 201)
    for _poll in range(POLLS):
        if right(await _keyed(visit, "GET", seen, shop), 200).json()["paid"]:
            return
        await asyncio.sleep(POLL_SECONDS)
    raise Wrong("never paid")


async def _keyed(visit: Visit, method: str, path: str, key: dict[str, str], body: Any = None) -> Answer:
    more = "".join(f"{name}: {value}\r\n" for name, value in key.items())
    content = Client.written(body) if body else b""
    return await visit.client.ask(method, path, content, "application/json", more)


async def _until(visit: Visit, path: str, name: str, value: str) -> None:
    for _poll in range(POLLS):
        if right(await visit.client.get(path), 200).json()[name] == value:
            return
        await asyncio.sleep(POLL_SECONDS)
    raise Wrong(f"{name} never became {value}")


FLOWS: dict[str, Callable[[Visit], Awaitable[Any]]] = {
    flow.__name__: flow for flow in (get, create, bare_create, pay, bare_pay, cycle, lnbits)
}
