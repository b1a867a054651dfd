"""What a page says of money that goes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from friendpay.kit.money import Money
from payments.models import Refund
from payments.share import phrases


class Where(StrEnum):
    """Where the money is, which its own status says and nothing else."""

    THERE = "there"  # with the payer
    ON_ITS_WAY = "on_its_way"
    STUCK = "stuck"  # refused by a wallet
    BANK = "bank"  # the payer asked her bank for it


@dataclass(frozen=True)
class Back:
    """How much, where it is, and why."""

    sum: Money
    where: Where
    why: str = ""

    @classmethod
    def of(cls, refunds: Sequence[Refund], currency: str, disputed: int = 0) -> Self | None:
        """Of the refunds of a payment or a request that stand; None where nothing goes back. Of several that stand
        differently, those that matter most: what is stuck, else what is on its way, and the sum of them alone.
        """
        if not refunds:
            return cls(Money(disputed, currency), Where.BANK) if disputed else None
        standing = {
            Where.STUCK: [refund for refund in refunds if refund.status == Refund.Status.FAILED],
            Where.ON_ITS_WAY: [refund for refund in refunds if refund.is_undecided],
            Where.THERE: [refund for refund in refunds if refund.is_back],
        }
        where = next(where for where, those in standing.items() if those)
        total = Money(sum(refund.amount for refund in standing[where]), currency)
        return cls(total, where, phrases.why_returned(refunds[-1]))
