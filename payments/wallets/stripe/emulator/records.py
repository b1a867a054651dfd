"""What an account of Stripe's keeps: every thing by its id, copies with others expanded in them, and its bookings."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from friendpay.demo.emulation.base import token
from friendpay.demo.emulation.notifier import Clock
from payments.wallets.stripe.emulator import things
from payments.wallets.stripe.emulator.requests import Wrong
from payments.wallets.stripe.emulator.things import Thing

_EXPANDABLE = {
    "checkout.session": {"payment_intent"},
    "payment_intent": {"latest_charge"},
    "refund": {"charge", "payment_intent"},
    "dispute": {"payment_intent"},
    "balance_transaction": {"source"},
}


class Records:
    """Everything the account knows, by id."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.things: dict[str, Thing] = {}

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def all(self, kind: str) -> list[Thing]:
        """Newest first, as lists are given."""
        return [thing for thing in reversed(self.things.values()) if thing["object"] == kind]

    def get(self, kind: str, name: str, param: str = "id") -> Thing:
        thing = self.things.get(name)
        if thing is None or thing["object"] != kind:
            words = f"No such {kind.replace('.', ' ')}: '{name}'"
            raise Wrong(words, status=404, code="resource_missing", param=param)
        return thing

    def expand(self, thing: Thing, names: Iterable[str]) -> Thing:
        """A copy to send, with the ids named replaced by what they stand for."""
        copy = deepcopy(thing)
        for name in names:
            path = (name.removeprefix("data.") if "data" in copy else name).split(".")
            for item in copy.get("data", [copy]):
                self._expand(item, path, name)
        return copy

    def _expand(self, item: Thing, path: list[str], name: str) -> None:
        field, *rest = path
        if field not in _EXPANDABLE.get(item["object"], ()):
            raise Wrong(f"This property cannot be expanded ({name}).", param="expand")
        if isinstance(item[field], str):
            item[field] = deepcopy(self.things[item[field]])
        if rest and item[field]:
            self._expand(item[field], rest, name)

    def _add(self, kind: str, prefix: str, **fields: Any) -> Thing:
        thing = {"id": f"{prefix}_{token()}", "object": kind, "created": self.now, **fields}
        self.things[thing["id"]] = thing
        return thing

    def _book(self, kind: str, source: Thing, units: int) -> str:
        line = self._add("balance_transaction", "txn", **things.booking(kind, source, units, self.now))
        return str(line["id"])

    def balance(self) -> Thing:
        total = sum(line["net"] for line in self.all("balance_transaction"))
        return {
            "object": "balance",
            "available": [{"amount": total, "currency": "usd", "source_types": {"card": total}}],
            "livemode": False,
            "pending": [{"amount": 0, "currency": "usd", "source_types": {"card": 0}}],
        }
