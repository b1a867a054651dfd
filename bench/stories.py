"""What people do with a payment request: one pays, or two, or together; takes over, is cancelled, comes too late."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx

from bench.ends import End
from bench.people import TAKE_OVER, Person
from bench.telling import Asked, Telling
from bench.wallets import Wallet
from friendpay.kit.money import Money

HOLD, SHORT = 300, 60  # seconds: a hold, and the shortest life of a request


class Story(Telling):
    """What may become of it."""

    async def plain(self) -> None:
        await self.pays(await self.ask_for())

    async def untold(self) -> None:
        """The wallet's notification is lost."""
        await self.pays(await self.ask_for(), "approve-untold")

    async def told_again(self) -> None:
        """The wallet pays once and says so many times."""
        payment_request = await self.ask_for()
        async with self.town.person("friend") as friend:
            if wallet := await friend.begin(payment_request.page):
                await friend.approve(wallet)
                for _again in range(3):
                    await friend.approve(wallet, "tell-again")
            await friend.watch(payment_request.page)

    async def double_tap(self) -> None:
        payment_request = await self.ask_for()
        async with self.town.person("friend") as friend:
            await friend.look(payment_request.page)
            answers = await asyncio.gather(*(friend.tap(f"{payment_request.page}pay/") for _tap in range(3)))
            wallets = {answer.headers["location"] for answer in answers if answer and answer.status_code == 303}
            for wallet in sorted(wallets) or [await friend.begin(payment_request.page)]:
                if wallet:
                    await friend.approve(wallet, "approve-late")
            await friend.watch(payment_request.page)

    async def race(self) -> None:
        """Two friends at once."""
        payment_request = await self.ask_for()
        await asyncio.gather(self.pays(payment_request), self.pays(payment_request))

    async def take_over(self) -> None:
        """One wanders off, another takes over, and then the first one pays all the same."""
        payment_request = await self.ask_for()
        async with self.town.person("friend") as first:
            wallet = await first.begin(payment_request.page)
            await self.town.later(TAKE_OVER)
            await asyncio.gather(self.pays(payment_request), self._late(first, wallet))

    async def _late(self, friend: Person, wallet: str) -> None:
        await asyncio.sleep(self.chance.uniform(0, 1.5))
        if wallet:
            await friend.approve(wallet, "approve-late")

    async def cancelled(self) -> None:
        """The request is cancelled under the hands of somebody who pays."""
        payment_request = await self.ask_for()
        async with self.town.person("friend") as friend:
            wallet = await friend.begin(payment_request.page)
            await asyncio.gather(self._cancel(payment_request), self._late(friend, wallet))

    async def _cancel(self, payment_request: Asked) -> None:
        await asyncio.sleep(self.chance.uniform(0, 1.5))
        response = await self.shop.call("cancel", f"/payment-requests/{payment_request.request}/cancel")
        done = {"cancelled": payment_request.request, "for_order": payment_request.order, "over": True}
        self.shop.note("cancel", response, **(done if response.status_code == 200 else {}))

    async def paid_elsewhere(self) -> None:
        payment_request = await self.ask_for()
        async with self.town.person("friend") as friend:
            wallet = await friend.begin(payment_request.page)
            response = await self.shop.call("mark paid", f"/orders/{payment_request.order}/mark-paid")
            done = {"paid_order": payment_request.order, "for_order": payment_request.order, "over": True}
            self.shop.note("mark paid", response, **(done if response.status_code == 200 else {}))
            await self._late(friend, wallet)

    async def another_price(self) -> None:
        """The price changes while somebody pays the old one; the new one is paid, too."""
        payment_request = await self.ask_for()
        async with self.town.person("friend") as friend:
            wallet = await friend.begin(payment_request.page)
            line = {"name": "Spring oolong", "quantity": 2, "unit_amount": payment_request.amount}
            response = await self.shop.call("lines", f"/orders/{payment_request.order}/lines", {"lines": [line]})
            self.shop.note("lines", response)
            await asyncio.gather(self._late(friend, wallet), self.pays(payment_request))

    async def together(self) -> None:
        """Three friends give a third each; the last one whatever is missing."""
        payment_request = await self.ask_for(self.chance.randint(3000, 500_000), split=3)
        await self._gives(payment_request, payment_request.part(33))
        await self._gives(payment_request, payment_request.part(33), before=payment_request.part(33))
        await self.pays(payment_request)

    async def too_few(self) -> None:
        """Two of three give their part, and the time is over: both get it back."""
        payment_request = await self.ask_for(30_000, split=3, life=SHORT)
        await asyncio.gather(
            self._gives(payment_request, payment_request.part(50)),
            self._gives(payment_request, payment_request.part(20)),
        )
        await self.town.later(SHORT)

    async def _gives(self, payment_request: Asked, amount: int, *, before: int = 0) -> None:
        """A friend gives a part, and waits until it is there too."""
        async with self.town.person("friend") as friend:
            wallet = await friend.begin(
                payment_request.page, amount=str(Money(amount, payment_request.currency).decimal)
            )
            if wallet and await friend.approve(wallet):
                await friend.watch(payment_request.page, 6, until=before + amount)

    async def too_late(self) -> None:
        """Somebody begins, comes back when all is over, and the wallet takes the money all the same."""
        payment_request = await self.ask_for(life=SHORT)
        async with self.town.person("friend") as friend:
            wallet = await friend.begin(payment_request.page)
            await self.town.later(HOLD + SHORT)
            await self._late(friend, wallet)
            await friend.watch(payment_request.page, 3)

    async def refunded(self) -> None:
        """All of it goes back, in two parts, each asked for until it is acknowledged."""
        payment_request = await self.ask_for(self.chance.randint(self.town.wallet.least + 1, 500_000))
        if await self.pays(payment_request) == "paid":
            part = self.chance.randint(1, payment_request.amount - 1)
            await asyncio.gather(
                self.refunds(payment_request, part), self.refunds(payment_request, payment_request.amount - part)
            )

    async def shared_back(self) -> None:
        """Two paid together, and a part of it goes back to both."""
        payment_request = await self.ask_for(10_000, split=2)
        await self._gives(payment_request, payment_request.part(30))
        if await self.pays(payment_request) == "paid":
            await self.refunds(payment_request, self.chance.randint(2, 9_999))

    async def refunded_by_hand(self) -> None:
        """Somebody of the shop refunds a part in the wallet's own site; the wallet tells us, or its bill alone does."""
        payment_request = await self.ask_for()
        if await self.pays(payment_request) == "paid":
            amount, told = (
                self.chance.randint(self.town.wallet.least, payment_request.amount),
                self.chance.random() < 0.5,
            )
            if payment_request.amount - amount < self.town.wallet.least:
                amount = payment_request.amount
            reference = await self.charge(payment_request)
            await asyncio.to_thread(self.town.wallet.refund_by_hand, reference, amount, told=told)
            facts = {"by_hand": amount, "for_order": payment_request.order}
            self.town.history.note("shop", "refund by hand", time.monotonic(), 200, **facts)

    async def disputed(self) -> None:
        """The payer asks her bank for the money back, and it decides for her, or for the shop, or not yet."""
        payment_request = await self.ask_for()
        if await self.pays(payment_request) == "paid":
            reference = await self.charge(payment_request)
            await asyncio.to_thread(self.town.wallet.dispute, reference, self.chance.choice(("open", "won", "lost")))

    async def dispute_untold(self) -> None:
        """The same, decided, and the wallet's word of how never comes: it is asked, and the bank's money is the bank's,
        what was won the shop's again.
        """
        payment_request = await self.ask_for()
        if await self.pays(payment_request) == "paid":
            reference, ends = await self.charge(payment_request), self.chance.choice(("won", "lost"))
            await asyncio.to_thread(self.town.wallet.dispute, reference, ends, told=False)

    async def listened(self) -> None:
        """Somebody has the page open while a friend pays."""
        payment_request = await self.ask_for()
        listening = asyncio.ensure_future(self.town.person("listener").listen(payment_request.page))
        await self.pays(payment_request)
        with suppress(TimeoutError):
            await asyncio.wait_for(listening, 10)

    async def herself(self) -> None:
        """The buyer goes through the shop's pages and pays on her own."""
        async with self.town.person("buyer") as buyer:
            for _order in range(20):
                await buyer.look("/")
                await buyer.submit("basket", "/basket/", {"slug": "gaiwan", "change": "1"})
                await buyer.look("/basket/")
                response = await buyer.submit("check out", "/basket/order/", {})
                if (
                    response is not None
                    and response.status_code == 303
                    and "/checkout/" in response.headers["location"]
                ):
                    break
            else:
                return
            page = httpx.URL(response.headers["location"]).path
            buyer.note("check out", response, for_order=page.split("/")[2], expects=self.end)
            if wallet := await buyer.begin(page):
                await buyer.approve(wallet)


