"""What only a request that is still open shows a friend."""

from dataclasses import dataclass
from datetime import datetime

from friendpay.kit.money import Money
from payments.pages.attempts import Held, Mine
from payments.pages.fields import Field
from payments.pages.part import Part
from payments.pages.wallets import Wallets


@dataclass(frozen=True)
class Time:
    """A time to be reminded at."""

    key: str
    label: str


@dataclass(frozen=True)
class Asking:
    """What only a request that is still open shows: the wallets, the form that pays, and what else a friend may do."""

    wallets: Wallets
    mine: Mine | None
    held: Held | None
    part: Part | None  # where several friends may pay
    missing: Money
    check: bool  # whether the sum is another than the button showed
    name: Field
    note: Field
    address: Field
    declines: tuple[tuple[str, str], ...]
    pass_text: str
    times: tuple[Time, ...]
    reminder: datetime | None
    by_calendar: bool  # an app's own browser keeps no files
    by_mail: bool

    @property
    def sum(self) -> Money | None:
        """What stands on the button; None while what is in the field is no amount."""
        return self.part.sum if self.part else self.missing
