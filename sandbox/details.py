"""What goes in and out of the sandbox wallet: plain data, and its no."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.models import Charge

Status = Charge.Status


class Rejected(Exception):
    """The wallet will not do that, now or when asked again; nothing has moved."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class NewCharge:
    """A charge as a shop asks for it. `exponent` is how many decimals the currency has."""

    account: str
    secret: str
    reference: str
    amount: int
    currency: str
    exponent: int
    subject: str
    deadline: datetime
    notify_url: str
    return_url: str


@dataclass(frozen=True)
class ChargeDetails:
    """Where a charge stands. `transaction` is set when money moved."""

    ref: str
    reference: str
    amount: int
    currency: str
    exponent: int
    subject: str
    status: Status
    transaction: str
    return_url: str
    simulated: str = ""


@dataclass(frozen=True)
class RefundDetails:
    """Money that went back, or is about to."""

    reference: str
    transaction: str
    amount: int
    currency: str
    charge: str  # the reference of what it is of
    charge_transaction: str
    pending: bool = False  # accepted, and under way


@dataclass(frozen=True)
class DisputeDetails:
    """A payer who asks her bank for the money back. `status`: "open", "won" or "lost"."""

    number: str
    status: str
    amount: int
    currency: str


@dataclass(frozen=True)
class BillEntry:
    """One line of the bill."""

    about: str  # "charge" or "refund"
    reference: str
    transaction: str
    amount: int
    currency: str
    charge: str = ""  # of a refund: the reference of what it is of
    charge_transaction: str = ""