Plot = Callable[[Story], Awaitable[None]]

PLOTS: dict[Plot, tuple[int, End]] = {
    Story.plain: (52, End.ALONE),
    Story.untold: (5, End.ALONE),
    Story.told_again: (3, End.ALONE),
    Story.double_tap: (7, End.ONE),
    Story.race: (4, End.ONE),
    Story.take_over: (4, End.ONE),
    Story.cancelled: (3, End.ENDED),
    Story.paid_elsewhere: (2, End.ENDED),
    Story.another_price: (2, End.ONE),
    Story.together: (3, End.PARTS),
    Story.too_few: (2, End.PARTS),
    Story.too_late: (2, End.ENDED),
    Story.refunded: (4, End.ALONE),
    Story.shared_back: (2, End.PARTS),
    Story.listened: (3, End.ALONE),
    Story.herself: (2, End.ALONE),
    Story.refunded_by_hand: (3, End.BY_HAND),
    Story.disputed: (3, End.DISPUTED),
    Story.dispute_untold: (2, End.DISPUTED),
}
"""How often each happens, in some hundred, and how it has to end."""


def plots(wallet: Wallet) -> dict[Plot, tuple[int, End]]:
    """Those that can happen at this wallet."""
    able: dict[Plot, bool] = {
        Story.refunded_by_hand: wallet.by_hand,
        Story.disputed: wallet.disputes,
        Story.dispute_untold: wallet.disputes,
    }
    return {plot: told for plot, told in PLOTS.items() if able.get(plot, True)}
