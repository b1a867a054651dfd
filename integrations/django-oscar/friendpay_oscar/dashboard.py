"""The dashboard's page of an order. Comes before the shop's own OrderDetailView."""

from typing import Any


class RefundsOnce:
    """A refund bears the number that its page showed, so a page sent twice refunds once."""

    def get_handler_kwargs(self) -> dict[str, Any]:
        return {**super().get_handler_kwargs(), "friendpay_refund": self.request.POST.get("friendpay_refund", "")}
