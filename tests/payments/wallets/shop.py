"""A shop that hears a wallet's notifications the way friendpay does: verified by the provider, answered by it."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from friendpay.demo.emulation.base import Emulator
from friendpay.demo.emulation.messages import Request, Response, route
from payments.wallets.base import Account, Notification, NotificationRefused, Provider


class Shop(Emulator):
    name, brand = "shop", "Shop"

    def __init__(self, provider: Provider, account: Account) -> None:
        super().__init__()
        self.provider = provider
        self.customer_of = account
        self.heard: list[Notification] = []
        self.refused: list[int] = []
        self.down = 0  # so many notifications are answered 500
        self.came = threading.Condition(self.lock)

    def until(self, reached: Callable[[], object]) -> None:
        with self.came:
            assert self.came.wait_for(reached, 60), "it never came"

    @route("POST", "/notify/")
    def receive(self, request: Request) -> Response:
        self.came.notify_all()
        if self.down:
            self.down -= 1
            return Response(500)
        try:
            heard = self.provider.read_notification(self.customer_of, request.headers, request.body, datetime.now(UTC))
        except NotificationRefused as refused:
            self.refused.append(refused.reply.status)
            return Response(refused.reply.status, refused.reply.body)
        self.heard.append(heard)
        reply = self.provider.acknowledge()
        return Response(reply.status, reply.body)
