"""What some providers can do besides what all must (`base.Provider`)."""

from typing import Protocol, runtime_checkable

from payments.wallets.base import Account, Outcome


@runtime_checkable
class KnowsDisputes(Protocol):
    """What a provider that tells of disputes can do besides: say how one stands, for its news may never come."""

    def fetch_dispute(self, account: Account, number: str) -> Outcome:
        """Ask where the dispute of this number of the provider's stands; an outcome as a notification has it, with our
        reference of the charge where the provider knows that.
        """


class KnowsPayer(Protocol):
    """What a provider with the JSAPI rail can do besides: learn who the payer is to it, without asking her."""

    def authorize_url(self, account: Account, redirect_uri: str, state: str) -> str:
        """Where the wallet's own browser is sent; it comes back with a `code` and the `state` (letters and digits)."""

    def openid(self, account: Account, code: str) -> str:
        """The wallet's own id of the payer, for the code she came back with. Raises ProviderError."""
