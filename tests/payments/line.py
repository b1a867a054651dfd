"""The line to the sandbox wallet, which a test can cut, and what the wallet did that the sandbox itself never does."""

from collections import defaultdict
from typing import Any

from payments.wallets import registry
from payments.wallets.base import TIMEOUT, Account, Outcome, ProviderError, RefundOrder, State


class Line:
    """Stands for the provider. A call may die before it arrives or after it took effect; while the wallet hangs, each
    does.

    Charges made here are beyond the sandbox's books: a second one of an attempt, one that names nothing of ours.
    """

    def __init__(self) -> None:
        self.dies = ""
        self.hangs = self.refuses_refunds = False
        self.charged: dict[str, int] = {}
        self._back: dict[str, dict[str, int]] = defaultdict(dict)
        self.real = registry.get("sandbox")

    def charge(self, transaction: str, amount: int) -> None:
        self.charged[transaction] = amount

    def returned(self, transaction: str) -> int:
        return sum(self._back[transaction].values())

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.real, name)
        if name not in ("start", "fetch", "close", "refund", "fetch_refund"):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            dies, self.dies = self.dies, ""
            if self.hangs:
                raise ProviderError("no answer", permanent=False, code=TIMEOUT)
            if dies == "before":
                raise ProviderError("dead", permanent=False)
            if name == "refund" and self.refuses_refunds:
                raise ProviderError("no", permanent=True, code="NO_REFUNDS")
            answer = self._refund(*args, **kwargs) if name == "refund" else value(*args, **kwargs)
            if dies == "after":
                raise ProviderError("dead", permanent=False)
            return answer

        return call

    def _refund(self, account: Account, refund: RefundOrder) -> Outcome:
        """Once for each reference, as any wallet does."""
        if refund.charge_ref not in self.charged:
            return self.real.refund(account, refund)
        self._back[refund.charge_ref][refund.reference] = refund.amount.minor
        return Outcome(State.SUCCEEDED, refund.reference, provider_ref=f"back-{refund.reference}", amount=refund.amount)
