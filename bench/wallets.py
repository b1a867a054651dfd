"""How a payer uses a wallet, and what its own books say in the end. A wallet is one class, and one line in WALLETS."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import psycopg

from bench.faultproxy import Fate
from tests import agents

if TYPE_CHECKING:
    from bench.deployment import Deployment


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


class Payer(Protocol):
    """Somebody's browser. None: no answer came."""

    async def ask(self, did: str, method: str, address: str, **more: Any) -> httpx.Response | None:
        """A request, once."""

    async def submit(self, did: str, address: str, fields: dict[str, str]) -> httpx.Response | None:
        """A form of one of our pages, once."""


@dataclass(frozen=True)
class Contested:
    """Money of a charge that the payer's bank holds, or has taken, under the wallet's number of the dispute."""

    account: str
    number: str
    charge: str  # the charge's reference
    amount: int
    lost: bool  # for good


Books = tuple[list[Charge], list[Return], list[Contested]]


class Wallet(Protocol):
    method: str  # as the page's button sends it
    currencies: tuple[str, ...]
    least: int  # minor units: the smallest amount it takes
    devices: tuple[str, ...]  # the browsers its payers have
    faults: Counter[str]  # what was made to go wrong at it
    by_hand: bool  # whether somebody of the shop can refund in the wallet's own site
    disputes: bool  # whether payers can ask their bank for the money back

    def at_work(self, stack: "Deployment", fate: Callable[[], Fate]) -> AbstractAsyncContextManager[None]:
        """The wallet takes calls, over a line of which `fate` decides."""

    def calm(self) -> None:
        """From now on nothing fails at the wallet any more."""

    async def approve(self, payer: Payer, address: str, how: str) -> tuple[httpx.Response | None, str]:
        """The payer says yes on the wallet's page: its answer, and the receipt it sends him to when it has the money.

        `how`: "approve"; "approve-untold", its notification lost; "approve-late", also where it was closed before;
        "tell-again", its notification sent once more.
        """

    def refund_by_hand(self, reference: str, amount: int, *, told: bool) -> None:
        """Somebody of the shop refunds so much of a charge in the wallet's own site; unless `told`, we hear of it by
        the bill alone.
        """

    def dispute(self, reference: str, ends: str, *, told: bool = True) -> None:
        """The payer asks her bank for all of a charge, and is given it ("lost"), or not ("won"); or nothing is decided
        yet ("open"). Unless `told`, we never hear how it ended but by asking.
        """

    def books(self, database: "psycopg.Connection[tuple[Any, ...]]") -> Books:
        """All the money that moved, as the wallet knows it."""


class Sandbox:
    """The sandbox wallet keeps its books in tables of its own in the same database; friendpay never reads them."""

    method: str = "sandbox"
    currencies: tuple[str, ...] = ("CNY", "JPY", "KWD")
    least: int = 1
    devices: tuple[str, ...] = (agents.CHROME_DESKTOP,)
    by_hand: bool = False
    disputes: bool = False

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()

    @asynccontextmanager
    async def at_work(self, stack: "Deployment", fate: Callable[[], Fate]) -> AsyncIterator[None]:
        """It works within friendpay's own processes, and fails when they do."""
        yield

    def calm(self) -> None:
        """What failed were the processes."""

    async def approve(self, payer: Payer, address: str, how: str) -> tuple[httpx.Response | None, str]:
        response = await payer.submit(how, address, {"action": how})
        paid = response is not None and response.status_code == 303
        return response, response.headers["location"] if response is not None and paid else ""

    def books(self, database: "psycopg.Connection[tuple[Any, ...]]") -> Books:
        charges = database.execute(
            "SELECT account, reference, transaction, amount, currency FROM sandbox_charge WHERE status = 'paid'"
        )
        returns = database.execute(
            "SELECT r.account, r.reference, c.reference, r.amount FROM sandbox_chargerefund r "
            "JOIN sandbox_charge c ON c.id = r.charge_id"
        )
        return [Charge(*row) for row in charges], [Return(*row) for row in returns], []

    def refund_by_hand(self, reference: str, amount: int, *, told: bool) -> None:
        raise NotImplementedError("it has no site of its own for shops")

    def dispute(self, reference: str, ends: str, *, told: bool = True) -> None:
        raise NotImplementedError("nobody disputes play money")
