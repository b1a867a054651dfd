"""What every story is made of: the shop asks, a friend pays, the shop refunds; and what of it is noted."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

import httpx

from bench.ends import End
from bench.people import GaveUp, Town


@dataclass(frozen=True)
class Asked:
    """A payment request somebody was sent."""

    order: str
    request: str
    page: str
    amount: int
    currency: str

    def part(self, share: int) -> int:
        """So many hundredths of it, in minor units."""
        return self.amount * share // 100


class Telling:
    """One order, from asking to `end`, which it must come to. `chance` decides whatever chance decides."""

    def __init__(self, town: Town, number: int, chance: random.Random, end: End) -> None:
        self.town, self.number, self.chance, self.end = town, number, chance, end
        self.shop = town.person("shop")

    async def ask_for(self, amount: int = 0, *, split: int = 0, life: int = 0) -> Asked:
        """The shop makes an order, and a request for it that can be sent to friends."""
        amount = amount or self.chance.randint(self.town.wallet.least, 500_000)
        order = await self.shop.call(
            "order",
            "/orders",
            {
                "reference": f"C-{self.number}",
                "currency": self.chance.choice(self.town.wallet.currencies),
                "lines": [{"name": "Spring oolong", "quantity": 1, "unit_amount": amount}],
                "buyer": {"id": "lin", "name": "Lin"},
            },
        )
        made = body_of(order, 201)
        told = {"order": made["id"], "for_order": made["id"], "expects": self.end}
        self.shop.note("order", order, **told)
        terms: dict[str, Any] = {"split": {"max_payers": split, "min_amount": 1}} if split else {}
        terms |= {"expires_in": life} if life else {}
        response = await self.shop.call("request", f"/orders/{made['id']}/payment-requests", terms)
        request = body_of(response, 201)
        self.shop.note("request", response, asked=request["id"])
        return Asked(made["id"], request["id"], httpx.URL(request["url"]).path, made["amount"], made["currency"])

    async def pays(self, payment_request: Asked, how: str = "approve", **fields: str) -> str:
        """A friend opens the link, pays, and waits to see that it is paid: the state she saw last."""
        async with self.town.person("friend") as friend:
            wallet = await friend.begin(payment_request.page, **fields)
            if wallet:
                await friend.approve(wallet, how)
            return await friend.watch(payment_request.page)

    async def refunds(self, payment_request: Asked, amount: int) -> None:
        try:
            response = await self.shop.call("refund", f"/orders/{payment_request.order}/refunds", {"amount": amount})
        except (GaveUp, asyncio.CancelledError):  # the story is broken off: it may be done, or not
            self.town.history.note(
                "shop", "refund", time.monotonic(), None, unsure=amount, for_order=payment_request.order
            )
            raise
        made = body_of(response, 201)
        back = [refund["id"] for refund in made["refunds"]]
        self.shop.note("refund", response, refunds=back, amount=amount, for_order=payment_request.order)

    async def charge(self, payment_request: Asked) -> str:
        """The number at the wallet of the payment that counts."""
        address, key = (
            f"/api/v1/payment-requests/{payment_request.request}",
            {"Authorization": f"Bearer {self.town.key}"},
        )
        response = await self.shop.surely("look up", "GET", address, headers=key)
        self.shop.note("look up", response)
        payments = body_of(response, 200)["payments"]
        return str(next(payment["reference"] for payment in payments if payment["amount_applied"]))


def body_of(response: httpx.Response, status: int) -> dict[str, Any]:
    """What was answered. Raises AssertionError where it is not what belongs there."""
    if response.status_code != status:
        raise AssertionError(f"{response.request.url.path}: {response.status_code} {response.text[:200]}")
    made: dict[str, Any] = response.json()
    return made
