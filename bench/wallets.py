"""How a payer uses a wallet, and what its own books say in the end. A wallet is one class, and one line in WALLETS."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import psycopg

Post = Callable[[str, dict[str, str]], Awaitable[httpx.Response | None]]
"""Send a form of the wallet's page to an address, once; None when no answer came."""


@dataclass(frozen=True)
class Charge:
    """Money a wallet took, under our reference."""

    account: str
    reference: str
    transaction: str
    amount: int
    currency: str


@dataclass(frozen=True)
class Return:
    """Money a wallet sent back, under our reference of the refund."""

    account: str
    reference: str
    charge: str  # the charge's reference
    amount: int


class Wallet(Protocol):
    method: str  # as the page's button sends it
    currencies: tuple[str, ...]

    async def approve(self, post: Post, address: str, how: str) -> tuple[httpx.Response | None, str]:
        """The payer says yes on the wallet's page: its answer, and the receipt it sends him to when it has the money.

        `how`: "approve"; "approve-untold", its notification lost; "approve-late", also where it was closed before;
        "tell-again", its notification sent once more.
        """

    def books(self, database: "psycopg.Connection[tuple[Any, ...]]") -> tuple[list[Charge], list[Return]]:
        """All the money that moved, as the wallet knows it."""


class Sandbox:
    """The sandbox wallet keeps its books in tables of its own in the same database; friendpay never reads them."""

    method: str = "sandbox"
    currencies: tuple[str, ...] = ("CNY", "JPY", "KWD")

    async def approve(self, post: Post, address: str, how: str) -> tuple[httpx.Response | None, str]:
        response = await post(address, {"action": how})
        paid = response is not None and response.status_code == 303
        return response, response.headers["location"] if response is not None and paid else ""

    def books(self, database: "psycopg.Connection[tuple[Any, ...]]") -> tuple[list[Charge], list[Return]]:
        charges = database.execute(
            "SELECT account, reference, transaction, amount, currency FROM sandbox_charge WHERE status = 'paid'"
        )
        returns = database.execute(
            "SELECT r.account, r.reference, c.reference, r.amount FROM sandbox_chargerefund r "
            "JOIN sandbox_charge c ON c.id = r.charge_id"
        )
        return [Charge(*row) for row in charges], [Return(*row) for row in returns]


WALLETS: dict[str, Wallet] = {"sandbox": Sandbox()}
