"""The money that moved at a wallet, as its own books have it. Whoever checks friendpay compares with these."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Charge:
    """Money a wallet took, under the shop's reference."""

    reference: str
    transaction: str
    amount: int
    currency: str


@dataclass(frozen=True)
class Return:
    """Money a wallet sent back, under the shop's reference of the refund."""

    reference: str
    charge: str  # the charge's reference
    amount: int


Moved = tuple[list[Charge], list[Return]]
